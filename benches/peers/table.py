"""Measurements to Markdown tables."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cold import Cold
from engines import Loaded
from measure import Times

ASKED_RATIO = 10.0
"""A question is won if it is this much faster than the fastest peer ..."""

ASKED_MS = 0.3
"""... or takes no longer than this."""

ASKED_COLD_RATIO = 3.0
"""The same from a fresh process."""


@dataclass(frozen=True)
class LoadResult:
    """All loads into one store."""

    name: str
    title: str
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
    """What differs between answers, or the errors of engines; empty if all is well."""
    cold: Cold | None = None
    first_ms: Mapping[str, float] = field(default_factory=dict)
    """The first asking, which compares answers: all there is of engines that were left out of the rounds."""


def as_json(result: AskResult) -> dict[str, Any]:
    """Return a result as what JSON can hold."""
    return {
        "rounds_ms": dict(result.times.rounds_ms) if result.times else None,
        "cold_ms": dict(result.cold.times.rounds_ms) if result.cold else None,
        "peak_mb": dict(result.cold.peak_mb) if result.cold else None,
        "first_ms": dict(result.first_ms),
        "problem": result.problem,
    }


def from_json(name: str, kept: Mapping[str, Any]) -> AskResult:
    """Read what `as_json` gave."""
    times = Times(kept["rounds_ms"]) if kept["rounds_ms"] else None
    cold = Cold(Times(kept["cold_ms"]), kept["peak_mb"]) if kept["cold_ms"] else None
    return AskResult(name, times, kept["problem"], cold, kept["first_ms"])


def load_table(results: Sequence[LoadResult], cores: int) -> str:
    """Return the table of loads and sizes."""
    head = ["engine", "load s", "M rows/s", "CPU s", f"M rows per s of {cores} cores", "settle s", "MB", "bytes/row"]
    return markdown(head, [load_row(result, cores) for result in results])


def load_row(result: LoadResult, cores: int) -> list[str]:
    """Return one engine's line."""
    settle = statistics.median(load.settle_s for load in result.loads)
    return [
        result.title,
        f"{result.elapsed_s:.2f}",
        f"{result.rows / result.elapsed_s / 1e6:.2f}",
        f"{result.cpu_s:.2f}",
        f"{result.rows / (result.cpu_s / cores) / 1e6:.2f}",
        f"{settle:.2f}" if settle else "–",
        f"{result.disk_bytes / 1e6:.1f}",
        f"{result.disk_bytes / result.rows:.2f}",
    ]


def ask_tables(results: Sequence[AskResult], titles: Mapping[str, str], subject: str) -> list[str]:
    """Return the tables of questions: warm, from a fresh process, and its memory."""
    if not results:
        return []
    head = ["#", *titles.values()]
    ratios = ["× fastest", "quartiles", "fastest peer", ""] if subject in titles else []
    tables = [
        "Warm, milliseconds, fastest round\n\n"
        + markdown([*head, *ratios], [ask_row(result, titles, subject) for result in results])
    ]
    cold = [result for result in results if result.cold]
    if cold:
        ratios = ["× fastest", "fastest peer", ""] if subject in titles else []
        tables.append(
            "From a fresh process, page cache warm, milliseconds\n\n"
            + markdown([*head, *ratios], [cold_row(result, titles, subject) for result in cold])
        )
        tables.append(
            "Most anonymous memory above that of the process before it opened its store, MB\n\n"
            + markdown(head, [memory_row(result, titles) for result in cold])
        )
    return tables


def ask_row(result: AskResult, titles: Mapping[str, str], subject: str) -> list[str]:
    """Return one question's line: minima, then the median and quartiles of the rounds' ratios."""
    if result.times is None:
        return [result.name, result.problem.replace("|", "/")]
    times = result.times
    line = [result.name, *minima(times, titles, result.first_ms)]
    peers = [name for name in times.rounds_ms if name != subject]
    note = result.problem.replace("|", "/")
    if not peers or subject not in times.rounds_ms:
        return [*line, "", "", "", note]
    fastest = times.fastest(peers, subject)
    low, high = times.spread(fastest, subject)
    said = [each for each in (verdict(times, peers, subject), note) if each]
    return [*line, f"{times.ratio(fastest, subject):.1f}", f"{low:.1f}–{high:.1f}", titles[fastest], "; ".join(said)]


def cold_row(result: AskResult, titles: Mapping[str, str], subject: str) -> list[str]:
    """Return one question's line of times from fresh processes."""
    assert result.cold is not None
    times = result.cold.times
    line = [result.name, *minima(times, titles)]
    peers = [name for name in times.rounds_ms if name != subject]
    if not peers or subject not in times.rounds_ms:
        return line
    fastest = times.fastest(peers, subject)
    ratio = times.ratio(fastest, subject)
    short = f"below {ASKED_COLD_RATIO:.0f}×" if ratio < ASKED_COLD_RATIO else ""
    return [*line, f"{ratio:.1f}", titles[fastest], short]


def memory_row(result: AskResult, titles: Mapping[str, str]) -> list[str]:
    """Return one question's line of memory."""
    assert result.cold is not None
    peaks = result.cold.peak_mb
    return [result.name, *(f"{peaks[name]:.1f}" if name in peaks else "–" for name in titles)]


def minima(times: Times, titles: Mapping[str, str], first_ms: Mapping[str, float] | None = None) -> list[str]:
    """Return each engine's fastest round; in parentheses its first asking if it was in none."""
    first = {name: f"({elapsed:.0f})" for name, elapsed in (first_ms or {}).items()}
    return [f"{times.least(name):.2f}" if name in times.rounds_ms else first.get(name, "–") for name in titles]


def verdict(times: Times, peers: Sequence[str], subject: str) -> str:
    """Say where the subject stands: nothing if it has what is asked of it."""
    ratio = times.ratio(times.fastest(peers, subject), subject)
    if ratio >= ASKED_RATIO or times.least(subject) <= ASKED_MS:
        return ""
    return "slower" if ratio < 1 else f"below {ASKED_RATIO:.0f}×"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with its numbers to the right; short rows are filled."""
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join([*line, *[""] * (len(head) - len(line))]) + " |" for line in lines)
