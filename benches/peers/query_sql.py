"""A query to SQL for one engine, as the definitions say; and the labels of its answer.

Shapes are those of `engines.dialect`: distinct counts over a grouped inner query, a request without
identity is never a downloader and never collapses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from engines import Rows
from engines.clickhouse import ClickHouse
from engines.dialect import ACCEPTED, Dialect, grouped, listed, name_of, quoted
from engines.duckdb_ids import DuckDbIds
from engines.peer import repo_label
from questions import Facts, Question
from random_query import TIME_UNITS, Asked, Condition

ACCEPTS = {
    "5min": ACCEPTED,
    "daily": ACCEPTED,
    "requests": "1 = 1",
    "files": "method = 'GET' and status in (200, 302)",
    "fetches": "method = 'GET' and status = 200",
    "counter": "status in (200, 304)",
    "counter-unique": "status in (200, 304)",
    "counter-hub": "status in (200, 206, 302, 304, 307)",
}

WINDOWS_MS = {"5min": 300_000, "counter-unique": 3_600_000, "daily": 86_400_000}

GAPS_MS = {"counter": 30_000, "counter-hub": 30_000}

CLASS = (
    "case when status = 206 then 'partial' when status = 304 then 'not_modified' when status >= 400 then 'error' "
    "when method = 'HEAD' then 'probe' when method = 'GET' and status = 200 then 'fetch' "
    "when method = 'GET' and status in (301, 302, 303, 307, 308) then 'redirect' else 'other' end"
)


@dataclass(frozen=True)
class Words(Dialect):
    """What random queries need beside the words of the fixed questions."""

    buckets: Mapping[str, str] = field(default_factory=dict)
    """The first instant or day of each time unit."""
    org: str = ""
    following: str = ""
    """The value of the next row, `{}` being the value and the window."""
    as_instant: str = ""
    """The first day of a bucket as an instant."""
    days_after: str = ""
    """`seen_day` and the days after it, `{}` of them, a row each."""
    date: str = ""
    """A literal day."""


def truncated(word: str) -> dict[str, str]:
    """Return one word for all units."""
    return {unit: word.format(unit) for unit in TIME_UNITS}


WORDS = {
    "duckdb-ids": Words(
        **vars(DuckDbIds.dialect),
        buckets={**truncated("date_trunc('{}', ts)"), "day": "ts::date"},
        org="case when repo like '%/%' then split_part(repo, '/', 1) else '' end",
        following="lead({}) over ({})",
        as_instant="cast({} as timestamp)",
        days_after="seen_day + unnest(range({}))::integer",
        date="date '{}'",
    ),
    "clickhouse": Words(
        **vars(ClickHouse.dialect),
        buckets={
            "hour": "toStartOfHour(ts)",
            "day": "toDate(ts)",
            "week": "toStartOfWeek(ts, 1)",
            "month": "toStartOfMonth(ts)",
            "quarter": "toStartOfQuarter(ts)",
            "year": "toStartOfYear(ts)",
        },
        org="if(position(repo, '/') > 0, splitByChar('/', repo)[1], '')",
        following="leadInFrame(toNullable({})) over ({} rows between current row and 1 following)",
        as_instant="toDateTime64({}, 3, 'UTC')",
        days_after="seen_day + arrayJoin(range({}))",
        date="toDate('{}')",
    ),
}
"""By engine: the fastest of those that can answer anything."""


def sql_of(asked: Asked, d: Words) -> str:
    """Return the statement."""
    where = [condition_sql(condition, d) for condition in asked.conditions]
    inside = d.between(asked.span.start, asked.span.end)
    accepts = ACCEPTS[asked.rule]
    columns = columns_of(asked.by, d)
    tail = top_of(asked)
    kept = " and ".join([*where, accepts, inside])
    if asked.metric == "requests":
        only = " and ".join([*where, inside])
        return f"select {listed(columns)}count(*) as n from requests where {only}{grouped(columns)} {tail}"
    if asked.metric == "downloads":
        return f"{downloads_sql(asked, d, columns, kept)} {tail}"
    if asked.metric in ("downloaders", "users", "ips"):
        kind = {"users": d.signed_in, "ips": f"{d.known} and not ({d.signed_in})"}.get(asked.metric, d.known)
        return f"{distinct_sql(columns, d.who_columns(), f'{kept} and {kind}')} {tail}"
    if asked.metric == "repos":
        return f"{distinct_sql(columns, 'repo_type as type0, repo as repo0', kept)} {tail}"
    if asked.metric == "countries":
        nonempty = kept + " and country <> ''"
        return f"{distinct_sql(columns, 'country as country0', nonempty)} {tail}"
    anywhere = " and ".join([*where, accepts, d.known])
    if asked.metric == "new":
        return f"{new_sql(asked, d, anywhere)} {tail}"
    if asked.metric == "returning":
        return f"{returning_sql(asked, d, columns, anywhere, inside)} {tail}"
    return rolling_sql(asked, d, anywhere)


def columns_of(by: Sequence[str], d: Words) -> list[str]:
    """Return `expression as name` for each dimension; repo and region give two columns."""
    known = {
        **{unit: [f"{d.buckets[unit]} as {unit}"] for unit in TIME_UNITS},
        "weekday": [f"{d.weekday} as weekday"],
        "hour_of_day": [f"{d.hour_of_day} as hour_of_day"],
        "repo": ["repo_type", "repo"],
        "region": ["country", "region"],
        "org": [f"{d.org} as org"],
        "class": [f"{CLASS} as class"],
        "identity": [f"{identity(d)} as identity"],
    }
    return [column for dim in by for column in known.get(dim, [dim])]


def identity(d: Words) -> str:
    """SQL: the kind of the downloader."""
    return f"case when {d.signed_in} then 'user' when {d.known} then 'ip' else '' end"


def condition_sql(condition: Condition, d: Words) -> str:
    """Return one condition."""
    numeric = condition.dim in ("status", "hour_of_day", "weekday")
    values = [value if numeric else quoted(value) for value in condition.values]
    if condition.dim == "org":
        return f"repo like {quoted(condition.values[0] + '/%')}"
    plain = {
        "hour_of_day": d.hour_of_day,
        "weekday": d.weekday,
        "class": CLASS,
        "identity": identity(d),
    }.get(condition.dim, condition.dim)
    operator = {"!=": "<>"}.get(condition.operator, condition.operator)
    return f"{plain} in ({', '.join(values)})" if operator == "in" else f"{plain} {operator} {values[0]}"


def top_of(asked: Asked) -> str:
    """Return the order and limit of a top list."""
    if not asked.top:
        return ""
    names = [
        name
        for dim in asked.by
        for name in {"repo": ["repo_type", "repo"], "region": ["country", "region"]}.get(dim, [dim])
    ]
    return f"order by n desc, {', '.join(names)} limit {asked.top}"


def distinct_sql(columns: Sequence[str], counted: str, where: str) -> str:
    """Count distinct `counted` per value of `columns`."""
    names = [name_of(column) for column in columns]
    inner = f"select {listed(columns)}{counted} from requests where {where} group by all"
    return f"select {listed(names)}count(*) as n from ({inner}) as seen{grouped(names)}"


def downloads_sql(asked: Asked, d: Words, columns: Sequence[str], kept: str) -> str:
    """Count what the rule leaves."""
    names = [name_of(column) for column in columns]
    if asked.rule in GAPS_MS:
        return gaps_sql(asked, d, kept)
    if asked.rule not in WINDOWS_MS:
        return f"select {listed(columns)}count(*) as n from requests where {kept}{grouped(names)}"
    window = d.integer_division.format(d.epoch_ms, WINDOWS_MS[asked.rule])
    key = [*columns, *(c for c in ("repo_type", "repo") if c not in columns), d.who_columns()]
    inner = (
        f"select {', '.join(key)}, {window} as clock, {d.known} as known, count(*) as rows "
        f"from requests where {kept} group by all"
    )
    total = "sum(case when known then 1 else rows end) as n"
    return f"select {listed(names)}{total} from ({inner}) as windows{grouped(names)}"


def gaps_sql(asked: Asked, d: Words, kept: str) -> str:
    """Count chains by their last request: rows without another soon after; who has no identity has no chain."""
    columns = columns_of(asked.by, d)
    names = [name_of(column) for column in columns]
    others = [c for dim in asked.by if not is_time(dim) for c in columns_of([dim], d)]
    parts = [c.rsplit(" as ", 1)[0] for c in others]
    parts += [c for c in ("repo_type", "repo") if c not in parts] + list(d.who)
    after = d.following.format(d.epoch_ms, f"partition by {', '.join(parts)} order by ts")
    shown = f"{listed(columns)}{d.epoch_ms} as ms, {d.known} as known"
    inner = f"select {shown}, {after} as following from requests where {kept}"
    last = f"not known or following is null or following - ms > {GAPS_MS[asked.rule]}"
    return f"select {listed(names)}count(*) as n from ({inner}) as chains where {last}{grouped(names)}"


def is_time(dim: str) -> bool:
    """Return whether a chain belongs to one value of the dimension, that of its last request."""
    return dim in TIME_UNITS or dim in ("weekday", "hour_of_day")


def others_of(asked: Asked, d: Words) -> list[str]:
    """Return the columns of all dimensions but time."""
    return [column for dim in asked.by if not is_time(dim) for column in columns_of([dim], d)]


def new_sql(asked: Asked, d: Words, anywhere: str) -> str:
    """Count downloaders by their first request in the whole store."""
    firsts = firsts_sql(asked, d, anywhere)
    inside = of_first(d.between(asked.span.start, asked.span.end))
    columns = [
        of_first(column) if is_time(dim) else name_of(column) for dim in asked.by for column in columns_of([dim], d)
    ]
    return f"select {listed(columns)}count(*) as n from ({firsts}) as firsts where {inside}{grouped(columns)}"


def firsts_sql(asked: Asked, d: Words, anywhere: str) -> str:
    """Return downloaders, per value of all dimensions but time, with their first request."""
    columns = f"{listed(others_of(asked, d))}{d.who_columns()}"
    return f"select {columns}, min(ts) as first_ts from requests where {anywhere} group by all"


def of_first(sql: str) -> str:
    """Return an expression about a request's time as one about the first."""
    return re.sub(r"\bts\b", "first_ts", sql)


def returning_sql(asked: Asked, d: Words, columns: Sequence[str], anywhere: str, inside: str) -> str:
    """Count downloaders of a bucket whose first request is before it."""
    others = [name_of(column) for column in others_of(asked, d)]
    whos = [f"who{i}" for i in range(len(d.who))]
    names = [name_of(column) for column in columns]
    start = d.instant.format(f"{asked.span.start:%Y-%m-%d %H:%M:%S}")
    times = [dim for dim in asked.by if is_time(dim)]
    begin = f"greatest({d.as_instant.format(times[0])}, {start})" if times else start
    firsts = firsts_sql(asked, d, anywhere)
    here = f"select {listed(columns)}{d.who_columns()} from requests where {anywhere} and {inside} group by all"
    using = ", ".join([*others, *whos])
    return (
        f"select {listed(names)}count(*) as n from ({here}) as here join ({firsts}) as firsts using ({using}) "
        f"where first_ts < {begin}{grouped(names)}"
    )


def rolling_sql(asked: Asked, d: Words, anywhere: str) -> str:
    """Count downloaders of the N days that end with each day."""
    count = int(asked.metric.removeprefix("rolling(").removesuffix(")"))
    start, end = asked.span.start, asked.span.end
    first = start - timedelta(days=count - 1)
    where = f"{anywhere} and {d.between(first, end)}"
    seen = f"select {d.day} as seen_day, {d.who_columns()} from requests where {where} group by all"
    whos = ", ".join(f"who{i}" for i in range(len(d.who)))
    spread = f"select distinct {d.days_after.format(count)} as day, {whos} from ({seen}) as seen"
    dates = d.date.format(f"{start:%Y-%m-%d}"), d.date.format(f"{end - timedelta(days=1):%Y-%m-%d}")
    inside = f"day >= {dates[0]} and day <= {dates[1]}"
    return f"select day, count(*) as n from ({spread}) as spread where {inside} group by day"


def question_of(asked: Asked) -> Question:
    """Return what `compare` needs to know of a query."""
    return Question(0, lambda f: asked.text(), lambda d, f: "", asked.by, asked.top)


def labelled(rows: Rows, asked: Asked, facts: Facts) -> Rows:
    """Return SQL rows with each dimension as one label, as Footfall writes them."""
    return [[*labels(iter(row), asked, facts), row[-1]] for row in rows]


def labels(values: Any, asked: Asked, facts: Facts) -> list[str]:
    """Take as many columns as each dimension has."""
    found = []
    for dim in asked.by:
        if dim == "repo":
            found.append(repo_label(next(values), next(values), facts))
        elif dim == "region":
            country, region = next(values), next(values)
            found.append(f"{country}/{region}" if country or region else "")
        elif dim in TIME_UNITS:
            found.append(bucket_label(dim, str(next(values))))
        else:
            found.append(str(next(values)))
    return found


def bucket_label(unit: str, start: str) -> str:
    """Return the label of the bucket that begins with this date or instant."""
    if unit == "hour":
        return f"{datetime.fromisoformat(start):%Y-%m-%dT%H:%M:%SZ}"
    day = date.fromisoformat(start[:10])
    year, week, _ = day.isocalendar()
    return {
        "day": f"{day}",
        "week": f"{year}-W{week:02}",
        "month": f"{day:%Y-%m}",
        "quarter": f"{day.year}-Q{(day.month + 2) // 3}",
        "year": f"{day.year}",
    }[unit]
