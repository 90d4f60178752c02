"""Measurements to Markdown tables."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from engines import Engine, Loaded
from measure import Times

ASKED_RATIO = 10.0
"""A question is won if it is this much faster than the fastest peer ..."""

ASKED_MS = 0.3
"""... or takes no longer than this."""


@dataclass(frozen=True)
class LoadResult:
    """All loads of one engine."""

    engine: Engine
    rows: int
    loads: Sequence[Loaded]
    disk_bytes: int

    @property
    def elapsed_s(self) -> float:
        """The median load."""
        return statistics.median(load.elapsed_s for load in self.loads)

    @property
    def cpu_s(self) -> float:
        """The median CPU time of a load."""
        return statistics.median(load.cpu_s for load in self.loads)


@dataclass(frozen=True)
class AskResult:
    """One question's outcome: times only of engines whose answers are equal."""

    name: str
    times: Times | None
    problem: str
    """What differs between answers, or the error of an engine; empty if all is well."""


def load_table(results: Sequence[LoadResult], cores: int) -> str:
    """Return the table of loads and sizes."""
    head = ["engine", "load s", "M rows/s", "CPU s", f"M rows per s of {cores} cores", "settle s", "MB", "bytes/row"]
    return markdown(head, [load_row(result, cores) for result in results])


def load_row(result: LoadResult, cores: int) -> list[str]:
    """Return one engine's line."""
    settle = statistics.median(load.settle_s for load in result.loads)
    return [
        result.engine.title,
        f"{result.elapsed_s:.2f}",
        f"{result.rows / result.elapsed_s / 1e6:.2f}",
        f"{result.cpu_s:.2f}",
        f"{result.rows / (result.cpu_s / cores) / 1e6:.2f}",
        f"{settle:.2f}" if settle else "–",
        f"{result.disk_bytes / 1e6:.1f}",
        f"{result.disk_bytes / result.rows:.2f}",
    ]


def ask_table(results: Sequence[AskResult], engines: Sequence[Engine], subject: str) -> str:
    """Return the table of questions; ratios are how many times `subject` is faster."""
    peers = [engine for engine in engines if engine.name != subject]
    compared = len(peers) < len(engines)
    head = ["#", *(f"{engine.title} ms" for engine in engines)]
    if compared:
        head += [f"× {peer.title}" for peer in peers] + ["× fastest", ""]
    return markdown(head, [ask_row(result, engines, peers if compared else [], subject) for result in results])


def ask_row(result: AskResult, engines: Sequence[Engine], peers: Sequence[Engine], subject: str) -> list[str]:
    """Return one question's line: minima, then the medians of the rounds' ratios."""
    if result.times is None:
        return [result.name, result.problem.replace("|", "/")]
    times = result.times
    asked = times.rounds_ms
    line = [result.name, *(f"{times.least(e.name):.2f}" if e.name in asked else "–" for e in engines)]
    if not peers or subject not in asked:
        return line
    names = [peer.name for peer in peers]
    ratios = [times.ratio(name, subject) for name in names]
    return [*line, *(f"{ratio:.1f}" for ratio in ratios), f"{min(ratios):.1f}", verdict(times, names, subject)]


def verdict(times: Times, peers: Sequence[str], subject: str) -> str:
    """Say where the subject stands: nothing if it has what is asked of it."""
    ratio = times.ratio_of_fastest(peers, subject)
    if ratio >= ASKED_RATIO or times.least(subject) <= ASKED_MS:
        return ""
    return "slower" if ratio < 1 else f"below {ASKED_RATIO:.0f}×"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with its numbers to the right; short rows are filled."""
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join([*line, *[""] * (len(head) - len(line))]) + " |" for line in lines)
