"""Polars over sorted Parquet files, asked by its SQL, which it runs as a lazy query."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import polars

from engines.parquet import DIALECT, Parquet
from engines.peer import Ask, plain


class Polars(Parquet):
    """Polars' SQL."""

    name = "polars"
    title = "Polars"
    dialect = dataclasses.replace(DIALECT, integer_division="{} // {}")

    def open_here(self, store: Path) -> Ask:
        """Scan the files lazily."""
        context = polars.SQLContext(requests=polars.scan_parquet(store / "*.parquet"))

        def ask(sql: str) -> tuple[int, Any]:
            started = time.perf_counter_ns()
            found = context.execute(sql, eager=False).collect(engine="streaming")
            elapsed = time.perf_counter_ns() - started
            return elapsed, lambda: plain(found.rows())

        return ask
