"""A seed and facts of the data to a random query: what people ask, and now and then what they might.

Values come from the data, repos and countries the oftener the larger they are.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from questions import Facts, midnight, text

Choice = TypeVar("Choice")

TIME_UNITS = ("hour", "day", "week", "month", "quarter", "year")
"""Linear buckets; `weekday` and `hour_of_day` are labels that come again."""

METRICS = {
    "downloads": 38,
    "downloaders": 24,
    "requests": 12,
    "users": 4,
    "ips": 3,
    "repos": 3,
    "countries": 3,
    "new": 5,
    "returning": 3,
    "rolling(7)": 3,
    "rolling(28)": 2,
}

GROUPS: dict[tuple[str, ...], int] = {
    (): 22,
    ("day",): 20,
    ("month",): 15,
    ("week",): 8,
    ("repo",): 14,
    ("country",): 8,
    ("region",): 3,
    ("org",): 3,
    ("repo_type",): 2,
    ("quarter",): 1,
    ("year",): 1,
    ("hour",): 2,
    ("weekday",): 1,
    ("hour_of_day",): 2,
    ("status",): 1,
    ("method",): 1,
    ("class",): 1,
    ("identity",): 1,
    ("day", "country"): 2,
    ("month", "country"): 2,
    ("month", "repo"): 2,
    ("month", "repo_type"): 1,
    ("month", "identity"): 1,
    ("weekday", "hour_of_day"): 1,
    ("month", "method", "status"): 1,
    ("repo", "country"): 2,
}

FILTERS = {
    "": 26,
    "repo": 38,
    "country": 10,
    "repos": 6,
    "org": 5,
    "countries": 4,
    "repo_type": 4,
    "status": 3,
    "identity": 2,
    "class": 2,
    "hour_of_day": 2,
    "not country": 2,
    "weekday": 1,
    "method": 1,
}

RANGES = {
    "all": 30,
    "last 30d": 20,
    "last 90d": 12,
    "last 7d": 8,
    "in month": 10,
    "days": 8,
    "in quarter": 4,
    "in week": 3,
    "last 12m": 3,
    "instants": 2,
}

RULES = {
    "5min": 80,
    "requests": 3,
    "files": 3,
    "fetches": 4,
    "counter": 2,
    "counter-unique": 3,
    "counter-hub": 1,
    "daily": 4,
}
"""Not `5min-first`, which SQL without recursion cannot say, nor `5min-gap`, which is `counter`'s SQL."""

CLASSES = ("partial", "not_modified", "error", "probe", "fetch", "redirect")


@dataclass(frozen=True)
class Condition:
    """`dim operator values`; only `in` has more than one value."""

    dim: str
    operator: str
    values: tuple[str, ...]

    def text(self) -> str:
        """Return it as Footfall reads it."""
        listed = ", ".join(text(value) for value in self.values)
        return f"{self.dim} in ({listed})" if self.operator == "in" else f"{self.dim} {self.operator} {listed}"


@dataclass(frozen=True)
class Span:
    """A range: its text, and the instants it stands for, the end exclusive."""

    text: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Asked:
    """One query."""

    metric: str
    by: tuple[str, ...]
    conditions: tuple[Condition, ...]
    span: Span
    rule: str
    top: int

    def text(self) -> str:
        """Return it as Footfall reads it."""
        by = f" by {', '.join(self.by)}" if self.by else ""
        where = " and ".join(condition.text() for condition in self.conditions)
        parts = [
            self.metric + by,
            f"where {where}" if where else "",
            self.span.text,
            f"rule {self.rule}" if self.rule != "5min" else "",
            f"top {self.top}" if self.top else "",
        ]
        return " ".join(part for part in parts if part)


def random_query(rng: random.Random, facts: Facts) -> Asked:
    """Return one query."""
    metric = weighted(rng, METRICS)
    by = group_of(rng, metric)
    history = metric in ("new", "returning") or metric.startswith("rolling")
    conditions = tuple(conditions_of(rng, facts, by, history=history))
    rule = "5min" if metric == "requests" or history else weighted(rng, RULES)
    if rule == "daily" and {"hour", "hour_of_day"} & set(by):
        # A day's download belongs to the hour of its first request, which SQL finds only in two steps.
        rule = "5min"
    kind = weighted(rng, RANGES) if "hour" not in by else "last 7d"
    if kind == "instants" and metric.startswith("rolling"):
        kind = "days"
    span = span_of(rng, facts, kind)
    top = rng.choice((10, 20, 50)) if "repo" in by and by[0] not in TIME_UNITS else 0
    return Asked(metric, by, conditions, span, rule, top)


def group_of(rng: random.Random, metric: str) -> tuple[str, ...]:
    """Return dimensions that go with the metric."""
    if metric.startswith("rolling"):
        return ("day",)
    while True:
        by = weighted(rng, GROUPS)
        repeated = metric in ("new", "returning") and {"weekday", "hour_of_day"} & set(by)
        itself = {"repos": "repo", "countries": "country"}.get(metric)
        if not repeated and itself not in by and not (metric == "countries" and "region" in by):
            return by


def conditions_of(rng: random.Random, facts: Facts, by: tuple[str, ...], *, history: bool) -> list[Condition]:
    """Return one condition, sometimes two or none, on other dimensions than those of `by`."""
    found: dict[str, Condition] = {}
    for _ in range(2 if rng.random() < 0.25 else 1):
        condition = condition_of(rng, facts, weighted(rng, FILTERS))
        # What `new` makes of an hour of the day is a matter of its own.
        timed = history and condition is not None and condition.dim in ("hour_of_day", "weekday")
        if condition and condition.dim not in by and not timed:
            found[condition.dim] = condition
    return list(found.values())


def condition_of(rng: random.Random, facts: Facts, kind: str) -> Condition | None:
    """Return a condition of a kind of `FILTERS`."""
    repo, country = popular(rng, facts.repos), popular(rng, facts.countries)
    some = {popular(rng, facts.repos) for _ in range(rng.randint(2, 12))}
    lands = {popular(rng, facts.countries) for _ in range(rng.randint(2, 5))}
    return {
        "": None,
        "repo": Condition("repo", "=", (repo,)),
        "repos": Condition("repo", "in", tuple(sorted(some))),
        "org": Condition("org", "=", (repo.split("/", maxsplit=1)[0],)),
        "country": Condition("country", "=", (country,)),
        "countries": Condition("country", "in", tuple(sorted(lands))),
        "not country": Condition("country", "!=", (country,)),
        "repo_type": Condition("repo_type", "=", (rng.choice(("model", "dataset", "space")),)),
        "status": Condition("status", *rng.choice((("<", ("400",)), ("=", ("206",)), ("in", ("200", "302"))))),
        "identity": Condition("identity", "=", (rng.choice(("user", "ip")),)),
        "class": Condition("class", "=", (rng.choice(CLASSES),)),
        "hour_of_day": Condition("hour_of_day", rng.choice((">=", "<")), (str(rng.randint(6, 20)),)),
        "weekday": Condition("weekday", "<=", ("5",)),
        "method": Condition("method", "=", ("GET",)),
    }[kind]


def span_of(rng: random.Random, facts: Facts, kind: str) -> Span:
    """Return a range of a kind of `RANGES`, within the data."""
    first, last = facts.first_day, facts.newest_complete_day
    whole = (last - first).days + 1
    day = first + timedelta(days=rng.randrange(whole))
    if kind == "all":
        return days_of("", first, last)
    if kind == "last 12m":
        return days_of(kind, max(first, year_before(last)), last)
    if kind.startswith("last"):
        length = int(kind.removeprefix("last ").removesuffix("d"))
        return days_of(kind, max(first, last - timedelta(days=length - 1)), last)
    if kind == "in month":
        return days_of(f"in {day:%Y-%m}", day.replace(day=1), next_month(day, 1) - timedelta(days=1))
    if kind == "in quarter":
        start = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        return days_of(f"in {start.year}-Q{(start.month + 2) // 3}", start, next_month(start, 3) - timedelta(days=1))
    if kind == "in week":
        monday = day - timedelta(days=day.weekday())
        year, week, _ = day.isocalendar()
        return days_of(f"in {year}-W{week:02}", monday, monday + timedelta(days=6))
    to = min(last, day + timedelta(days=rng.choice((2, 5, 20, 60, 180))))
    if kind == "days":
        return days_of(f"from {day} to {to}", day, to)
    start = midnight(day) + timedelta(minutes=rng.randrange(1440))
    end = midnight(to) + timedelta(days=1, minutes=-rng.randrange(600))
    return Span(f"from {start:%Y-%m-%dT%H:%M:%SZ} to {end:%Y-%m-%dT%H:%M:%SZ}", start, end)


def days_of(text: str, first: date, last: date) -> Span:
    """Return the span of whole days, both included."""
    return Span(text, midnight(first), midnight(last + timedelta(days=1)))


def year_before(day: date) -> date:
    """Return the first day of the twelve months that end with `day`."""
    clamped = min(day.day, 28) if day.month == 2 else day.day
    return day.replace(year=day.year - 1, day=clamped) + timedelta(days=1)


def next_month(day: date, months: int) -> date:
    """Return the first day of the month so many after that of `day`."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def popular(rng: random.Random, names: Sequence[str]) -> str:
    """Return a name: each doubling of the rank is as likely as the one before."""
    return names[min(len(names) - 1, int((len(names) + 1) ** rng.random()) - 1)]


def weighted(rng: random.Random, weights: dict[Choice, int]) -> Choice:
    """Return a key, in proportion to its weight."""
    return rng.choices(list(weights), list(weights.values()))[0]
