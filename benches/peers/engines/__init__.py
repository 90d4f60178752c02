"""The engines that are compared: one module each, all behind the same few calls.

To add one: a module with a subclass of `Engine`, and its line in `by_name`.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from questions import Facts, Question

Rows = list[list[Any]]


@dataclass(frozen=True)
class Loaded:
    """What one load cost, seen from inside the loading process."""

    elapsed_s: float
    cpu_s: float
    settle_s: float
    """Work after the rows were queryable (merging of parts), not part of the load."""


class Engine(abc.ABC):
    """One engine: how it loads, how many bytes it keeps, how it is asked."""

    name: str
    title: str

    @abc.abstractmethod
    def load(self, exports: Path, store: Path) -> Loaded:
        """Load every CSV file of `exports` into a new `store`, in a process of its own."""

    @abc.abstractmethod
    def disk_bytes(self, store: Path) -> int:
        """Return the bytes that the loaded rows take on disk."""

    @abc.abstractmethod
    def ask_command(self, store: Path) -> list[str]:
        """Return the command of a worker that speaks the protocol of `worker.py`."""

    @abc.abstractmethod
    def text(self, question: Question, facts: Facts) -> str:
        """Return the question in the engine's own language, on one line."""

    @abc.abstractmethod
    def rows(self, answer: dict[str, Any], question: Question, facts: Facts) -> Rows:
        """Return an answer's rows with labels written as Footfall writes them."""


def by_name(name: str, binaries: Path) -> Engine:
    """Return the engine called `name`; `binaries` is where Footfall's programs are."""
    # Imported here: a run with one engine needs neither the packages nor the files of others.
    if name == "duckdb":
        from engines.duckdb import DuckDb

        return DuckDb()
    if name == "clickhouse":
        from engines.clickhouse import ClickHouse

        return ClickHouse()
    if name == "footfall":
        from engines.footfall import Footfall

        return Footfall(binaries)
    raise SystemExit(f"unknown engine {name!r}; there are duckdb, clickhouse, footfall")
