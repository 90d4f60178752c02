"""Loaded stores to their bytes by part: Footfall's by kind of file, ClickHouse's and Parquet's by column.

    run.sh parts --rows 20M

Footfall's columns are told, beside an estimate of their entropy, by `bytes` of `footfall-benches`. DuckDB's file
has one figure: its blocks hold parts of several columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet
from chdb.session import Session

import bench
from bench import Bench
from engines.clickhouse import parsed
from engines.peer import one_line
from questions import Facts
from table import markdown

COLUMNS = """
select table, column, sum(column_bytes_on_disk) from system.parts_columns
where active and database = 'peers' group by table, column
"""

TABLES = """
select table, sum(bytes_on_disk) from system.parts where active and database = 'peers' group by table
"""
"""With marks, checksums, and whole parts that are too small to have a file for each column."""


def main() -> None:
    """Load what is missing, and weigh."""
    arguments = bench.options(__doc__ or "").parse_args()
    arguments.reuse = True
    at = bench.prepared(arguments)
    at.loads()
    facts = at.facts()
    weighed = {engine.store_title or engine.title: parts_of(at, engine.name) for engine in at.engines}
    tables = [whole_table(weighed, facts)]
    tables += [f"{title}\n\n{parts_table(parts, facts)}" for title, parts in weighed.items() if len(parts) > 1]
    print("\n\n".join(tables))
    at.write("parts", tables, {"bytes": weighed} | bench.about_run(facts))


def parts_of(at: Bench, name: str) -> dict[str, int]:
    """Return the bytes of each part of an engine's store."""
    engine = next(each for each in at.engines if each.name == name)
    store = at.store(engine)
    if name == "footfall":
        return by_kind(store)
    if name in ("datafusion", "polars"):
        return by_parquet_column(store)
    if name.startswith("clickhouse"):
        return by_clickhouse_column(store)
    return {"file": engine.disk_bytes(store)}


def by_kind(store: Path) -> dict[str, int]:
    """Sum files by what their names begin with."""
    kinds: Counter[str] = Counter()
    for file in store.rglob("*"):
        if file.is_file():
            kinds[file.name.split("-", maxsplit=1)[0]] += file.stat().st_size
    return dict(kinds)


def by_parquet_column(store: Path) -> dict[str, int]:
    """Sum column chunks; the rest of the files is footers."""
    columns: Counter[str] = Counter()
    for file in store.glob("*.parquet"):
        about = pyarrow.parquet.read_metadata(file)
        groups = [about.row_group(index) for index in range(about.num_row_groups)]
        for chunk in (group.column(index) for group in groups for index in range(group.num_columns)):
            columns[chunk.path_in_schema] += chunk.total_compressed_size
        columns["footers"] += file.stat().st_size
    columns["footers"] -= sum(size for name, size in columns.items() if name != "footers")
    return dict(columns)


def by_clickhouse_column(store: Path) -> dict[str, int]:
    """Ask the server's own table about its parts."""
    session = Session(str(store))
    columns, tables = (parsed(session.query(one_line(sql), "JSONCompactEachRow").data()) for sql in (COLUMNS, TABLES))
    session.close()
    parts = {f"{table}.{column}": int(size) for table, column, size in columns if int(size)}
    for table, size in tables:
        told = sum(bytes_ for name, bytes_ in parts.items() if name.startswith(f"{table}."))
        parts[f"{table}, rest" if told else table] = int(size) - told
    return parts


def whole_table(weighed: Mapping[str, Mapping[str, int]], facts: Facts) -> str:
    """Return a line per engine."""
    sums = {title: sum(parts.values()) for title, parts in weighed.items()}
    least = min((size for title, size in sums.items() if title != "Footfall"), default=0)
    lines = [
        [title, f"{size / 1e6:.1f}", f"{size / facts.rows:.2f}", f"{size / least:.2f}" if least else "–"]
        for title, size in sums.items()
    ]
    return markdown(["engine", "MB", "bytes/row", "÷ smallest peer"], lines)


def parts_table(parts: Mapping[str, int], facts: Facts) -> str:
    """Return a line per part, the largest first."""
    lines = [
        [name, f"{size / 1e6:.2f}", f"{size / facts.rows:.3f}"]
        for name, size in sorted(parts.items(), key=lambda one: -one[1])
    ]
    return markdown(["part", "MB", "bytes/row"], lines)


if __name__ == "__main__":
    main()
