"""Two engines' answers to "equal", or to what differs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from engines import Rows
from questions import Question


def normal(rows: Rows, question: Question) -> Rows:
    """Return labels as text and metrics as integers, without rows that count nothing.

    SQL has no row for a day without requests, where Footfall writes zero, or null if the day
    is missing; absent labels are empty here and null there.
    """
    width = len(question.dims)
    plain = [[*map(as_label, row[:width]), *map(as_count, row[width:])] for row in rows]
    return [row for row in plain if not width or any(row[width:])]


def as_label(value: Any) -> str:
    """Return a dimension's value as text, absent as empty."""
    return "" if value is None else str(value)


def as_count(value: Any) -> int:
    """Return a metric's value, missing as zero."""
    return 0 if value is None else int(value)


def difference(mine: Rows, other: Rows, question: Question) -> str:
    """Return what differs between two normal answers, empty if they are equal.

    Of a top list only rows above its last value must be the same ones: among rows that tie with
    the last one, engines may pick differently.
    """
    if len(mine) != len(other):
        return f"{len(mine)} rows against {len(other)}"
    metric = len(question.dims)
    if question.top and len(mine) == question.top:
        cut = min(row[metric] for row in mine)
        if sum(row[metric] == cut for row in mine) != sum(row[metric] == cut for row in other):
            return f"different numbers of rows at {cut}"
        mine, other = ([row for row in rows if row[metric] > cut] for rows in (mine, other))
    return first_difference(mine, other)


def first_difference(mine: Rows, other: Rows) -> str:
    """Compare as multisets; return the smallest row that only one side has."""
    ours, theirs = (Counter(map(tuple, rows)) for rows in (mine, other))
    for extra, where in ((ours - theirs, "only here"), (theirs - ours, "only there")):
        if extra:
            return f"{where}: {min(extra)!r} (of {extra.total()})"
    return ""
