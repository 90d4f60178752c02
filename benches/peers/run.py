"""Loads the same logs into every engine, asks all the same questions, and prints who is faster.

The method is in README.md; `run.sh` makes the environment and starts this.
"""

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
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import logs
import table
from compare import difference, normal
from engines import Engine, Loaded, Rows, by_name
from facts import facts_of
from measure import AskError, Times, Worker, rounds
from questions import Facts, Question, chosen

ROOT = Path(__file__).resolve().parent.parent.parent
SUBJECT = "footfall"
NOT_YET = "q17,q18,q25"
CORES = os.cpu_count() or 1


def main() -> None:
    """Do a whole run."""
    arguments = parser().parse_args()
    work = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "peers"
    work.mkdir(parents=True, exist_ok=True)
    names = arguments.engines.split(",")
    engines = [by_name(name, arguments.bin) for name in names]
    if not arguments.no_build and (SUBJECT in names or arguments.exports is None):
        build(asked=SUBJECT in names and not arguments.load_only)
    exports = exports_of(arguments, work)
    label = exports.name.removeprefix("logs-")
    stores = work / f"stores-{label}"
    started = {"started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "load_average": os.getloadavg()}
    print(f"logs: {logs.warm(exports) / 1e6:.0f} MB of CSV", flush=True)
    loads = load_all(engines, exports, stores, arguments)
    facts = facts_from(engines, stores)
    results = load_results(engines, loads, stores, facts)
    tables = [f"{facts.rows:,} rows, {CORES} cores"]
    tables += [table.load_table(results, CORES)] if results else []
    print("\n" + "\n\n".join(tables) + "\n", flush=True)
    asked = [] if arguments.load_only else ask_all(engines, stores, facts, arguments)
    if asked:
        tables.append(table.ask_table(asked, engines, SUBJECT))
        print("\n" + tables[-1] + "\n")
    write(work / f"result-{label}", tables, numbers(results, asked, facts) | started)
    if any(result.problem for result in asked):
        raise SystemExit(1)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = options.add_argument
    add("--rows", type=logs.count, default=logs.count("2M"), help="rows to generate, as 20M or 200k (2M)")
    add("--days", type=int, default=365)
    add("--repos", type=int, default=2000)
    add("--headers", choices=["v1", "v2"], default="v1", help="v2 has user agents")
    add("--seed", type=int, default=1)
    add("--exports", type=Path, help="load these CSV files instead of generated ones")
    add("--engines", default="duckdb,clickhouse,footfall")
    add("--rounds", type=int, default=7, help="interleaved rounds per question (7)")
    add("--loads", type=int, default=1, help="loads per engine, in turn; the median counts (1)")
    add("--only", default="", help="questions to ask, as q02,q10")
    add("--skip", default="", help="questions to leave out for every engine")
    add("--footfall-skip", default=NOT_YET, help=f"questions that Footfall is not asked yet ({NOT_YET})")
    add("--load-only", action="store_true", help="ask nothing")
    add("--reuse", action="store_true", help="ask the stores of the last run, load only what is not there")
    add("--no-build", action="store_true", help="take the binaries as they are")
    add("--bin", type=Path, default=binaries(), help="directory of the release binaries")
    return options


def binaries() -> Path:
    """Return where cargo puts release binaries."""
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"


def build(*, asked: bool) -> None:
    """Build the release binaries."""
    subprocess.run(["cargo", "build", "--release", "-p", "footfall"], cwd=ROOT, check=True)
    if asked:
        subprocess.run(["cargo", "build", "--release", "-p", "footfall-benches", "--bin", "ask"], cwd=ROOT, check=True)


def exports_of(arguments: argparse.Namespace, work: Path) -> Path:
    """Return the directory of CSV files, generated if none is given."""
    size = logs.Size(arguments.rows, arguments.days, arguments.repos, arguments.headers, arguments.seed)
    given: Path | None = arguments.exports
    return given.resolve() if given else logs.generated(arguments.bin / SUBJECT, size, work)


def load_all(
    engines: Sequence[Engine], exports: Path, stores: Path, arguments: argparse.Namespace
) -> dict[str, list[Loaded]]:
    """Load into each engine in turn, as often as asked."""
    loads: dict[str, list[Loaded]] = {}
    wanted = [e for e in engines if not (arguments.reuse and (stores / e.name).is_dir())]
    for index in range(arguments.loads):
        first = index % max(len(wanted), 1)
        for engine in wanted[first:] + wanted[:first]:
            loads.setdefault(engine.name, []).append(load_once(engine, exports, stores / engine.name))
    return loads


def load_once(engine: Engine, exports: Path, store: Path) -> Loaded:
    """Load into a new store that replaces an old one."""
    shutil.rmtree(store, ignore_errors=True)
    # Nobody writes back what another one left to be written.
    os.sync()
    loaded = engine.load(exports, store)
    print(f"loaded: {engine.title} {loaded.elapsed_s:.2f} s", flush=True)
    return loaded


def load_results(
    engines: Sequence[Engine], loads: dict[str, list[Loaded]], stores: Path, facts: Facts
) -> list[table.LoadResult]:
    """Return the outcome of every engine that was loaded in this run."""
    loaded = [engine for engine in engines if engine.name in loads]
    return [table.LoadResult(e, facts.rows, loads[e.name], e.disk_bytes(stores / e.name)) for e in loaded]


def facts_from(engines: Sequence[Engine], stores: Path) -> Facts:
    """Take the facts from the first peer."""
    for engine in engines:
        if engine.name != SUBJECT:
            with Worker(engine, stores / engine.name) as worker:
                return facts_of(worker)
    raise SystemExit("at least one peer is needed: the questions' values come from its data")


def ask_all(
    engines: Sequence[Engine], stores: Path, facts: Facts, arguments: argparse.Namespace
) -> list[table.AskResult]:
    """Check and time every question."""
    not_yet = {q.name for q in chosen("", "")} - {q.name for q in chosen("", arguments.footfall_skip)}
    with ExitStack() as stack:
        workers = {e.name: stack.enter_context(Worker(e, stores / e.name)) for e in engines}
        results = []
        for question in chosen(arguments.only, arguments.skip):
            asked = [e for e in engines if e.name != SUBJECT or question.name not in not_yet]
            results.append(ask_one(question, asked, workers, facts, arguments.rounds))
            print(progress(results[-1]), flush=True)
        return results


def ask_one(
    question: Question,
    engines: Sequence[Engine],
    workers: dict[str, Worker],
    facts: Facts,
    count: int,
) -> table.AskResult:
    """Compare the engines' answers, and time them only if they are equal."""
    texts = {engine.name: engine.text(question, facts) for engine in engines}
    try:
        answers = {e: rows_of(e, workers[e.name], question, facts) for e in engines}
    except AskError as error:
        return table.AskResult(question.name, None, str(error))
    problem = disagreement(answers, question)
    times: Times | None = None if problem else rounds(workers, texts, count)
    return table.AskResult(question.name, times, problem)


def rows_of(engine: Engine, worker: Worker, question: Question, facts: Facts) -> Rows:
    """Return one engine's normal answer; an error says whose it is."""
    try:
        reply = worker.ask(engine.text(question, facts))
    except AskError as error:
        raise AskError(f"{engine.title}: {error}") from error
    return normal(engine.rows(reply["answer"], question, facts), question)


def disagreement(answers: dict[Engine, Rows], question: Question) -> str:
    """Return how the engines' answers differ from the first one's, empty if they do not."""
    (first, reference), *others = answers.items()
    for engine, rows in others:
        if found := difference(rows, reference, question):
            return f"{engine.title} differs from {first.title}: {found}"
    return ""


def progress(result: table.AskResult) -> str:
    """Return a line about a question that was asked."""
    if result.times is None:
        return f"{result.name}: {result.problem}"
    return f"{result.name}: " + ", ".join(f"{e} {result.times.least(e):.2f} ms" for e in result.times.rounds_ms)


def write(path: Path, tables: Sequence[str], measured: dict[str, Any]) -> None:
    """Write the tables as Markdown, and every number as JSON."""
    path.with_name(path.name + ".md").write_text("\n\n".join(tables) + "\n", encoding="utf-8")
    path.with_name(path.name + ".json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    print(f"written: {path}.md and .json")


def numbers(loads: Sequence[table.LoadResult], asked: Sequence[table.AskResult], facts: Facts) -> dict[str, Any]:
    """Return everything that was measured, and on what."""
    return {
        "machine": {"cores": CORES, "system": platform.platform()},
        "peers": {name: importlib.metadata.version(name) for name in ("duckdb", "chdb", "chdb-core")},
        "rows": facts.rows,
        "first_day": str(facts.first_day),
        "newest_complete_day": str(facts.newest_complete_day),
        "loads": {
            r.engine.name: {"loads": list(map(dataclasses.asdict, r.loads)), "disk_bytes": r.disk_bytes} for r in loads
        },
        "questions": {
            r.name: {"rounds_ms": dict(r.times.rounds_ms) if r.times else None, "problem": r.problem} for r in asked
        },
    }


if __name__ == "__main__":
    main()
