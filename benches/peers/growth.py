"""Sizes at a fixed number of days to how each question grows: milliseconds, and the exponent.

    run.sh growth --sizes 2M,20M,200M,1000M

Footfall alone, unless `--engines` says otherwise. Sizes above 50 M rows are generated and loaded in slices of about
25 M. The exponent is the slope of the straight line through the logarithms of rows and fastest
rounds: 0 if a question does not care about the rows, 1 if it takes twice as long for twice as many. Memory is the most
that a process has, beside the map, which answers a question four times and no other.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import bench
import logs
from bench import SUBJECT, Bench
from cold import Cold, asked_mb, cold
from engines import Engine, Loaded
from measure import AskError, Times, rounds
from questions import Facts, chosen
from table import markdown

SLICE_ROWS = 25_000_000
SLICED_ABOVE = 50_000_000

ASKED_FOR_MEMORY = 4
"""Times that a question is asked while memory is looked at: from the third on Footfall keeps what it has decoded."""


@dataclass(frozen=True)
class Grown:
    """What one engine did at one size."""

    rows: int
    loaded: Loaded | None
    disk_bytes: int
    opened: Cold
    times: Mapping[str, Times]
    peak_mb: Mapping[str, float]


def main() -> None:
    """Load, ask, tell."""
    parser = bench.options(__doc__ or "", SUBJECT)
    parser.add_argument("--sizes", default="2M,20M,200M", help="sizes to compare (2M,20M,200M)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="questions to ask, as q02,q10")
    parser.add_argument("--skip", default="", help="questions to leave out")
    arguments = parser.parse_args()
    grown: dict[str, list[Grown]] = {}
    at = None
    for size in map(logs.count, arguments.sizes.split(",")):
        arguments.rows = size
        arguments.slices = math.ceil(size / SLICE_ROWS) if size > SLICED_ABOVE else 1
        at = bench.prepared(arguments)
        arguments.no_build = True
        for name, one in measured(at, arguments).items():
            grown.setdefault(name, []).append(one)
    assert at is not None
    tables = [part for name, each in grown.items() for part in tables_of(name, each)]
    print("\n\n".join(tables))
    at.write("growth", tables, {name: [as_json(one) for one in each] for name, each in grown.items()})


def measured(at: Bench, arguments: argparse.Namespace) -> dict[str, Grown]:
    """Load one size and ask every question."""
    loads = at.loads()
    facts = at.facts()
    times: dict[str, dict[str, Times]] = {engine.name: {} for engine in at.engines}
    with ExitStack() as stack:
        workers = at.workers(stack)
        for question in chosen(arguments.only, arguments.skip):
            for engine in at.engines:
                text = engine.text(question, facts)
                if not text or not at.is_asked(engine, question.name):
                    continue
                try:
                    workers[engine.name].ask(text)
                except AskError as error:
                    print(f"{engine.title}, {question.name}: {error}", flush=True)
                    continue
                times[engine.name][question.name] = rounds(workers, {engine.name: text}, arguments.rounds)
                print(
                    f"{facts.rows:,} rows, {engine.title}: {question.name} "
                    f"{times[engine.name][question.name].least(engine.name):.2f} ms",
                    flush=True,
                )
    return {engine.name: grown_of(at, engine, loads, facts, times[engine.name]) for engine in at.engines}


def grown_of(
    at: Bench, engine: Engine, loads: dict[str, list[Loaded]], facts: Facts, times: Mapping[str, Times]
) -> Grown:
    """Gather what is known of one engine at this size."""
    first = chosen("q01", "")[0]
    name, store = engine.name, at.store(engine)
    asked = {name: engine.text(first, facts)}
    opened = cold({name: (engine, store)}, asked if asked[name] else {}, 5)
    loaded = loads[engine.store][0] if engine.store in loads else None
    texts = {question.name: engine.text(question, facts) for question in chosen("", "") if question.name in times}
    peaks = {question: asked_mb(engine, store, text, ASKED_FOR_MEMORY) for question, text in texts.items() if text}
    return Grown(facts.rows, loaded, engine.disk_bytes(store), opened, times, peaks)


def tables_of(name: str, grown: Sequence[Grown]) -> list[str]:
    """Return the table of loads and the table of questions."""
    head = [name, *(f"{one.rows:,} rows" for one in grown)]
    lines = [
        ["load, M rows/s", *(f"{one.rows / one.loaded.elapsed_s / 1e6:.2f}" if one.loaded else "–" for one in grown)],
        ["load, CPU ns/row", *(f"{one.loaded.cpu_s / one.rows * 1e9:.0f}" if one.loaded else "–" for one in grown)],
        ["bytes/row", *(f"{one.disk_bytes / one.rows:.2f}" for one in grown)],
        ["open and q01, ms", *(f"{one.opened.times.least(name):.1f}" for one in grown)],
    ]
    questions = [
        [q, *(f"{one.times[q].least(name):.2f}" if q in one.times else "–" for one in grown), exponent(name, q, grown)]
        for q in grown[-1].times
    ]
    peaks = [[q, *(f"{one.peak_mb[q]:.0f}" if q in one.peak_mb else "–" for one in grown)] for q in grown[-1].peak_mb]
    return [
        markdown(head, lines),
        "Fastest round, milliseconds\n\n" + markdown([*head, "exponent"], questions),
        "Anonymous memory of the process at its highest, MB\n\n" + markdown(head, peaks),
    ]


def exponent(name: str, question: str, grown: Sequence[Grown]) -> str:
    """Return the slope of log time over log rows."""
    points = [(math.log(one.rows), math.log(one.times[question].least(name))) for one in grown if question in one.times]
    return f"{slope(points):.2f}" if len(points) > 1 else "–"


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the line of least squares."""
    xs, ys = zip(*points, strict=False)
    return statistics.linear_regression(xs, ys).slope


def as_json(one: Grown) -> dict[str, Any]:
    """Return everything that was measured at one size."""
    return {
        "rows": one.rows,
        "loaded": vars(one.loaded) if one.loaded else None,
        "disk_bytes": one.disk_bytes,
        "open_ms": dict(one.opened.times.rounds_ms),
        "open_peak_mb": dict(one.opened.peak_mb),
        "peak_mb": dict(one.peak_mb),
        "rounds_ms": {question: dict(times.rounds_ms) for question, times in one.times.items()},
    }


if __name__ == "__main__":
    main()
