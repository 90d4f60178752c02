"""Runs one peer in a process of its own: loads a store, or answers query texts line by line.

    peer_worker.py NAME load STORE EXPORTS [--more]    adds files, prints what it cost, as JSON
    peer_worker.py NAME ask STORE                      answers standard input
    peer_worker.py NAME cold STORE                     the same, but opens the store for each line

`ask` reads one query text per line and prints one JSON line for it, as Footfall's `ask --repl`
does: `{"elapsed_ns": N, "answer": {"rows": [...]}}` or `{"error": "..."}`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from engines import Rows, by_name
from engines.peer import Ask, Peer


def main() -> None:
    """Do what the arguments say."""
    arguments = parser().parse_args()
    engine = by_name(arguments.name, Path())
    if not isinstance(engine, Peer):
        raise SystemExit(f"{arguments.name} is no peer")
    if arguments.what == "load":
        loaded = engine.load_here(arguments.exports, arguments.store)
        if not arguments.more:
            loaded = loaded.plus(engine.finish_here(arguments.store))
        print(json.dumps(dataclasses.asdict(loaded)))
        return
    cold = arguments.what == "cold"
    if cold:
        print(json.dumps({"ready": True}), flush=True)
    answer_lines(from_cold(engine, arguments.store) if cold else engine.open_here(arguments.store))


def parser() -> argparse.ArgumentParser:
    """Return the parser of the arguments above."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("name")
    options.add_argument("what", choices=["load", "ask", "cold"])
    options.add_argument("store", type=Path)
    options.add_argument("exports", type=Path, nargs="?")
    options.add_argument("--more", action="store_true", help="the store is not to be finished yet")
    return options


def from_cold(engine: Peer, store: Path) -> Ask:
    """Return an `Ask` that opens the store first; the engine's module is imported already."""

    def ask(text: str) -> tuple[int, Callable[[], Rows]]:
        started = time.perf_counter_ns()
        _, rows = engine.open_here(store)(text)
        return time.perf_counter_ns() - started, rows

    return ask


def answer_lines(ask: Ask) -> None:
    """Answer standard input until it ends."""
    for line in sys.stdin:
        print(json.dumps(answered(ask, line.strip())), flush=True)


def answered(ask: Ask, text: str) -> dict[str, object]:
    """Return the reply to one query text."""
    try:
        elapsed_ns, rows = ask(text)
    except Exception as error:  # noqa: BLE001 - each engine has its own; the driver reports it
        return {"error": str(error)}
    return {"elapsed_ns": elapsed_ns, "answer": {"rows": rows()}}


if __name__ == "__main__":
    main()
