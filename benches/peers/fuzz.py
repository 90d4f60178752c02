"""Random queries to Footfall and to the peers that can answer anything: equal answers, and how much faster.

    run.sh fuzz --rows 20M --reuse --count 1000 --seed 1

Each query is asked of every engine once and the answers are compared; then of Footfall and of the
peers that are not far behind the fastest, in turn, in a few rounds. Printed are the median and the
worst ratio, their spread, and the slow tail with its texts. Pieces (`--first 100 --count 50`) are joined by `--join`.
"""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bench
from bench import SUBJECT, Bench
from compare import difference, normal
from engines import Rows
from engines.peer import one_line
from measure import AskError, Times, Worker, rounds
from query_sql import WORDS, labelled, question_of, sql_of
from questions import Facts
from random_query import Asked, random_query
from run import pruned, warmer
from table import ASKED_MS, ASKED_RATIO, markdown

ASKED_WORST = 2.0

TAIL = 30
"""Queries listed."""


@dataclass(frozen=True)
class Outcome:
    """One random query: times, or what went wrong."""

    number: int
    text: str
    times: Times | None
    problem: str

    @property
    def ratio(self) -> float:
        """How many times faster Footfall is than the fastest peer."""
        assert self.times is not None
        peers = [name for name in self.times.rounds_ms if name != SUBJECT]
        return self.times.ratio(self.times.fastest(peers, SUBJECT), SUBJECT)

    @property
    def subject_ms(self) -> float:
        """Footfall's fastest round."""
        assert self.times is not None
        return self.times.least(SUBJECT)


def main() -> None:
    """Ask, and say how it went."""
    parser = bench.options(__doc__ or "", ",".join([*WORDS, SUBJECT]))
    parser.add_argument("--count", type=int, default=1000, help="queries (1000)")
    parser.add_argument("--first", type=int, default=0, help="number of the first one: pieces of a run join (0)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds per query (3)")
    parser.add_argument("--query-seed", type=int, default=1)
    parser.add_argument("--join", type=Path, nargs="+", help="print one summary of these result files, ask nothing")
    arguments = parser.parse_args()
    if arguments.join:
        print("\n\n".join(joined(arguments.join)))
        return
    at = bench.prepared(arguments)
    at.loads()
    facts = at.facts()
    numbers = range(arguments.first, arguments.first + arguments.count)
    with ExitStack() as stack:
        workers = at.workers(stack)
        outcomes = [ask(at, workers, facts, number, queries(arguments.query_seed, number, facts)) for number in numbers]
    tables = summary(outcomes, facts.rows)
    print("\n\n".join(tables))
    at.write(f"fuzz-{arguments.query_seed}-{arguments.first}", tables, as_json(outcomes) | bench.about_run(facts))
    if any(outcome.problem for outcome in outcomes):
        raise SystemExit(1)


def queries(seed: int, number: int, facts: Facts) -> Asked:
    """Return the query of a number."""
    return random_query(random.Random(f"{seed}/{number}"), facts)


def ask(at: Bench, workers: dict[str, Worker], facts: Facts, number: int, asked: Asked) -> Outcome:
    """Compare and time one query."""
    question = question_of(asked)
    texts = {e.name: asked.text() if e.name == SUBJECT else one_line(sql_of(asked, WORDS[e.name])) for e in at.engines}
    answers: dict[str, Rows] = {}
    first_ms: dict[str, float] = {}
    try:
        for name, text in texts.items():
            reply = workers[name].ask(text)
            rows = reply["answer"]["rows"]
            answers[name] = normal(rows if name == SUBJECT else labelled(rows, asked, facts), question)
            first_ms[name] = warmer(workers[name], text, reply)
    except AskError as error:
        return failed(number, asked, f"{name}: {error}")
    (first, reference), *others = answers.items()
    for name, rows in others:
        if found := difference(rows, reference, question):
            return failed(number, asked, f"{name} differs from {first}: {found}")
    kept = pruned(first_ms, 3.0)
    times = rounds(workers, {name: text for name, text in texts.items() if name in kept}, at.arguments.rounds)
    return Outcome(number, asked.text(), times, "")


def failed(number: int, asked: Asked, problem: str) -> Outcome:
    """Say it at once."""
    print(f"{number}: {asked.text()}\n   {problem}", flush=True)
    return Outcome(number, asked.text(), None, problem)


def joined(files: Sequence[Path]) -> list[str]:
    """Return the tables of several pieces of a run."""
    pieces = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    outcomes = {
        each["number"]: Outcome(
            each["number"], each["text"], Times(each["rounds_ms"]) if each["rounds_ms"] else None, each["problem"]
        )
        for piece in pieces
        for each in piece["queries"]
    }
    return summary(list(outcomes.values()), pieces[0]["rows"])


def summary(outcomes: Sequence[Outcome], rows: int) -> list[str]:
    """Return the tables."""
    timed = sorted((o for o in outcomes if o.times), key=lambda o: o.ratio)
    wrong = [outcome for outcome in outcomes if outcome.problem]
    if not timed:
        return [f"{len(wrong)} queries, none answered alike"]
    ratios = [o.ratio for o in timed]
    slow = [o for o in timed if o.subject_ms > ASKED_MS]
    facts_of = [
        ["queries", f"{len(outcomes)}"],
        ["answers that differ, errors", f"{len(wrong)}"],
        ["median ratio to the fastest peer", f"{statistics.median(ratios):.1f}"],
        ["quartiles", f"{ratios[len(ratios) // 4]:.1f}–{ratios[3 * len(ratios) // 4]:.1f}"],
        ["worst", f"{ratios[0]:.2f}"],
        [f"worst of those above {ASKED_MS} ms", f"{min((o.ratio for o in slow), default=0):.2f}"],
        [f"share at {ASKED_RATIO:.0f}× or more", f"{share(ratios, ASKED_RATIO)}"],
        [f"share at {ASKED_WORST:.0f}× or more", f"{share(ratios, ASKED_WORST)}"],
    ]
    tail = [tail_row(o) for o in timed[:TAIL]]
    problems = [[str(o.number), f"`{o.text}`", o.problem.replace("|", "/")[:200]] for o in wrong[:TAIL]]
    return [
        f"Random queries over {rows:,} rows\n\n" + markdown(["", ""], facts_of),
        "The slow tail\n\n" + markdown(["×", "Footfall ms", "peer ms", "peer", "number", "query"], tail),
        *(["What went wrong\n\n" + markdown(["number", "query", "problem"], problems)] if problems else []),
    ]


def share(ratios: Sequence[float], least: float) -> str:
    """Return the share of ratios that reach `least`."""
    return f"{100 * sum(ratio >= least for ratio in ratios) / len(ratios):.1f} %"


def tail_row(outcome: Outcome) -> list[str]:
    """Return a line of the slow tail."""
    times = outcome.times
    assert times is not None
    peer = times.fastest([name for name in times.rounds_ms if name != SUBJECT], SUBJECT)
    milliseconds = [f"{outcome.subject_ms:.2f}", f"{times.least(peer):.2f}"]
    return [f"{outcome.ratio:.2f}", *milliseconds, peer, str(outcome.number), f"`{outcome.text}`"]


def as_json(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return everything that was measured."""
    return {
        "queries": [
            {
                "number": o.number,
                "text": o.text,
                "rounds_ms": dict(o.times.rounds_ms) if o.times else None,
                "problem": o.problem,
            }
            for o in outcomes
        ]
    }


if __name__ == "__main__":
    main()
