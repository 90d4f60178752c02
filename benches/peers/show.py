"""Result files of several runs over the same logs to one table: what is in a later file counts.

So a long run can be made in pieces (`--only q01,q02`), as long as each question's engines take
turns within one of them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import table
from bench import CORES, SUBJECT
from engines import ENGINES, Loaded


def main() -> None:
    """Print the tables, write them if asked to."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("results", type=Path, nargs="+", help="JSON files that other runs have written")
    options.add_argument("--to", type=Path, help="write NAME.md and NAME.json")
    arguments = options.parse_args()
    merged = merge([json.loads(file.read_text(encoding="utf-8")) for file in arguments.results])
    tables = tables_of(merged)
    print("\n\n".join(tables))
    if arguments.to:
        arguments.to.with_name(arguments.to.name + ".md").write_text("\n\n".join(tables) + "\n", encoding="utf-8")
        merged_text = json.dumps(merged, indent=1) + "\n"
        arguments.to.with_name(arguments.to.name + ".json").write_text(merged_text, encoding="utf-8")


def merge(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one result with the loads and questions of all."""
    rows = {result["rows"] for result in results}
    if len(rows) != 1:
        raise SystemExit(f"results over different logs: {sorted(rows)} rows")
    whole: dict[str, Any] = {}
    for result in results:
        for part in ("loads", "questions", "titles"):
            result[part] = {**whole.get(part, {}), **result[part]}
        whole.update(result)
    whole["questions"] = dict(sorted(whole["questions"].items()))
    whole["titles"] = {name: whole["titles"][name] for name in ENGINES if name in whole["titles"]}
    # A store that engines share has a name of its own and comes first.
    order = sorted(whole["loads"], key=lambda name: list(ENGINES).index(name) if name in ENGINES else -1)
    whole["loads"] = {name: whole["loads"][name] for name in order}
    return whole


def tables_of(result: dict[str, Any]) -> list[str]:
    """Return the tables of a result."""
    loads = [
        table.LoadResult(
            name, each["title"], result["rows"], [Loaded(**load) for load in each["loads"]], each["disk_bytes"]
        )
        for name, each in result["loads"].items()
    ]
    asked = [table.from_json(name, each) for name, each in result["questions"].items()]
    cores = result["machine"]["cores"] if "machine" in result else CORES
    head = [f"{result['rows']:,} rows, {cores} cores"]
    return (
        head + ([table.load_table(loads, cores)] if loads else []) + table.ask_tables(asked, result["titles"], SUBJECT)
    )


if __name__ == "__main__":
    main()
