"""Loads the same logs into every engine, asks all the same questions, and prints who is faster.

The method is in README.md; `run.sh` makes the environment and starts this.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import bench
import logs
import table
from bench import CORES, SUBJECT, Bench
from cold import Cold, cold
from compare import difference, normal
from engines import Engine, Loaded, Rows
from measure import AskError, Worker, rounds
from questions import Facts, Question, chosen

WARMING_MS = 300.0
"""Longer first askings are not asked again before it is decided who takes part in the rounds."""


def main() -> None:
    """Do a whole run."""
    arguments = parser().parse_args()
    at = bench.prepared(arguments)
    if not arguments.reuse and arguments.slices == 1:
        print(f"logs: {logs.warm(next(iter(at.slices()))) / 1e6:.0f} MB of CSV", flush=True)
    loads = at.loads(arguments.loads)
    facts = at.facts()
    results = load_results(at, loads, facts)
    tables = [f"{facts.rows:,} rows, {CORES} cores"]
    tables += [table.load_table(results, CORES)] if results else []
    print("\n" + "\n\n".join(tables) + "\n", flush=True)
    asked = [] if arguments.load_only else ask_all(at, facts)
    titles = {engine.name: engine.title for engine in at.engines}
    tables += table.ask_tables(asked, titles, SUBJECT)
    print("\n" + "\n\n".join(tables) + "\n")
    at.write("result", tables, numbers(results, asked) | {"titles": titles} | bench.about_run(facts))
    if any(result.problem for result in asked):
        raise SystemExit(1)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    options = bench.options(__doc__ or "")
    add = options.add_argument
    add("--rounds", type=int, default=7, help="interleaved rounds per question (7)")
    add("--cold", type=int, default=3, help="fresh processes per question and engine, 0 for none (3)")
    add("--loads", type=int, default=1, help="loads per engine, in turn; the median counts (1)")
    add("--only", default="", help="questions to ask, as q02,q10")
    add("--skip", default="", help="questions to leave out for every engine")
    add(
        "--prune",
        type=float,
        default=0.0,
        help="leave out of a question whoever takes so many times the fastest peer's",
    )
    add("--load-only", action="store_true", help="ask nothing")
    return options


def load_results(at: Bench, loads: dict[str, list[Loaded]], facts: Facts) -> list[table.LoadResult]:
    """Return the outcome of every store that was loaded in this run."""
    by_store = {engine.store: engine for engine in reversed(at.engines) if engine.store in loads}
    return [
        table.LoadResult(e.store, e.store_title or e.title, facts.rows, loads[e.store], e.disk_bytes(at.store(e)))
        for e in at.engines
        if by_store.get(e.store) is e
    ]


def ask_all(at: Bench, facts: Facts) -> list[table.AskResult]:
    """Check and time every question; then, with all stores closed, the cold ones."""
    arguments = at.arguments
    questions = chosen(arguments.only, arguments.skip)
    results = []
    with ExitStack() as stack:
        workers = at.workers(stack)
        for question in questions:
            asked = [e for e in at.engines if at.is_asked(e, question.name) and e.text(question, facts)]
            results.append(ask_one(question, asked, workers, facts, arguments))
            print(progress(results[-1]), flush=True)
    if not arguments.cold:
        return results
    return [
        dataclasses.replace(result, cold=ask_cold(at, question, result, facts))
        for question, result in zip(questions, results, strict=True)
    ]


def ask_one(
    question: Question,
    engines: Sequence[Engine],
    workers: dict[str, Worker],
    facts: Facts,
    arguments: argparse.Namespace,
) -> table.AskResult:
    """Compare the engines' answers, and time those that agree with the first one."""
    answers: dict[Engine, Rows] = {}
    problems = []
    first_ms: dict[str, float] = {}
    for engine in engines:
        try:
            reply = workers[engine.name].ask(engine.text(question, facts))
        except AskError as error:
            problems.append(f"{engine.title}: {' '.join(str(error).split())[:200]}")
            continue
        rows = normal(engine.rows(reply["answer"], question, facts), question)
        reference = next(iter(answers.values()), rows)
        if found := difference(rows, reference, question):
            problems.append(f"{engine.title} differs from {next(iter(answers)).title}: {found}")
            continue
        answers[engine] = rows
        first_ms[engine.name] = warmer(workers[engine.name], engine.text(question, facts), reply)
    kept = pruned(first_ms, arguments.prune)
    texts = {engine.name: engine.text(question, facts) for engine in answers if engine.name in kept}
    times = rounds(workers, texts, arguments.rounds) if texts else None
    return table.AskResult(question.name, times, "; ".join(problems), first_ms=first_ms)


def warmer(worker: Worker, text: str, reply: dict[str, Any]) -> float:
    """Return the milliseconds of a first asking, or of a second one: what is short is mostly warming up."""
    first_ms: float = reply["elapsed_ns"] / 1e6
    return first_ms if first_ms > WARMING_MS else min(first_ms, worker.ask(text)["elapsed_ns"] / 1e6)


def pruned(first_ms: dict[str, float], factor: float) -> set[str]:
    """Return the engines that are not `factor` times slower than the fastest peer, at first sight."""
    peers = [elapsed for name, elapsed in first_ms.items() if name != SUBJECT]
    if not factor or not peers:
        return set(first_ms)
    return {name for name, elapsed in first_ms.items() if name == SUBJECT or elapsed <= factor * min(peers)}


def ask_cold(at: Bench, question: Question, result: table.AskResult, facts: Facts) -> Cold | None:
    """Ask those that were asked warm."""
    if result.times is None:
        return None
    asked = {e.name: (e, at.store(e)) for e in at.engines if e.name in result.times.rounds_ms}
    texts = {name: engine.text(question, facts) for name, (engine, _) in asked.items()}
    measured = cold(asked, texts, at.arguments.cold)
    found = ", ".join(f"{name} {measured.times.least(name):.1f} ms {measured.peak_mb[name]:.0f} MB" for name in texts)
    print(f"{question.name} cold: {found}", flush=True)
    return measured


def progress(result: table.AskResult) -> str:
    """Return a line about a question that was asked."""
    times = result.times.rounds_ms if result.times else {}
    line = f"{result.name}: " + ", ".join(f"{e} {min(times[e]):.2f} ms" for e in times)
    return f"{line}; {result.problem}" if result.problem else line


def numbers(loads: Sequence[table.LoadResult], asked: Sequence[table.AskResult]) -> dict[str, Any]:
    """Return everything that was measured."""
    return {
        "loads": {
            r.name: {
                "title": r.title,
                "loads": list(map(dataclasses.asdict, r.loads)),
                "disk_bytes": r.disk_bytes,
            }
            for r in loads
        },
        "questions": {r.name: table.as_json(r) for r in asked},
    }


if __name__ == "__main__":
    main()
