"""What the peers share: loaded and asked by `peer_worker.py`, answers as SQL rows."""

from __future__ import annotations

import abc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow

from engines import NOTHING, Engine, Loaded, Rows
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
        """Add the files to the store, in this process."""

    def finish_here(self, store: Path) -> Loaded:
        """Do what is left when the last file has been added, in this process."""
        return NOTHING

    @abc.abstractmethod
    def open_here(self, store: Path) -> Ask:
        """Open a loaded store in this process."""

    def load(self, exports: Path, store: Path, *, more: bool = False) -> Loaded:
        """Load in a fresh process, which measures itself: starting Python is not part of it."""
        command = [sys.executable, str(WORKER), self.name, "load", str(store), str(exports)]
        done = subprocess.run(command + ["--more"] * more, check=True, stdout=subprocess.PIPE, text=True)
        return Loaded(**json.loads(done.stdout.splitlines()[-1]))

    def disk_bytes(self, store: Path) -> int:
        """Return the bytes of every file."""
        return sum(file.stat().st_size for file in store.rglob("*") if file.is_file())

    def ask_command(self, store: Path, *, cold: bool = False) -> list[str]:
        """Return the command of the Python worker."""
        return [sys.executable, str(WORKER), self.name, "cold" if cold else "ask", str(store)]

    def text(self, question: Question, facts: Facts) -> str:
        """Return the question's SQL."""
        return one_line(question.sql(self.dialect, facts))

    def rows(self, answer: dict[str, Any], question: Question, facts: Facts) -> Rows:
        """Return SQL rows with each dimension as one label."""
        return [labelled(row, question.dims, facts) for row in answer["rows"]]


def one_line(sql: str) -> str:
    """Return a statement without line breaks."""
    return " ".join(sql.split())


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


def export_files(exports: Path) -> list[Path]:
    """Return the CSV files of a directory, plain or compressed, by name."""
    found = sorted(file for file in exports.iterdir() if ".csv" in file.suffixes and file.suffix != ".part")
    if not found:
        raise SystemExit(f"no .csv file in {exports}")
    return found


def export_glob(exports: Path) -> str:
    """Return a pattern that gives exactly these files to an SQL engine."""
    (suffix,) = {"".join(file.suffixes) for file in export_files(exports)}
    return f"{exports}/*{suffix}"


def csv_header(exports: Path) -> list[str]:
    """Return the column names of the exports, which are alike in all files."""
    first = export_files(exports)[0]
    # pyarrow tells the compression from the name.
    with pyarrow.input_stream(str(first)) as data:
        line: bytes = data.read(4096).split(b"\n", 1)[0]
    return line.decode("utf-8").strip().split(",")


def plain(rows: Iterable[Iterable[Any]]) -> Rows:
    """Return the rows with numbers as numbers, bytes as hex, everything else as text."""
    return [[plain_value(value) for value in row] for row in rows]


def plain_value(value: Any) -> Any:
    """Return one value of an answer."""
    if value is None or isinstance(value, int):
        return value
    return value.hex() if isinstance(value, bytes) else str(value)


class Stopwatch:
    """Elapsed and CPU time since it was made."""

    def __init__(self) -> None:
        """Start."""
        self.started, self.cpu = time.perf_counter(), cpu_seconds()

    def loaded(self) -> Loaded:
        """Return the cost so far."""
        return Loaded(time.perf_counter() - self.started, cpu_seconds() - self.cpu, 0.0)


def cpu_seconds() -> float:
    """Return the CPU time of this process so far, all threads, user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
