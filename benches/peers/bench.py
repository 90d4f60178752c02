"""What all commands share: arguments, binaries, logs, loaded stores, workers."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import logs
from engines import ENGINES, Engine, Loaded, by_name
from facts import facts_of, facts_of_footfall
from measure import Worker
from questions import Facts, chosen

ROOT = Path(__file__).resolve().parent.parent.parent
SUBJECT = "footfall"
CORES = os.cpu_count() or 1
PACKAGES = ("duckdb", "datafusion", "polars", "chdb", "chdb-core")


def options(about: str, engines: str = ",".join(ENGINES)) -> argparse.ArgumentParser:
    """Return a parser of what every command understands."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--rows", type=logs.count, default=logs.count("2M"), help="rows to generate, as 20M or 200k (2M)")
    add("--days", type=int, default=365)
    add("--repos", type=int, default=2000)
    add("--headers", choices=["v1", "v2"], default="v1", help="v2 has user agents")
    add("--seed", type=int, default=1)
    add("--burst", choices=["bursty", "none"], default="bursty", help="none: one request a visit")
    add("--downloaders", type=logs.count, help="about so many, as 20M")
    add("--container", choices=["plain", "gz", "zst"], default="plain", help="what the files are wrapped in (plain)")
    add("--slices", type=int, default=1, help="generate and load in so many parts, each deleted when loaded (1)")
    add("--exports", type=Path, help="load these CSV files instead of generated ones")
    add("--engines", default=engines, help=f"of {', '.join(ENGINES)}")
    add("--reuse", action="store_true", help="ask the stores of the last run, load only what is not there")
    add("--footfall-skip", default="", help="questions that Footfall is not asked, as q17")
    add("--no-build", action="store_true", help="take the binaries as they are")
    add("--bin", type=Path, default=binaries(), help="directory of the release binaries")
    add("--work", type=Path, default=binaries().parent / "peers", help="where logs, stores and results are kept")
    return parser


def binaries() -> Path:
    """Return where cargo puts release binaries."""
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "release"


def build() -> None:
    """Build the release binaries."""
    for what in (["-p", "footfall"], ["-p", "footfall-benches", "--bin", "ask"]):
        subprocess.run(["cargo", "build", "--release", *what], cwd=ROOT, check=True)


OLD = "old"
"""Where stores go that others replace, in the folder of stores, until all are loaded."""


@dataclasses.dataclass
class Bench:
    """One size of logs in all engines."""

    arguments: argparse.Namespace
    engines: list[Engine]
    size: logs.Size
    stores: Path
    label: str

    def loads(self, times: int = 1) -> dict[str, list[Loaded]]:
        """Load into each store in turn, `times` times; return the costs by the store's name."""
        loads: dict[str, list[Loaded]] = {}
        reuse = self.arguments.reuse
        wanted = {e.store: e for e in self.engines if not (reuse and (self.stores / e.store).is_dir())}
        turns = list(wanted.values())
        for index in range(times):
            first = index % max(len(turns), 1)
            for name, loaded in self.load_once(turns[first:] + turns[:first]).items():
                loads.setdefault(name, []).append(loaded)
        shutil.rmtree(self.stores / OLD, ignore_errors=True)
        if wanted:
            (self.stores / "facts.json").unlink(missing_ok=True)
        return loads

    def load_once(self, engines: Sequence[Engine]) -> dict[str, Loaded]:
        """Load all slices into new stores that replace old ones."""
        total: dict[str, Loaded] = {}
        for engine in engines:
            self.put_aside(engine)
        slices = self.slices() if engines else []
        for number, exports in enumerate(slices, 1):
            for engine in engines:
                # Nobody writes back what another one left to be written.
                os.sync()
                loaded = engine.load(exports, self.stores / engine.store, more=number < self.arguments.slices)
                so_far = total.get(engine.store)
                total[engine.store] = so_far.plus(loaded) if so_far else loaded
                print(f"loaded: {engine.store_title or engine.title} {loaded.elapsed_s:.2f} s", flush=True)
        return total

    def put_aside(self, engine: Engine) -> None:
        """Move an old store away: the file system looks at each file deleted a moment ago when it makes new ones."""
        store, old = self.store(engine), self.stores / OLD
        if store.is_dir():
            old.mkdir(exist_ok=True)
            store.rename(old / f"{engine.store}-{len(list(old.iterdir()))}")

    def slices(self) -> Iterable[Path]:
        """Give directories of exports, one after the other."""
        arguments = self.arguments
        if arguments.exports:
            yield arguments.exports.resolve()
        elif arguments.slices == 1:
            yield logs.generated(arguments.bin / SUBJECT, self.size, arguments.work)
        else:
            yield from logs.sliced(arguments.bin / SUBJECT, self.size, arguments.work, arguments.slices)

    def store(self, engine: Engine) -> Path:
        """Return the directory of an engine's store."""
        return self.stores / engine.store

    def facts(self) -> Facts:
        """Take the facts from the first peer, else from Footfall, once for all runs over these stores."""
        kept = self.stores / "facts.json"
        if kept.exists():
            return read_facts(kept)
        engine = next((engine for engine in self.engines if engine.name != SUBJECT), self.engines[0])
        with Worker(engine, self.store(engine)) as worker:
            facts = facts_of_footfall(worker) if engine.name == SUBJECT else facts_of(worker)
        kept.write_text(json.dumps(dataclasses.asdict(facts), default=plain_json), encoding="utf-8")
        return facts

    def workers(self, stack: ExitStack) -> dict[str, Worker]:
        """Start a worker of every engine."""
        return {e.name: stack.enter_context(Worker(e, self.store(e))) for e in self.engines}

    def is_asked(self, engine: Engine, name: str) -> bool:
        """Return whether Footfall can be asked this question; peers always can."""
        skipped = {q.name for q in chosen("", "")} - {q.name for q in chosen("", self.arguments.footfall_skip)}
        return engine.name != SUBJECT or name not in skipped

    def write(self, name: str, tables: Sequence[str], measured: dict[str, Any]) -> None:
        """Write the tables as Markdown, and every number as JSON."""
        path = self.arguments.work / f"{name}-{self.label}"
        Path(f"{path}.md").write_text("\n\n".join(tables) + "\n", encoding="utf-8")
        Path(f"{path}.json").write_text(json.dumps(measured, indent=1, default=plain_json) + "\n", encoding="utf-8")
        print(f"written: {path}.md and .json")


def prepared(arguments: argparse.Namespace) -> Bench:
    """Build and say where everything is."""
    names = arguments.engines.split(",")
    engines = [by_name(name, arguments.bin) for name in names]
    if not arguments.no_build:
        build()
    arguments.work.mkdir(parents=True, exist_ok=True)
    size = logs.Size(
        arguments.rows,
        arguments.days,
        arguments.repos,
        arguments.headers,
        arguments.seed,
        arguments.burst,
        arguments.downloaders,
        arguments.container,
    )
    label = arguments.exports.resolve().name.removeprefix("logs-") if arguments.exports else size.key
    return Bench(arguments, engines, size, arguments.work / f"stores-{label}", label)


def read_facts(file: Path) -> Facts:
    """Read what `Bench.facts` kept."""
    kept = json.loads(file.read_text(encoding="utf-8"))
    return Facts(
        rows=kept["rows"],
        first_day=date.fromisoformat(kept["first_day"]),
        newest_complete_day=date.fromisoformat(kept["newest_complete_day"]),
        repos=tuple(kept["repos"]),
        shared_names=frozenset(kept["shared_names"]),
        countries=tuple(kept["countries"]),
    )


def plain_json(value: Any) -> Any:
    """Return sets as lists, everything else that JSON does not know as text."""
    return sorted(value) if isinstance(value, frozenset) else str(value)


def about_run(facts: Facts) -> dict[str, Any]:
    """Return on what, with what and when it was measured."""
    return {
        "machine": {"cores": CORES, "system": platform.platform()},
        "peers": {name: importlib.metadata.version(name) for name in PACKAGES},
        "rows": facts.rows,
        "first_day": str(facts.first_day),
        "newest_complete_day": str(facts.newest_complete_day),
        "ended": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "load_average": os.getloadavg(),
    }
