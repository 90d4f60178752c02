"""The questions that the rolled-up tables of ClickHouse can answer: question number → SQL."""

from __future__ import annotations

from collections.abc import Callable

from engines.dialect import Dialect
from questions import Facts, repo_in, repo_is, spring_days

MERGED = "groupBitmapMerge(who) as n"


def days(facts: Facts, count: int) -> str:
    """Return the condition `last {count}d` on whole days."""
    start, end = facts.last(count)
    return f"day >= toDate('{start:%Y-%m-%d}') and day < toDate('{end:%Y-%m-%d}')"


def spring(facts: Facts) -> str:
    """Return the range of q22 on whole days."""
    start, end = spring_days(facts)
    return f"day >= toDate('{start:%Y-%m-%d}') and day < toDate('{end:%Y-%m-%d}')"


def top_repos(columns: str, table: str, where: str) -> str:
    """Return the fifty repos with most."""
    most = "order by n desc, repo_type, repo limit 50"
    return f"select repo_type, repo, {columns} from {table} where {where} group by all {most}"


def new_sql(_d: Dialect, _f: Facts) -> str:
    """q18: how many more there are with each month."""
    months = "select toStartOfMonth(day) as month, groupBitmapMergeState(who) as who from seen group by all"
    so_far = (
        f"select month, bitmapCardinality(groupBitmapMergeState(who) over (order by month)) as so_far from ({months})"
    )
    return f"select month, so_far - lagInFrame(so_far, 1, 0) over (order by month) as n from ({so_far})"


def audience_sql(_d: Dialect, f: Facts) -> str:
    """q17: the bitmaps of two repos, and what they share."""
    one, other = (f"(select groupBitmapMergeState(who) from seen where {repo_is(r)})" for r in (f.r1, f.r2))
    return f"select bitmapAndCardinality({one}, {other}) as n"


def overlap_sql(_d: Dialect, _f: Facts) -> str:
    """q25: the bitmaps of twenty repos, pair by pair."""
    largest = "select repo_type, repo from by_repo group by all order by sum(requests) desc, repo, repo_type limit 20"
    sets = (
        "select repo_type, repo, groupBitmapMergeState(who) as who from seen "
        f"where (repo_type, repo) in ({largest}) group by all"
    )
    return (
        f"select a.repo_type, a.repo, b.repo_type, b.repo, bitmapAndCardinality(a.who, b.who) as n "
        f"from ({sets}) as a cross join ({sets}) as b where (a.repo, a.repo_type) < (b.repo, b.repo_type)"
    )


ROLLUP: dict[int, Callable[[Dialect, Facts], str]] = {
    2: lambda d, f: "select sum(downloads) as n from by_repo",
    3: lambda d, f: "select day, sum(downloads) as n from by_repo group by day",
    4: lambda d, f: top_repos("sum(downloads) as n", "by_repo", days(f, 30)),
    5: lambda d, f: f"select day, sum(downloads) as n from by_repo where {repo_is(f.r3)} group by day",
    6: lambda d, f: f"select {MERGED} from seen",
    7: lambda d, f: f"select {MERGED} from seen where {days(f, 30)}",
    8: lambda d, f: f"select {MERGED} from seen where {repo_is(f.r3)}",
    9: lambda d, f: top_repos(MERGED, "seen", days(f, 30)),
    10: lambda d, f: f"select toStartOfMonth(day) as month, {MERGED} from seen group by month",
    11: lambda d, f: f"select toStartOfMonth(day) as month, {MERGED} from seen where {repo_is(f.r1)} group by month",
    12: lambda d, f: (
        f"select country, sum(downloads) as n from by_country where {repo_is(f.r1)} and {days(f, 90)} group by country"
    ),
    13: lambda d, f: f"select country, {MERGED} from seen group by country",
    17: audience_sql,
    18: new_sql,
    21: lambda d, f: f"select day, {MERGED} from seen where {repo_is(f.r1)} and country = 'US' group by day",
    22: lambda d, f: f"select {MERGED} from seen where {repo_in(f.forty)} and {spring(f)}",
    25: overlap_sql,
}
