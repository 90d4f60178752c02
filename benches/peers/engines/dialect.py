"""The words in which the engines' SQL differs, and the shapes that all share.

A question is written once (`questions.py`) with these shapes; `Dialect` fills in the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

ACCEPTED = "method in ('GET', 'HEAD') and status < 400"
"""What the default rule accepts: `A` in the list of questions."""

WINDOW_MS = 300_000
"""Five minutes: the clock window of the default rule."""


@dataclass(frozen=True)
class Dialect:
    """SQL fragments of one engine over its table `requests`."""

    who: tuple[str, ...]
    """Expressions that are together the downloader."""
    known: str
    """Condition: the request has an identity."""
    signed_in: str
    """Condition: the identity is a user."""
    label: str
    """The downloader's hash as hex, from the columns `who0`, `who1` ..."""
    epoch_ms: str
    day: str
    month: str
    weekday: str
    hour_of_day: str
    instant: str
    """A literal instant, `{}` being `YYYY-MM-DD hh:mm:ss`."""
    integer_division: str
    """Whole-number division, `{}` twice."""
    named: str = ""
    """What has to be joined to downloaders `who0` ... before `label` can be had."""

    def dims(self, names: Sequence[str]) -> list[str]:
        """Return `expression as name` for each dimension; `repo` gives two columns."""
        known = {
            "day": [f"{self.day} as day"],
            "month": [f"{self.month} as month"],
            "weekday": [f"{self.weekday} as weekday"],
            "hour_of_day": [f"{self.hour_of_day} as hour_of_day"],
            "repo": ["repo_type", "repo"],
        }
        return [expression for name in names for expression in known.get(name, [name])]

    def between(self, start: datetime, end: datetime) -> str:
        """Return the condition `start <= ts < end`."""
        first, last = (self.instant.format(f"{at:%Y-%m-%d %H:%M:%S}") for at in (start, end))
        return f"ts >= {first} and ts < {last}"

    def who_columns(self) -> str:
        """Return the downloader as columns `who0`, `who1` ..."""
        return ", ".join(f"{expression} as who{i}" for i, expression in enumerate(self.who))

    def requests(self, dims: Sequence[str], where: str, tail: str = "") -> str:
        """Count requests per value of `dims`."""
        columns = self.dims(dims)
        return f"select {listed(columns)}count(*) as n from requests{kept(where)}{grouped(columns)} {tail}"

    def downloads(self, dims: Sequence[str], where: str, tail: str = "") -> str:
        """Count `W` per value of `dims`: five-minute windows, and each request without identity."""
        columns = self.dims(dims)
        window = self.integer_division.format(self.epoch_ms, WINDOW_MS)
        key = [*columns, *(c for c in ("repo_type", "repo") if c not in columns), self.who_columns()]
        inner = (
            f"select {', '.join(key)}, {window} as clock, {self.known} as known, count(*) as rows "
            f"from requests where {where} group by all"
        )
        names = [name_of(c) for c in columns]
        total = "sum(case when known then 1 else rows end) as n"
        return f"select {listed(names)}{total} from ({inner}){grouped(names)} {tail}"

    def downloaders(self, dims: Sequence[str], where: str, tail: str = "") -> str:
        """Count distinct downloaders per value of `dims`."""
        columns = self.dims(dims)
        inner = (
            f"select {listed(columns)}{self.who_columns()} from requests where {where} and {self.known} group by all"
        )
        names = [name_of(c) for c in columns]
        return f"select {listed(names)}count(*) as n from ({inner}){grouped(names)} {tail}"


def listed(columns: Sequence[str]) -> str:
    """Return the columns with a comma after each, ready to stand before an aggregate."""
    return "".join(f"{column}, " for column in columns)


def grouped(columns: Sequence[str]) -> str:
    """Return the `group by` of these columns, nothing if there are none."""
    return f" group by {', '.join(name_of(c) for c in columns)}" if columns else ""


def kept(where: str) -> str:
    """Return the `where` of a condition, nothing if it is empty."""
    return f" where {where}" if where else ""


def name_of(column: str) -> str:
    """Return the name under which a column of `dims` can be grouped."""
    return column.rsplit(" as ", 1)[-1]


def quoted(text: str) -> str:
    """Return a string literal that all dialects read alike."""
    if "\\" in text or "\n" in text:
        raise ValueError(f"no literal that all engines read alike for {text!r}")
    return "'" + text.replace("'", "''") + "'"
