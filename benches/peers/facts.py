"""A loaded store to the facts that the questions need: days, the ranking of repos, shared names."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time

from engines import Rows
from measure import Worker
from questions import Facts

LATEST_HOUR = time(23)
"""A day with a row at or after this time is complete."""

RANKED_REPOS = 2_000

COUNT = "select count(*) from requests"
FIRST = "select min(ts) from requests"
NEWEST = "select max(ts) from requests"
RANKING = f"select repo, count(*) as n from requests group by repo order by n desc, repo limit {RANKED_REPOS}"
COUNTRIES = "select country from requests where country <> '' group by country order by count(*) desc, country"
SHARED = "select repo from requests group by repo having count(distinct repo_type) > 1"


def facts_of(worker: Worker) -> Facts:
    """Ask a peer that answers with rows; its dialect does not matter to these questions."""
    newest = instant(rows_of(worker, NEWEST))
    repos = tuple(str(row[0]) for row in rows_of(worker, RANKING))
    return Facts(
        rows=int(rows_of(worker, COUNT)[0][0]),
        first_day=instant(rows_of(worker, FIRST)).date(),
        newest_complete_day=complete_day(worker, newest),
        repos=repos,
        shared_names=frozenset(str(row[0]) for row in rows_of(worker, SHARED)),
        countries=tuple(str(row[0]) for row in rows_of(worker, COUNTRIES)),
    )


def complete_day(worker: Worker, newest: datetime) -> date:
    """Return the newest day that has a row in its last hour or a later day after it."""
    day = newest.date()
    if newest.time() >= LATEST_HOUR:
        return day
    earlier = rows_of(worker, f"select count(*), max(ts) from requests where ts < '{day} 00:00:00'")
    return instant([earlier[0][1:]]).date() if int(earlier[0][0]) else day


def rows_of(worker: Worker, sql: str) -> Rows:
    """Return the rows of one query."""
    rows: Rows = worker.ask(sql)["answer"]["rows"]
    return rows


def instant(rows: Rows) -> datetime:
    """Read the one instant of an answer."""
    return datetime.fromisoformat(str(rows[0][0]))


def facts_of_footfall(worker: Worker) -> Facts:
    """Ask Footfall, where it is alone."""
    answer = worker.ask("requests last 1d")["answer"]
    days = rows_of(worker, "requests by day")
    totals: Counter[str] = Counter()
    shared = set()
    for label, count in rows_of(worker, "requests by repo"):
        # Names that two types share are written with their type.
        kind, _, name = str(label).partition(":")
        totals[name or kind] += count
        if name:
            shared.add(name)
    countries = rows_of(worker, 'requests by country where country != ""')
    return Facts(
        rows=int(rows_of(worker, "requests")[0][0]),
        first_day=date.fromisoformat(days[0][0]),
        newest_complete_day=date.fromisoformat(answer["meta"]["from"][:10]),
        repos=tuple(name for name, _ in sorted(totals.items(), key=lambda one: (-one[1], one[0]))[:RANKED_REPOS]),
        shared_names=frozenset(shared),
        countries=tuple(str(row[0]) for row in countries),
    )
