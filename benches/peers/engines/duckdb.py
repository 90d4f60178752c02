"""DuckDB: one plain table with the columns of the export, as a DuckDB user would load it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import duckdb

from engines import Loaded
from engines.dialect import Dialect
from engines.peer import Ask, Peer, Stopwatch, csv_header, export_glob, plain

FILE = "requests.duckdb"

COLUMNS = {
    "timestamp": ("ts", "TIMESTAMP"),
    "status": ("status", "USMALLINT"),
    "method": ("method", "VARCHAR"),
    "repoType": ("repo_type", "VARCHAR"),
    "repoName": ("repo", "VARCHAR"),
    "hashedUserId": ("user_hash", "VARCHAR"),
    "hashedIp": ("ip_hash", "VARCHAR"),
    "country": ("country", "VARCHAR"),
    "region": ("region", "VARCHAR"),
    "userAgent": ("user_agent", "VARCHAR"),
}
"""Export column → column of the table and its type."""


class DuckDb(Peer):
    """DuckDB in its own file."""

    name = "duckdb"
    title = "DuckDB"
    dialect = Dialect(
        # With a user the ip is no part of the identity; '' is never a hash.
        who=("user_hash", "case when user_hash = '' then ip_hash else '' end"),
        known="(user_hash <> '' or ip_hash <> '')",
        signed_in="user_hash <> ''",
        label="who0 || who1",
        epoch_ms="epoch_ms(ts)",
        day="ts::date",
        month="date_trunc('month', ts)",
        weekday="isodow(ts)",
        hour_of_day="hour(ts)",
        instant="timestamp '{}'",
        integer_division="{} // {}",
    )

    def load_here(self, exports: Path, store: Path) -> Loaded:
        """Add all files to the table and write it to the file, synced."""
        store.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(str(store / FILE))
        watch = Stopwatch()
        # The order of files means nothing here, and keeping it costs a fifth of the load.
        connection.execute("set preserve_insertion_order = false")
        connection.execute(table_sql(exports))
        connection.execute(f"insert into requests {select_sql(exports)}")
        connection.execute("checkpoint")
        loaded = watch.loaded()
        connection.close()
        return loaded

    def open_here(self, store: Path) -> Ask:
        """Open the file for reading."""
        connection = duckdb.connect(str(store / FILE), read_only=True)
        connection.execute("set timezone = 'UTC'")

        def ask(sql: str) -> tuple[int, Any]:
            started = time.perf_counter_ns()
            found = connection.execute(sql).fetchall()
            elapsed = time.perf_counter_ns() - started
            return elapsed, lambda: plain(found)

        return ask


def table_sql(exports: Path) -> str:
    """Return the statement that makes the table, if it is not there, for files like these."""
    columns = ", ".join(" ".join(COLUMNS[name]) for name in csv_header(exports))
    return f"create table if not exists requests ({columns})"


def select_sql(exports: Path) -> str:
    """Return the statement that reads every file of `exports`."""
    header = csv_header(exports)
    types = ", ".join(f"'{name}': '{COLUMNS[name][1]}'" for name in header)
    columns = ", ".join(f'"{name}" as {COLUMNS[name][0]}' for name in header)
    texts = ", ".join(f"'{name}'" for name in header if COLUMNS[name][1] == "VARCHAR")
    return (
        f"select {columns} from read_csv('{export_glob(exports)}', header = true, "
        f"auto_detect = false, delim = ',', quote = '\"', escape = '\"', columns = {{{types}}}, "
        f"force_not_null = [{texts}])"
    )
