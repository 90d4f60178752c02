"""A size to a directory of generated logs, made once and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

UNITS = {"k": 1_000, "M": 1_000_000}

FIRST_DAY = date(2025, 1, 1)

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
    burst: str = "bursty"
    downloaders: int | None = None
    container: str = "plain"

    @property
    def key(self) -> str:
        """A name for directories."""
        key = f"{self.rows}-rows-{self.days}-days-{self.repos}-repos-{self.headers}-seed-{self.seed}"
        if self.burst != "bursty":
            key += f"-burst-{self.burst}"
        if self.downloaders:
            key += f"-downloaders-{self.downloaders}"
        return key if self.container == "plain" else f"{key}-{self.container}"


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


def sliced(footfall: Path, size: Size, work: Path, count: int) -> Iterator[Path]:
    """Give the logs of this size in `count` parts, successive days each; a part is deleted before the next is made."""
    directory = work / f"slice-{size.key}"
    for first, last in windows_of(size, count):
        shutil.rmtree(directory, ignore_errors=True)
        window = [f"--from={first}", f"--to={last}"]
        subprocess.run(generate_command(footfall, size, directory) + window, check=True)
        age(directory)
        yield directory
    shutil.rmtree(directory)


def windows_of(size: Size, count: int) -> Iterator[tuple[date, date]]:
    """Give the first and the last day of each of `count` parts."""
    starts = [FIRST_DAY + timedelta(days=size.days * number // count) for number in range(count + 1)]
    for start, end in pairwise(starts):
        yield start, end - timedelta(days=1)


def generate_command(footfall: Path, size: Size, directory: Path) -> list[str]:
    """Return the command that writes one CSV file per day."""
    flags = {
        "rows": size.rows,
        "days": size.days,
        "repos": size.repos,
        "header": size.headers,
        "seed": size.seed,
        "burst": size.burst,
        "container": size.container,
        "first-day": FIRST_DAY,
    }
    if size.downloaders:
        flags["downloaders"] = size.downloaders
    return [str(footfall), "generate", str(directory), *(f"--{name}={value}" for name, value in flags.items())]


def age(directory: Path) -> None:
    """Date the files back."""
    then = time.time() - AGE_S
    for file in directory.iterdir():
        os.utime(file, (then, then))


def warm(directory: Path) -> int:
    """Read every file once, so that no engine pays for the disk; return the bytes."""
    total = 0
    for file in sorted(directory.glob("*.csv*")):
        with file.open("rb", buffering=0) as data:
            while piece := data.read(1 << 20):
                total += len(piece)
    return total
