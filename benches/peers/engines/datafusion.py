"""DataFusion over sorted Parquet files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from datafusion import SessionConfig, SessionContext

from engines import Rows
from engines.parquet import DIALECT, Parquet
from engines.peer import Ask, plain


class DataFusion(Parquet):
    """DataFusion's SQL."""

    name = "datafusion"
    title = "DataFusion"
    dialect = DIALECT

    def open_here(self, store: Path) -> Ask:
        """Register the directory."""
        context = SessionContext(SessionConfig())
        context.register_parquet("requests", str(store))

        def ask(sql: str) -> tuple[int, Any]:
            started = time.perf_counter_ns()
            found = context.sql(sql).collect()
            elapsed = time.perf_counter_ns() - started
            return elapsed, lambda: rows_of(found)

        return ask


def rows_of(batches: list[Any]) -> Rows:
    """Return the rows of Arrow batches."""
    return [
        row for batch in batches for row in plain(zip(*(column.to_pylist() for column in batch.columns), strict=False))
    ]
