"""Questions made of queries to Footfall, and to DuckDB as the SQL of the reference in README.md: equal, and how fast.

    run.sh analyses --rows 5M --headers v2
    run.sh analyses --rows 20M

A line per question: rows that were compared, milliseconds of both, how many times faster Footfall is. Those about clients need
user agents (`--headers v2`); the publisher CSV that `reconcile` needs is made of the logs, under the rule `files`.
"""

from __future__ import annotations

import math
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import bench
import duckdb
from analysis_sql import ANALYSES, Analysis, Data
from bench import SUBJECT
from engines import Rows
from engines.duckdb import FILE
from measure import Times, Worker, rounds
from table import markdown

PEER = "duckdb"
TARGET_MS = 100.0
TARGET_RATIO = 10.0


def main() -> None:
    """Load, compare, time."""
    parser = bench.options(__doc__ or "", engines=f"{SUBJECT},{PEER}")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="questions whose names have one of these words, as spike,clients")
    arguments = parser.parse_args()
    at = bench.prepared(arguments)
    at.loads()
    facts = at.facts()
    add_hub(at)
    data = Data(facts, arguments.headers == "v2")
    lines, problems = [], []
    with ExitStack() as stack:
        workers = at.workers(stack)
        for analysis in chosen(arguments.only, data):
            count, problem, times = ask(analysis, workers, data, arguments.rounds)
            problems += [f"{analysis.name}: {problem}"] if problem else []
            lines.append(line(analysis.name, count, times))
            print("  ".join(lines[-1]), problem, flush=True)
    table = markdown(["question", "rows equal", "Footfall ms", "DuckDB ms", "× faster", "≤ 100 ms and ≥ 10 ×"], lines)
    print("\n" + "\n".join([table, *problems]))
    at.write("analyses", [table, *problems], {"rows": facts.rows, "questions": lines})
    if problems:
        raise SystemExit(1)


def chosen(only: str, data: Data) -> list[Analysis]:
    """Return the questions whose names have one of these words, all without any, of what the data have."""
    words = only.split(",")
    asked = (one for one in ANALYSES if any(word in one.name for word in words))
    return [one for one in asked if data.has_agents or not one.needs_agents]


def add_hub(at: bench.Bench) -> None:
    """Give both engines a publisher CSV that fits the logs."""
    stores = {engine.name: at.store(engine) for engine in at.engines}
    csv = at.stores / "publisher.csv"
    if not csv.exists():
        footfall(at, stores[SUBJECT], "export", "--hub-csv", "--from-logs", "--rule", "files", "-o", str(csv))
    footfall(at, stores[SUBJECT], "ingest", str(csv))
    with duckdb.connect(str(stores[PEER] / FILE)) as connection:
        columns = "timestamp::date as day, downloads"
        connection.execute(f"create or replace table hub as select {columns} from read_csv('{csv}')")


def footfall(at: bench.Bench, store: Path, *words: str) -> None:
    """Run a command of Footfall."""
    command = [str(at.arguments.bin / SUBJECT), "--store", str(store), "--quiet", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def ask(analysis: Analysis, workers: Mapping[str, Worker], data: Data, count: int) -> tuple[int, str, Times]:
    """Compare both answers, then time them in turn."""
    texts = {SUBJECT: analysis.text(data), PEER: " ".join(analysis.sql(data).split())}
    mine, theirs = (workers[name].ask(texts[name])["answer"]["rows"] for name in (SUBJECT, PEER))
    rows = analysis.rows(mine)
    return len(rows), difference(rows, theirs), rounds(workers, texts, count)


def difference(mine: Rows, theirs: Rows) -> str:
    """Return the smallest row that only one side has, empty if they are equal."""
    ours, others = ({tuple(map(plain, row)) for row in rows} for rows in (mine, theirs))
    for extra, where in ((ours - others, "only in Footfall"), (others - ours, "only in DuckDB")):
        if extra:
            return f"{where}: {min(extra, key=str)!r} (of {len(extra)})"
    return ""


def plain(value: Any) -> Any:
    """Return whole numbers as integers, absent as empty."""
    if value is None:
        return ""
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return int(value)
    return value


def line(name: str, count: int, times: Times) -> list[str]:
    """Return a line of the table."""
    mine, ratio = times.least(SUBJECT), times.ratio(PEER, SUBJECT)
    reached = "yes" if mine <= TARGET_MS and ratio >= TARGET_RATIO else "no"
    return [name, str(count), f"{mine:.2f}", f"{times.least(PEER):.1f}", f"{ratio:.1f}", reached]


if __name__ == "__main__":
    main()
