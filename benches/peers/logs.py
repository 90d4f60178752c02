"""A size to a directory of generated logs, made once and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

UNITS = {"k": 1_000, "M": 1_000_000}

AGE_S = 60
"""Fresh files are dated back by this: an ingest leaves files of the last ten seconds alone."""


@dataclass(frozen=True)
class Size:
    """What is generated."""

    rows: int
    days: int
    repos: int
    headers: str
    seed: int

    @property
    def key(self) -> str:
        """A name for directories."""
        return f"{self.rows}-rows-{self.days}-days-{self.repos}-repos-{self.headers}-seed-{self.seed}"


def count(text: str) -> int:
    """Read `20M`, `200k` or a plain number."""
    unit = UNITS.get(text[-1:], 1)
    return int(float(text[:-1]) * unit) if unit > 1 else int(text)


def generated(footfall: Path, size: Size, work: Path) -> Path:
    """Return the directory of logs of this size, generating it if it is not there."""
    directory = work / f"logs-{size.key}"
    if directory.is_dir():
        return directory
    unfinished = directory.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    subprocess.run(generate_command(footfall, size, unfinished), check=True)
    age(unfinished)
    return unfinished.rename(directory)


def generate_command(footfall: Path, size: Size, directory: Path) -> list[str]:
    """Return the command that writes one plain CSV file per day."""
    flags = {"rows": size.rows, "days": size.days, "repos": size.repos, "header": size.headers, "seed": size.seed}
    return [str(footfall), "generate", str(directory), *(f"--{name}={value}" for name, value in flags.items())]


def age(directory: Path) -> None:
    """Date the files back."""
    then = time.time() - AGE_S
    for file in directory.iterdir():
        os.utime(file, (then, then))


def warm(directory: Path) -> int:
    """Read every file once, so that no engine pays for the disk; return the bytes."""
    total = 0
    for file in sorted(directory.glob("*.csv")):
        with file.open("rb", buffering=0) as data:
            while piece := data.read(1 << 20):
                total += len(piece)
    return total
