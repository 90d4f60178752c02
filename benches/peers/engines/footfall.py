"""Footfall: the release binary ingests, `ask` (of `footfall-benches`) answers in its own process."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines import Engine, Loaded, Rows

if TYPE_CHECKING:
    from questions import Facts, Question


class Footfall(Engine):
    """The release build of this repository."""

    name = "footfall"
    title = "Footfall"

    def __init__(self, binaries: Path) -> None:
        """Take the programs from the directory `binaries`."""
        self.binaries = binaries

    def load(self, exports: Path, store: Path, *, more: bool = False) -> Loaded:
        """Ingest the directory; the whole process is measured, from start to exit."""
        store.parent.mkdir(parents=True, exist_ok=True)
        command = [str(self.binaries / "footfall"), "--store", str(store), "--json", "ingest", str(exports)]
        receipt = store.with_name(f"{store.name}-receipt.json")
        with receipt.open("wb") as output:
            started = time.perf_counter()
            process = subprocess.Popen(command, stdout=output)
            _, status, usage = os.wait4(process.pid, 0)
            elapsed = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"ingest ended with code {process.returncode}")
        stages = {stage["stage"]: stage["cpu_seconds"] for stage in json.loads(receipt.read_bytes())["stages"]}
        return Loaded(elapsed, usage.ru_utime + usage.ru_stime, settle_s=0.0, stages_cpu_s=stages)

    def disk_bytes(self, store: Path) -> int:
        """Return the bytes of every file of the store: rows, dictionaries, derived data, ledger."""
        return sum(file.stat().st_size for file in store.rglob("*") if file.is_file())

    def ask_command(self, store: Path, *, cold: bool = False) -> list[str]:
        """Return the command of the worker."""
        return [str(self.binaries / "ask"), "--store", str(store), "--cold" if cold else "--repl"]

    def text(self, question: Question, facts: Facts) -> str:
        """Return the question's text."""
        return question.footfall(facts)

    def rows(self, answer: dict[str, Any], question: Question, facts: Facts) -> Rows:
        """Return the answer's rows: their labels are the ones that the peers' rows are given."""
        names = [column["name"] for column in answer["columns"]]
        rows = [dict(zip(names, row, strict=True)) for row in answer["rows"]]
        if question.dims == ("pair",):
            return [[" ".join(sorted((row["repo"], row["other"]))), row["both"]] for row in rows]
        if names[:1] == ["set"]:
            # An audience comes first, then the sets that it is made of.
            return [[rows[0]["downloaders"]]]
        return [list(row) for row in answer["rows"]]
