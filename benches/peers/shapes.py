"""Logs of other shapes to where Footfall stands beside the best peer: no cliff may be among them.

    run.sh shapes --rows 20M --shapes bursts-off,repos-50000,downloaders-all,repo-1

A line per shape: load and bytes as ratios to the best peer's, the median and the worst of the
questions' ratios; then a table with the ratio of every question in every shape.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bench
import table
from bench import SUBJECT
from run import ask_all, load_results
from table import AskResult, LoadResult, markdown

SHAPES: dict[str, dict[str, Any]] = {
    "usual": {},
    "bursts-off": {"burst": "none"},
    "repos-50000": {"repos": 50_000},
    "downloaders-all": {"burst": "none", "downloaders": "rows"},
    "repo-1": {"repos": 1},
}
"""What differs from the usual logs."""


@dataclass(frozen=True)
class Shape:
    """What a run over logs of one shape gave."""

    name: str
    loads: Sequence[LoadResult]
    asked: Sequence[AskResult]

    def ratios(self) -> dict[str, float]:
        """Return the ratio to the fastest peer of every question that both sides answered."""
        found = {}
        for result in self.asked:
            peers = [name for name in result.times.rounds_ms if name != SUBJECT] if result.times else []
            if result.times and peers and SUBJECT in result.times.rounds_ms:
                found[result.name] = result.times.ratio(result.times.fastest(peers, SUBJECT), SUBJECT)
        return found


def main() -> None:
    """Run each shape, then compare."""
    parser = bench.options(__doc__ or "")
    add = parser.add_argument
    add("--shapes", default=",".join(SHAPES), help=f"of {', '.join(SHAPES)}")
    add("--rounds", type=int, default=7)
    add("--only", default="", help="questions to ask, as q02,q10")
    add("--skip", default="", help="questions to leave out")
    add(
        "--prune",
        type=float,
        default=5.0,
        help="leave out of a question whoever takes so many times the fastest peer's (5)",
    )
    arguments = parser.parse_args()
    arguments.cold = 0
    shapes = [run(name, arguments) for name in arguments.shapes.split(",")]
    tables = [shape_table(shapes), "Times faster than the fastest peer\n\n" + ratio_table(shapes)]
    tables += [
        f"{shape.name}: loads\n\n{table.load_table(shape.loads, bench.CORES)}" for shape in shapes if shape.loads
    ]
    print("\n\n".join(tables))
    at = bench.prepared(argparse.Namespace(**{**vars(arguments), "no_build": True}))
    at.write("shapes", tables, {shape.name: as_json(shape) for shape in shapes})
    if any(result.problem for shape in shapes for result in shape.asked):
        raise SystemExit(1)


def run(name: str, arguments: argparse.Namespace) -> Shape:
    """Load and ask one shape."""
    wishes = {key: arguments.rows if value == "rows" else value for key, value in SHAPES[name].items()}
    at = bench.prepared(argparse.Namespace(**{**vars(arguments), **wishes}))
    arguments.no_build = True
    print(f"\n{name}", flush=True)
    loads = at.loads()
    facts = at.facts()
    return Shape(name, load_results(at, loads, facts), ask_all(at, facts))


def shape_table(shapes: Sequence[Shape]) -> str:
    """Return a line per shape."""
    head = ["shape", "load × best peer", "bytes ÷ smallest peer", "median × of questions", "worst ×", "question"]
    return markdown(head, [shape_row(shape) for shape in shapes])


def shape_row(shape: Shape) -> list[str]:
    """Return one shape's line."""
    ratios = shape.ratios()
    loads = {load.name: load for load in shape.loads}
    mine, peers = loads.get(SUBJECT), [load for load in shape.loads if load.name != SUBJECT]
    line = [shape.name, "–", "–"]
    if mine and peers:
        line[1] = f"{min(peer.elapsed_s for peer in peers) / mine.elapsed_s:.2f}"
        line[2] = f"{mine.disk_bytes / min(peer.disk_bytes for peer in peers):.2f}"
    if not ratios:
        return line
    worst = min(ratios, key=lambda question: ratios[question])
    return [*line, f"{statistics.median(ratios.values()):.1f}", f"{ratios[worst]:.1f}", worst]


def ratio_table(shapes: Sequence[Shape]) -> str:
    """Return the ratios, a line per question."""
    each: Mapping[str, dict[str, float]] = {shape.name: shape.ratios() for shape in shapes}
    questions = sorted({question for ratios in each.values() for question in ratios})
    lines = [[q, *(f"{ratios[q]:.1f}" if q in ratios else "–" for ratios in each.values())] for q in questions]
    return markdown(["#", *each], lines)


def as_json(shape: Shape) -> dict[str, Any]:
    """Return everything that was measured of one shape."""
    return {
        "loads": {
            load.name: {"loads": list(map(vars, load.loads)), "disk_bytes": load.disk_bytes} for load in shape.loads
        },
        "questions": {result.name: table.as_json(result) for result in shape.asked},
    }


if __name__ == "__main__":
    main()
