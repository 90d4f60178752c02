"""The engines that are compared: one module each, all behind the same few calls.

To add one: a module with a subclass of `Engine`, and its line in `ENGINES`.
"""

from __future__ import annotations

import abc
import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from questions import Facts, Question

Rows = list[list[Any]]


@dataclass(frozen=True)
class Loaded:
    """What one load cost, seen from inside the loading process."""

    elapsed_s: float
    cpu_s: float
    settle_s: float
    """Work after the rows were queryable (merging of parts), not part of the load."""
    stages_cpu_s: Mapping[str, float] = field(default_factory=dict)
    """CPU seconds by stage, from engines that say them."""

    def plus(self, other: Loaded) -> Loaded:
        """Return the cost of both, one after the other."""
        stages = dict(self.stages_cpu_s)
        for stage, seconds in other.stages_cpu_s.items():
            stages[stage] = stages.get(stage, 0.0) + seconds
        return Loaded(
            self.elapsed_s + other.elapsed_s, self.cpu_s + other.cpu_s, self.settle_s + other.settle_s, stages
        )


NOTHING = Loaded(0.0, 0.0, 0.0)


class Engine(abc.ABC):
    """One engine: how it loads, how many bytes it keeps, how it is asked."""

    name: str
    title: str
    store_name: str = ""
    """Where its rows are, if another engine has them too; else its own name."""
    store_title: str = ""

    @property
    def store(self) -> str:
        """The name of its directory."""
        return self.store_name or self.name

    @abc.abstractmethod
    def load(self, exports: Path, store: Path, *, more: bool = False) -> Loaded:
        """Add every file of `exports` to `store`, in a process of its own; `more` will follow."""

    @abc.abstractmethod
    def disk_bytes(self, store: Path) -> int:
        """Return the bytes that the loaded rows take on disk."""

    @abc.abstractmethod
    def ask_command(self, store: Path, *, cold: bool = False) -> list[str]:
        """Return the command of a worker that speaks the protocol of `README.md`.

        A `cold` one opens the store when it has read its one query, and counts that too.
        """

    @abc.abstractmethod
    def text(self, question: Question, facts: Facts) -> str:
        """Return the question in the engine's own language, on one line; empty if it has no sensible answer."""

    @abc.abstractmethod
    def rows(self, answer: dict[str, Any], question: Question, facts: Facts) -> Rows:
        """Return an answer's rows with labels written as Footfall writes them."""


ENGINES = {
    "duckdb": "engines.duckdb:DuckDb",
    "duckdb-ids": "engines.duckdb_ids:DuckDbIds",
    "datafusion": "engines.datafusion:DataFusion",
    "polars": "engines.polars:Polars",
    "clickhouse": "engines.clickhouse:ClickHouse",
    "clickhouse-rollup": "engines.clickhouse_rollup:ClickHouseRollup",
    "footfall": "engines.footfall:Footfall",
}
"""Name → module and class."""


def by_name(name: str, binaries: Path) -> Engine:
    """Return the engine called `name`; `binaries` is where Footfall's programs are."""
    if name not in ENGINES:
        raise SystemExit(f"unknown engine {name!r}; there are {', '.join(ENGINES)}")
    # Imported here: a run with one engine needs neither the packages nor the files of others.
    module, _, member = ENGINES[name].partition(":")
    made = getattr(importlib.import_module(module), member)
    engine: Engine = made(binaries) if name == "footfall" else made()
    return engine
