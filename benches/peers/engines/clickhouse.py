"""ClickHouse inside the process (chDB): a MergeTree ordered by (repo, ts), hashes as 32 bytes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from chdb.session import Session

from engines import Loaded, Rows
from engines.dialect import Dialect
from engines.peer import Ask, Peer, Stopwatch, csv_header, export_glob

TABLE = """
create table if not exists peers.requests (
    ts DateTime64(3, 'UTC') codec(Delta, ZSTD(1)),
    status UInt16 codec(ZSTD(1)),
    method LowCardinality(String) codec(ZSTD(1)),
    repo_type LowCardinality(String) codec(ZSTD(1)),
    repo LowCardinality(String) codec(ZSTD(1)),
    who_kind UInt8 codec(ZSTD(1)),
    who FixedString(32) codec(ZSTD(1)),
    other_ip FixedString(32) codec(ZSTD(1)),
    country LowCardinality(String) codec(ZSTD(1)),
    region LowCardinality(String) codec(ZSTD(1)){agent}
) engine = MergeTree order by (repo, ts)
"""
"""The identity is one column of 32 bytes and its kind (0 none, 1 user, 2 ip), which counts faster
than two half-empty ones; `other_ip` is the address kept beside a user."""

VALUES = """
timestamp, status, method, repoType, repoName,
multiIf(hashedUserId != '', 1, hashedIp != '', 2, 0),
unhex(if(hashedUserId != '', hashedUserId, hashedIp)),
unhex(if(hashedUserId != '', hashedIp, '')),
country, region{agent}
"""

TABLES = "select name from system.tables where database = 'peers' and engine like '%MergeTree'"

# Reading the file's texts as LowCardinality instead of String doubles the time of the load.
CSV_TYPES = {"timestamp": "DateTime64(3, \\'UTC\\')", "status": "UInt16"}


class ClickHouse(Peer):
    """ClickHouse with one MergeTree table."""

    name = "clickhouse"
    title = "ClickHouse"
    dialect = Dialect(
        who=("who_kind", "who"),
        known="who_kind != 0",
        signed_in="who_kind = 1",
        label="if(who0 = 0, '', lower(hex(who1)))",
        epoch_ms="toUnixTimestamp64Milli(ts)",
        day="toDate(ts)",
        month="toStartOfMonth(ts)",
        weekday="toDayOfWeek(ts)",
        hour_of_day="toHour(ts)",
        instant="toDateTime64('{}', 3, 'UTC')",
        integer_division="intDiv({}, {})",
    )

    def load_here(self, exports: Path, store: Path) -> Loaded:
        """Insert every file."""
        session = Session(str(store))
        watch = Stopwatch()
        session.query("create database if not exists peers")
        session.query(TABLE.format(agent=agent(exports, ",\n    user_agent String codec(ZSTD(1))")))
        session.query(insert_sql(exports))
        loaded = watch.loaded()
        session.close()
        return loaded

    def finish_here(self, store: Path) -> Loaded:
        """Merge the parts of each table into one, outside the load's time."""
        session = Session(str(store))
        started = time.perf_counter()
        for (table,) in parsed(session.query(TABLES, "JSONCompactEachRow").data()):
            session.query(f"optimize table peers.{table} final")
        settled = time.perf_counter() - started
        size = session.query("select sum(bytes_on_disk) from system.parts where active and database = 'peers'", "TSV")
        (store / "bytes").write_text(size.data(), encoding="utf-8")
        session.close()
        return Loaded(elapsed_s=0.0, cpu_s=0.0, settle_s=settled)

    def disk_bytes(self, store: Path) -> int:
        """Return the bytes of the tables' parts: the store also has the server's own tables."""
        return int((store / "bytes").read_text(encoding="utf-8"))

    def open_here(self, store: Path) -> Ask:
        """Open the session's directory."""
        session = Session(str(store))
        session.query("use peers")

        def ask(sql: str) -> tuple[int, Any]:
            started = time.perf_counter_ns()
            found = session.query(sql, "JSONCompactEachRow").data()
            elapsed = time.perf_counter_ns() - started
            return elapsed, lambda: parsed(found)

        return ask


def agent(exports: Path, text: str) -> str:
    """Return `text` if the exports have user agents."""
    return text if "userAgent" in csv_header(exports) else ""


def insert_sql(exports: Path) -> str:
    """Return the statement that reads every file of `exports` into the table."""
    types = ", ".join(f"{name} {CSV_TYPES.get(name, 'String')}" for name in csv_header(exports))
    return (
        f"insert into peers.requests select {VALUES.format(agent=agent(exports, ', userAgent'))} "
        f"from file('{export_glob(exports)}', 'CSVWithNames', '{types}') "
        f"settings date_time_input_format = 'best_effort'"
    )


def parsed(lines: str) -> Rows:
    """Read one JSON array per line; 64-bit numbers may come as strings of digits."""
    return [json.loads(line) for line in lines.splitlines()]
