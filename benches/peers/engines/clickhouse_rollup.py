"""ClickHouse with what a dashboard would keep beside the rows: counts and bitmaps per day, repo and country.

The strongest opponent, for the questions that it can answer: those under the default rule, by
whole days, that ask for nothing finer than repo and country.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chdb.session import Session

from engines import Loaded
from engines.clickhouse import ClickHouse
from engines.dialect import ACCEPTED, WINDOW_MS
from engines.peer import Stopwatch, one_line
from rollup import ROLLUP

if TYPE_CHECKING:
    from questions import Facts, Question

COUNTS = f"""
select toDate(ts) as day, repo_type, repo{{country}}, who_kind, who,
    intDiv(toUnixTimestamp64Milli(ts), {WINDOW_MS}) as clock, count() as rows, countIf({ACCEPTED}) as accepted
from peers.requests group by all
"""

DOWNLOADS = "sum(if(who_kind != 0, toUInt64(accepted > 0), accepted))"

BUILD = (
    """create table peers.ids (who_kind UInt8, who FixedString(32), id UInt32)
       engine = MergeTree order by (who_kind, who)""",
    """insert into peers.ids select who_kind, who, toUInt32(rowNumberInAllBlocks())
       from (select who_kind, who from peers.requests where who_kind != 0 group by all)""",
    """create table peers.by_repo (
           day Date, repo_type LowCardinality(String), repo LowCardinality(String),
           requests UInt64, downloads UInt64
       ) engine = MergeTree order by (repo, day)""",
    f"""insert into peers.by_repo select day, repo_type, repo, sum(rows), {DOWNLOADS}
        from ({COUNTS.format(country="")}) group by all""",
    """create table peers.by_country (
           day Date, repo_type LowCardinality(String), repo LowCardinality(String), country LowCardinality(String),
           downloads UInt64
       ) engine = MergeTree order by (repo, day, country)""",
    f"""insert into peers.by_country select day, repo_type, repo, country, {DOWNLOADS}
        from ({COUNTS.format(country=", country")}) group by all""",
    """create table peers.seen (
           day Date, repo_type LowCardinality(String), repo LowCardinality(String), country LowCardinality(String),
           who AggregateFunction(groupBitmap, UInt32)
       ) engine = MergeTree order by (repo, day, country)""",
    f"""insert into peers.seen select toDate(ts) as day, repo_type, repo, country, groupBitmapState(ids.id)
        from peers.requests join peers.ids on requests.who_kind = ids.who_kind and requests.who = ids.who
        where {ACCEPTED} and who_kind != 0 group by all""",
)


class ClickHouseRollup(ClickHouse):
    """The MergeTree of `ClickHouse` and three rolled-up tables."""

    name = "clickhouse-rollup"
    title = "CH rollup"

    def finish_here(self, store: Path) -> Loaded:
        """Build the rollup, which is part of the load, then merge."""
        session = Session(str(store))
        watch = Stopwatch()
        for statement in BUILD:
            session.query(statement)
        built = watch.loaded()
        session.close()
        return built.plus(super().finish_here(store))

    def text(self, question: Question, facts: Facts) -> str:
        """Return SQL over the rolled-up tables, empty if they do not hold the answer."""
        sql = ROLLUP.get(question.number)
        return one_line(sql(self.dialect, facts)) if sql else ""
