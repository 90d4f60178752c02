"""Log files to what it costs to take them in: whole histories in each container, one more day, late rows.

    run.sh ingest --rows 20M --loads 3

Whole histories go into new stores, engine after engine. Then, into a store of all days but the last one
and without some rows of a day long ago: the last day, and the rows that come late. For those,
only engines that can add to a store are asked; merging (ClickHouse) is not counted.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bench
import logs
from bench import CORES, Bench
from engines import Loaded
from engines.peer import export_files
from table import markdown

LATE_DAYS = 200
"""How far back late rows go."""

LATE_SHARE = 10
"""One row in so many of that day comes late."""

CAN_ADD = ("duckdb", "clickhouse", "footfall")


@dataclass(frozen=True)
class Step:
    """One thing that was taken in, by one engine, as often as asked."""

    what: str
    engine: str
    rows: int
    loads: Sequence[Loaded]

    def row(self) -> list[str]:
        """Return its line of the table."""
        elapsed = statistics.median(load.elapsed_s for load in self.loads)
        cpu = statistics.median(load.cpu_s for load in self.loads)
        return [
            self.what,
            self.engine,
            f"{self.rows:,}",
            f"{elapsed:.2f}",
            f"{self.rows / elapsed / 1e6:.2f}",
            f"{cpu:.2f}",
            f"{cpu / self.rows * 1e9:.0f}",
            f"{self.rows / (cpu / CORES) / 1e6:.2f}",
        ]


HEAD = ["what", "engine", "rows", "s", "M rows/s", "CPU s", "CPU ns/row", f"M rows per s of {CORES} cores"]


def main() -> None:
    """Measure and print."""
    parser = bench.options(__doc__ or "", "duckdb,duckdb-ids,datafusion,clickhouse,clickhouse-rollup,footfall")
    parser.add_argument("--containers", default="plain,gz,zst", help="of plain, gz, zst")
    parser.add_argument("--loads", type=int, default=1, help="loads of each, in turn; the median counts (1)")
    parser.add_argument("--whole-only", action="store_true", help="neither a further day nor late rows")
    arguments = parser.parse_args()
    steps: list[Step] = []
    for container in arguments.containers.split(","):
        arguments.container = container
        at = bench.prepared(arguments)
        arguments.no_build = True
        steps += whole(at, container, arguments)
    arguments.container = "plain"
    at = bench.prepared(arguments)
    if not arguments.whole_only:
        steps += additions(at, arguments)
    tables = [markdown(HEAD, [step.row() for step in steps])]
    tables += [stage_table(step) for step in steps if step.loads[0].stages_cpu_s]
    print("\n" + "\n\n".join(tables))
    at.write("ingest", tables, as_json(steps))


def whole(at: Bench, container: str, arguments: argparse.Namespace) -> list[Step]:
    """Load all days into new stores."""
    exports = next(iter(at.slices()))
    logs.warm(exports)
    loads = at.loads(arguments.loads)
    titles = {engine.store: engine.store_title or engine.title for engine in at.engines}
    return [Step(f"all days, {container}", titles[name], at.size.rows, each) for name, each in loads.items()]


def additions(at: Bench, arguments: argparse.Namespace) -> list[Step]:
    """Load all but the last day and the late rows; then these, each measured."""
    scratch = arguments.work / f"additions-{at.label}"
    before, day, late = (scratch / name for name in ("before", "day", "late"))
    parted(next(iter(at.slices())), before, day, late)
    counts = {"one more day": rows_in(day), f"late rows, {LATE_DAYS} days back": rows_in(late)}
    loads: dict[tuple[str, str], list[Loaded]] = {}
    engines = [engine for engine in at.engines if engine.name in CAN_ADD]
    for _ in range(arguments.loads):
        for engine in engines:
            store = scratch / "stores" / engine.name
            shutil.rmtree(store, ignore_errors=True)
            engine.load(before, store)
            for what, exports in zip(counts, (day, late), strict=True):
                os.sync()
                loaded = engine.load(exports, store, more=True)
                loads.setdefault((what, engine.title), []).append(loaded)
                print(f"{what}: {engine.title} {loaded.elapsed_s:.2f} s", flush=True)
            shutil.rmtree(store)
    shutil.rmtree(scratch)
    return [Step(what, engine, counts[what], each) for (what, engine), each in sorted(loads.items())]


def stage_table(step: Step) -> str:
    """Return CPU time by stage, of the fastest load; what no stage says is start, month files and waiting."""
    load = min(step.loads, key=lambda load: load.cpu_s)
    stages = dict(load.stages_cpu_s)
    stages["month files and the rest"] = load.cpu_s - sum(stages.values())
    lines = [
        [stage, f"{seconds / step.rows * 1e9:.0f}", f"{seconds / load.cpu_s * 100:.0f} %"]
        for stage, seconds in stages.items()
    ]
    lines.append(["all", f"{load.cpu_s / step.rows * 1e9:.0f}", "100 %"])
    return f"{step.what}: {step.engine} by stage\n\n" + markdown(["stage", "CPU ns/row", "share"], lines)


def parted(exports: Path, before: Path, day: Path, late: Path) -> None:
    """Give the files to three directories, the rows of one day to two of them."""
    for directory in (before, day, late):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
    *files, last = export_files(exports)
    os.link(last, day / last.name)
    split = files[-min(LATE_DAYS, len(files))]
    for file in files:
        if file != split:
            os.link(file, before / file.name)
    header, *lines = split.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for number, line in enumerate(lines) if number % LATE_SHARE]
    (before / split.name).write_text(header + "".join(kept), encoding="utf-8")
    (late / f"late-{split.name}").write_text(header + "".join(lines[::LATE_SHARE]), encoding="utf-8")
    for directory in (before, late):
        logs.age(directory)


def rows_in(directory: Path) -> int:
    """Return the rows of plain CSV files."""
    return sum(file.read_bytes().count(b"\n") - 1 for file in directory.iterdir())


def as_json(steps: Sequence[Step]) -> dict[str, Any]:
    """Return everything that was measured."""
    return {
        "steps": [
            {"what": step.what, "engine": step.engine, "rows": step.rows, "loads": list(map(vars, step.loads))}
            for step in steps
        ]
    }


if __name__ == "__main__":
    main()
