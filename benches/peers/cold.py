"""Engines and one question to what a fresh process needs for it: milliseconds, and anonymous memory.

The page cache is warm, the engine's packages are imported; opening the store is part of the time.
Memory is measured in a further process, by looking at it every few milliseconds: `RssAnon` at its
highest above what the process had before it opened the store. Mapped pages of files are not in it.
`asked_mb` looks at a process that is asked again: what it keeps decoded is in it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engines import Engine
from measure import AskError, Times, Worker

LOOK_EVERY_S = 0.002


@dataclass(frozen=True)
class Cold:
    """What fresh processes needed, by engine."""

    times: Times
    peak_mb: Mapping[str, float]


def cold(engines: Mapping[str, tuple[Engine, Path]], texts: Mapping[str, str], rounds: int) -> Cold:
    """Ask each engine in `rounds` processes for the time, in turn, then in one for the memory."""
    times: dict[str, list[float]] = {name: [] for name in texts}
    names = list(texts)
    for index in range(rounds):
        first = index % len(names)
        for name in names[first:] + names[:first]:
            with Worker(*engines[name], cold=True) as worker:
                times[name].append(worker.ask(texts[name])["elapsed_ns"] / 1e6)
    peaks = {name: peak_mb(*engines[name], texts[name]) for name in names}
    return Cold(Times(times), peaks)


def peak_mb(engine: Engine, store: Path, text: str) -> float:
    """Return the most anonymous memory, in MB, that opening the store and one query add."""
    with Worker(engine, store, cold=True) as worker:
        is_answered = True
        with watched(worker.process.pid) as seen:
            try:
                worker.ask(text)
            except AskError:
                is_answered = False
        before, last = seen[0], seen[-1]
        return (max(seen if is_answered else [before, last]) - before) * 1024 / 1e6


def asked_mb(engine: Engine, store: Path, text: str, times: int) -> float:
    """Return the most anonymous memory, in MB, of a fresh process that asks one query some times."""
    with Worker(engine, store) as worker:
        with watched(worker.process.pid) as seen:
            for _ in range(times):
                worker.ask(text)
        return max(seen) * 1024 / 1e6


@contextmanager
def watched(process: int) -> Iterator[list[int]]:
    """Note the process's memory, in KiB, before, during and after what is done with it."""
    seen = [anonymous_kb(process)]
    ended = threading.Event()
    watcher = threading.Thread(target=watch, args=(process, seen, ended))
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()
        seen.append(anonymous_kb(process))


def watch(process: int, seen: list[int], ended: threading.Event) -> None:
    """Note the process's memory until `ended`."""
    while not ended.wait(LOOK_EVERY_S):
        seen.append(anonymous_kb(process))


def anonymous_kb(process: int) -> int:
    """Return `RssAnon` of a process in KiB, 0 once it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:")]
    return int(found[0]) if found else 0
