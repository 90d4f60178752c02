"""Engines and questions to times: interleaved rounds, and what is told from them."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engines import Engine


class Worker:
    """One engine's process that answers query texts line by line."""

    def __init__(self, engine: Engine, store: Path, *, cold: bool = False) -> None:
        """Start the process; it opens `store` before it answers, a `cold` one for each line."""
        self.engine = engine
        self.process = subprocess.Popen(
            engine.ask_command(store, cold=cold),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        if cold and self.process.stdout is not None:
            # It says so when it is ready for its query.
            self.process.stdout.readline()

    def __enter__(self) -> Self:
        """Return the worker."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process by ending its input; it may have ended by itself."""
        with contextlib.suppress(BrokenPipeError):
            self.process.communicate()

    def ask(self, text: str) -> dict[str, Any]:
        """Run one query text, once; raise `AskError` if the engine refuses it."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(text + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise AskError("the process has ended")
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise AskError(str(reply["error"]))
        return reply


class AskError(Exception):
    """The engine answered with an error."""


@dataclass(frozen=True)
class Times:
    """Milliseconds of one question, by engine and round."""

    rounds_ms: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def least(self, engine: str) -> float:
        """Return the engine's fastest round."""
        return min(self.rounds_ms[engine])

    def ratio(self, engine: str, to: str) -> float:
        """Return how many times longer `engine` takes than `to`: the median of the rounds' ratios."""
        pairs = zip(self.rounds_ms[engine], self.rounds_ms[to], strict=True)
        return statistics.median(mine / other for mine, other in pairs)

    def fastest(self, engines: Sequence[str], to: str) -> str:
        """Return which of `engines` has the smallest ratio to `to`."""
        return min((e for e in engines if e in self.rounds_ms), key=lambda e: self.ratio(e, to))

    def spread(self, engine: str, to: str) -> tuple[float, float]:
        """Return the first and the third quartile of the rounds' ratios."""
        pairs = zip(self.rounds_ms[engine], self.rounds_ms[to], strict=True)
        ratios = sorted(mine / other for mine, other in pairs)
        last = len(ratios) - 1
        return ratios[round(last / 4)], ratios[round(3 * last / 4)]


def rounds(workers: Mapping[str, Worker], texts: Mapping[str, str], count: int) -> Times:
    """Ask each engine its text once per round, in turn, each round beginning with another one.

    They were asked before, when their answers were compared: no round is cold.
    """
    names = list(texts)
    times: dict[str, list[float]] = {name: [] for name in names}
    for index in range(count):
        first = index % len(names)
        for name in names[first:] + names[:first]:
            times[name].append(workers[name].ask(texts[name])["elapsed_ns"] / 1e6)
    return Times(times)
