"""The 26 questions: Footfall's text and the peers' SQL, with values taken from the loaded data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from engines.dialect import ACCEPTED, Dialect, grouped, quoted

REFERENCE_FIRST_DAY = date(2025, 1, 1)
"""The first day of the logs for which the dates of q22 and q26 were written."""


@dataclass(frozen=True)
class Facts:
    """What the questions take from the data."""

    rows: int
    first_day: date
    newest_complete_day: date
    repos: tuple[str, ...]
    """Repo names by number of requests, largest first; at least one."""
    shared_names: frozenset[str]
    """Names that stand for more than one (type, name)."""
    countries: tuple[str, ...] = ()
    """Countries by number of requests, largest first."""

    @property
    def r1(self) -> str:
        """The largest repo."""
        return self.repos[0]

    @property
    def r2(self) -> str:
        """The second largest repo, or the only one."""
        return self.repos[:2][-1]

    @property
    def r3(self) -> str:
        """The repo of rank 25, or the last one."""
        return self.repos[:25][-1]

    @property
    def forty(self) -> tuple[str, ...]:
        """The repos of rank 21 to 60, or all."""
        return self.repos[20:60] or self.repos

    def last(self, days: int) -> tuple[datetime, datetime]:
        """Return the range of `last {days}d`, its end exclusive."""
        end = midnight(self.newest_complete_day + timedelta(days=1))
        return end - timedelta(days=days), end

    def shifted(self, at: datetime) -> datetime:
        """Move an instant written for logs that start on 2025-01-01 to these logs."""
        return at + (self.first_day - REFERENCE_FIRST_DAY)


@dataclass(frozen=True)
class Question:
    """One question in both languages."""

    number: int
    footfall: Callable[[Facts], str]
    sql: Callable[[Dialect, Facts], str]
    dims: tuple[str, ...] = ()
    top: int = 0
    """The answer is the first `top` rows, 0 for all: rows that tie with the last may differ."""

    @property
    def name(self) -> str:
        """`q01` ... `q26`."""
        return f"q{self.number:02}"


def midnight(day: date) -> datetime:
    """Return the first instant of a UTC day, without a zone."""
    return datetime(day.year, day.month, day.day)


def at(text: str) -> datetime:
    """Read an instant, without a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=None)


def accepted(*conditions: str) -> str:
    """Return the condition `A` and further ones."""
    return " and ".join([ACCEPTED, *conditions])


def repo_is(name: str) -> str:
    """SQL: the repo has this name, whatever its type."""
    return f"repo = {quoted(name)}"


def repo_in(names: tuple[str, ...]) -> str:
    """SQL: the repo has one of these names."""
    return f"repo in ({', '.join(map(quoted, names))})"


def text(value: str) -> str:
    """Footfall: a quoted string."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def in_range(d: Dialect, facts: Facts, days: int) -> str:
    """SQL: the request is in `last {days}d`."""
    return d.between(*facts.last(days))


def top_repos(names: int) -> str:
    """SQL: the order of a top list of repos."""
    return f"order by n desc, repo_type, repo limit {names}"


def bursts_sql(d: Dialect, facts: Facts) -> str:
    """q15: 206 answers to three countries in office hours on three repos."""
    where = (
        f"{repo_in((facts.r1, facts.r2, facts.r3))} and country in ('DE', 'FR', 'NL') and status = 206 "
        f"and {d.hour_of_day} >= 8 and {d.hour_of_day} <= 17"
    )
    inner = (
        f"select {d.who_columns()}, {d.known} as known, count(*) as rows, "
        f"max(case when {ACCEPTED} then 1 else 0 end) as kept from requests where {where} group by all"
    )
    return f"select coalesce(sum(rows), 0), sum(case when known and kept = 1 then 1 else 0 end) from ({inner})"


def top_downloaders_sql(d: Dialect, _facts: Facts) -> str:
    """q16: the hundred downloaders with most requests."""
    inner = (
        f"select {d.who_columns()}, count(*) as n from requests where {ACCEPTED} group by all order by n desc limit 100"
    )
    return f"select {d.label} as label, n from ({inner}) as busiest{d.named} order by n desc"


def audience_sql(d: Dialect, facts: Facts) -> str:
    """q17: downloaders of both of the two largest repos."""
    seen = [f"max(case when {repo_is(r)} then 1 else 0 end) as seen{i}" for i, r in enumerate((facts.r1, facts.r2))]
    where = accepted(repo_in((facts.r1, facts.r2)), d.known)
    inner = f"select {d.who_columns()}, {', '.join(seen)} from requests where {where} group by all"
    return f"select count(*) from ({inner}) where seen0 = 1 and seen1 = 1"


def new_sql(d: Dialect, _facts: Facts) -> str:
    """q18: downloaders by the month of their first request."""
    first = f"select {d.who_columns()}, min(ts) as ts from requests where {accepted(d.known)} group by all"
    columns = d.dims(["month"])
    return f"select {columns[0]}, count(*) as n from ({first}){grouped(columns)}"


def overlap_sql(d: Dialect, _facts: Facts) -> str:
    """q25: downloaders in common, for all pairs of the twenty largest repos."""
    largest = (
        "select repo_type, repo from requests group by repo_type, repo order by count(*) desc, repo, repo_type limit 20"
    )
    pairs = (
        f"select repo_type, repo, {d.who_columns()} from requests join ({largest}) as largest using (repo_type, repo) "
        f"where {accepted(d.known)} group by all"
    )
    same = " and ".join(f"a.who{i} = b.who{i}" for i in range(len(d.who)))
    return (
        f"with pairs as ({pairs}) "
        f"select a.repo_type as at, a.repo as ar, b.repo_type as bt, b.repo as br, count(*) as n "
        f"from pairs as a join pairs as b on {same} "
        f"where a.repo < b.repo or (a.repo = b.repo and a.repo_type < b.repo_type) group by all"
    )


def spring_days(facts: Facts) -> tuple[datetime, datetime]:
    """q22: 2025-04-04 to 2025-08-18, the end exclusive."""
    return facts.shifted(at("2025-04-04")), facts.shifted(at("2025-08-19"))


def june_hours(facts: Facts) -> tuple[datetime, datetime]:
    """q26: 2025-06-15T10:30 to 2025-06-20T03:00, exclusive."""
    return facts.shifted(at("2025-06-15T10:30:00")), facts.shifted(at("2025-06-20T03:00:00"))


def spring_text(facts: Facts) -> str:
    """q22 as Footfall reads it: a bare date as `to` includes its day."""
    start, end = spring_days(facts)
    names = ", ".join(map(text, facts.forty))
    return f"downloaders where repo in ({names}) from {start:%Y-%m-%d} to {end - timedelta(days=1):%Y-%m-%d}"


def june_text(facts: Facts) -> str:
    """q26 as Footfall reads it."""
    start, end = (moment.replace(tzinfo=UTC) for moment in june_hours(facts))
    return f"requests by repo from {start:%Y-%m-%dT%H:%M:%SZ} to {end:%Y-%m-%dT%H:%M:%SZ} top 20"


QUESTIONS: tuple[Question, ...] = (
    Question(1, lambda f: "requests", lambda d, f: d.requests([], "")),
    Question(2, lambda f: "downloads", lambda d, f: d.downloads([], accepted())),
    Question(3, lambda f: "downloads by day", lambda d, f: d.downloads(["day"], accepted()), ("day",)),
    Question(
        4,
        lambda f: "downloads by repo last 30d top 50",
        lambda d, f: d.downloads(["repo"], accepted(in_range(d, f, 30)), top_repos(50)),
        ("repo",),
        50,
    ),
    Question(
        5,
        lambda f: f"downloads by day where repo = {text(f.r3)}",
        lambda d, f: d.downloads(["day"], accepted(repo_is(f.r3))),
        ("day",),
    ),
    Question(6, lambda f: "downloaders", lambda d, f: d.downloaders([], accepted())),
    Question(7, lambda f: "downloaders last 30d", lambda d, f: d.downloaders([], accepted(in_range(d, f, 30)))),
    Question(
        8,
        lambda f: f"downloaders where repo = {text(f.r3)}",
        lambda d, f: d.downloaders([], accepted(repo_is(f.r3))),
    ),
    Question(
        9,
        lambda f: "downloaders by repo last 30d top 50",
        lambda d, f: d.downloaders(["repo"], accepted(in_range(d, f, 30)), top_repos(50)),
        ("repo",),
        50,
    ),
    Question(10, lambda f: "downloaders by month", lambda d, f: d.downloaders(["month"], accepted()), ("month",)),
    Question(
        11,
        lambda f: f"downloaders by month where repo = {text(f.r1)}",
        lambda d, f: d.downloaders(["month"], accepted(repo_is(f.r1))),
        ("month",),
    ),
    Question(
        12,
        lambda f: f"downloads by country where repo = {text(f.r1)} last 90d",
        lambda d, f: d.downloads(["country"], accepted(repo_is(f.r1), in_range(d, f, 90))),
        ("country",),
    ),
    Question(13, lambda f: "downloaders by country", lambda d, f: d.downloaders(["country"], accepted()), ("country",)),
    Question(
        14,
        lambda f: "requests by month, method, status",
        lambda d, f: d.requests(["month", "method", "status"], ""),
        ("month", "method", "status"),
    ),
    Question(
        15,
        lambda f: (
            f"requests, downloaders where repo in ({text(f.r1)}, {text(f.r2)}, {text(f.r3)}) "
            'and country in ("DE", "FR", "NL") and status = 206 and hour_of_day >= 8 and hour_of_day <= 17'
        ),
        bursts_sql,
    ),
    Question(
        16,
        lambda f: 'requests by downloader where status < 400 and method in ("GET", "HEAD") top 100',
        top_downloaders_sql,
        ("downloader",),
        100,
    ),
    Question(17, lambda f: f"audience 'repo = {text(f.r1)} and repo = {text(f.r2)}'", audience_sql),
    Question(18, lambda f: "new by month", new_sql, ("month",)),
    Question(
        19,
        lambda f: "users by month",
        lambda d, f: d.downloaders(["month"], accepted(d.signed_in)),
        ("month",),
    ),
    Question(
        20,
        lambda f: "downloaders last 30d rule counter-unique",
        lambda d, f: d.downloaders([], f"status in (200, 304) and {in_range(d, f, 30)}"),
    ),
    Question(
        21,
        lambda f: f'downloaders by day where repo = {text(f.r1)} and country = "US"',
        lambda d, f: d.downloaders(["day"], accepted(repo_is(f.r1), "country = 'US'")),
        ("day",),
    ),
    Question(
        22,
        spring_text,
        lambda d, f: d.downloaders([], accepted(repo_in(f.forty), d.between(*spring_days(f)))),
    ),
    Question(
        23,
        lambda f: 'downloaders by region where country = "US" last 90d',
        lambda d, f: d.downloaders(["country", "region"], accepted("country = 'US'", in_range(d, f, 90))),
        ("region",),
    ),
    Question(
        24,
        lambda f: 'downloads by weekday, hour_of_day where country = "DE"',
        lambda d, f: d.downloads(["weekday", "hour_of_day"], accepted("country = 'DE'")),
        ("weekday", "hour_of_day"),
    ),
    Question(25, lambda f: "overlap top 20", overlap_sql, ("pair",)),
    Question(
        26,
        june_text,
        lambda d, f: d.requests(["repo"], d.between(*june_hours(f)), top_repos(20)),
        ("repo",),
        20,
    ),
)
"""All of them, in their order."""


def chosen(only: str, skip: str) -> list[Question]:
    """Return the questions named in `only` (all if empty) without those named in `skip`."""
    wanted, unwanted = numbers(only), numbers(skip)
    return [q for q in QUESTIONS if (not wanted or q.number in wanted) and q.number not in unwanted]


def numbers(names: str) -> set[int]:
    """Read `q01,q17` or `1,17`."""
    return {int(name.strip().lstrip("q")) for name in names.split(",") if name.strip()}
