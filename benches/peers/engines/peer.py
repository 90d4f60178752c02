"""What DuckDB and ClickHouse share: loaded and asked by `peer_worker.py`, answers as SQL rows."""

from __future__ import annotations

import abc
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines import Engine, Loaded, Rows
from engines.dialect import Dialect

if TYPE_CHECKING:
    from questions import Facts, Question

WORKER = Path(__file__).resolve().parent.parent / "peer_worker.py"

Ask = Callable[[str], tuple[int, Callable[[], Rows]]]
"""Runs one query text: nanoseconds until its result was owned, and the rows of that result."""


class Peer(Engine):
    """An SQL engine that runs inside a Python process of its own."""

    dialect: Dialect

    @abc.abstractmethod
    def load_here(self, exports: Path, store: Path) -> Loaded:
        """Load in this process."""

    @abc.abstractmethod
    def open_here(self, store: Path) -> Ask:
        """Open a loaded store in this process."""

    def load(self, exports: Path, store: Path) -> Loaded:
        """Load in a fresh process, which measures itself: starting Python is not part of it."""
        command = [sys.executable, str(WORKER), self.name, "load", str(store), str(exports)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        return Loaded(**json.loads(done.stdout))

    def ask_command(self, store: Path) -> list[str]:
        """Return the command of the Python worker."""
        return [sys.executable, str(WORKER), self.name, "ask", str(store)]

    def text(self, question: Question, facts: Facts) -> str:
        """Return the question's SQL."""
        return " ".join(question.sql(self.dialect, facts).split())

    def rows(self, answer: dict[str, Any], question: Question, facts: Facts) -> Rows:
        """Return SQL rows with each dimension as one label."""
        return [labelled(row, question.dims, facts) for row in answer["rows"]]


def labelled(row: list[Any], dims: tuple[str, ...], facts: Facts) -> list[Any]:
    """Return one row with its dimensions' columns made into labels, metrics as they are."""
    values = iter(row)
    labels = [label(dim, values, facts) for dim in dims]
    return [*labels, *values]


def label(dim: str, values: Any, facts: Facts) -> str:
    """Take as many columns from `values` as the dimension has, and write them as Footfall does."""
    if dim == "repo":
        return repo_label(next(values), next(values), facts)
    if dim == "pair":
        pair = (repo_label(next(values), next(values), facts) for _ in range(2))
        return " ".join(sorted(pair))
    if dim == "region":
        country, region = next(values), next(values)
        return f"{country}/{region}"
    text = str(next(values))
    return text[: {"day": 10, "month": 7, "downloader": 8}.get(dim)]


def repo_label(repo_type: str, name: str, facts: Facts) -> str:
    """Return the name, with its type where two types share it."""
    return f"{repo_type}:{name}" if name in facts.shared_names else name


def csv_header(exports: Path) -> list[str]:
    """Return the column names of the exports, which are alike in all files."""
    first = min(exports.glob("*.csv"), default=None)
    if first is None:
        raise SystemExit(f"no .csv file in {exports}")
    with first.open(encoding="utf-8") as lines:
        return lines.readline().strip().split(",")


def cpu_seconds() -> float:
    """Return the CPU time of this process so far, all threads, user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
