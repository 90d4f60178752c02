"""Questions made of queries to Footfall, and to DuckDB as the SQL of the reference in README.md: equal, and how fast.

    run.sh analyses --rows 5M
    run.sh analyses --rows 20M

A line per question: rows that were compared, milliseconds of both, how many times faster Footfall is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import bench
from bench import SUBJECT
from engines import Rows
from measure import Times, Worker, rounds
from questions import Facts
from table import markdown

PEER = "duckdb"
TARGET_MS = 100.0
TARGET_RATIO = 10.0

ACCEPTED = "method in ('GET', 'HEAD') and status < 400"
WHO = "case when user_hash <> '' then user_hash else ip_hash end"
"""No hash of generated logs is both an account's and an address's."""

KNOWN = "(user_hash <> '' or ip_hash <> '')"

WINDOW = "epoch_ms(ts) // 300000"


def accepted(columns: str, where: str = "true") -> str:
    """Return the accepted requests that have a downloader, each with it."""
    return f"(select {columns}, {WHO} as who from requests where {ACCEPTED} and {KNOWN} and {where})"


def collapsing(columns: str, where: str = "true") -> str:
    """Return the accepted requests with what makes requests one download; those without identity never collapse."""
    keys = f"repo_type, repo, {WINDOW} as slot, case when {KNOWN} then {WHO} else 'row ' || rowid end as who"
    return f"(select {columns}, {keys} from requests where {ACCEPTED} and {where})"


def quoted(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Analysis:
    """A question in both languages."""

    name: str
    text: Callable[[Facts], str]
    sql: Callable[[Facts], str]
    rows: Callable[[Rows], Rows] = list
    """What of Footfall's rows SQL gives as well."""
    is_first: bool = False
    """Whether Footfall gives the first rows only."""


def columns(*places: int) -> Callable[[Rows], Rows]:
    """Return what takes these columns."""
    return lambda rows: [[row[place] for place in places] for row in rows]


def unfold(rows: Rows) -> Rows:
    """Return a retention grid as (cohort, buckets later, downloaders), without what is zero or not there yet."""
    return [[row[0], later, value] for row in rows for later, value in enumerate(row[1:]) if value]


def pairs(rows: Rows) -> Rows:
    """Return pairs of repos that share someone, each in the order of the names."""
    return [[*sorted((one, other)), both] for one, other, _, _, both, *_ in rows if both]


def steps(rows: Rows) -> Rows:
    """Return what the default rule leaves at each step."""
    return [[step, left] for rule, step, left, *_ in rows if rule == "5min"]


def parts(rows: Rows) -> Rows:
    """Return the whole of a spike and its countries: count and twice what was expected."""
    kept = (row for row in rows if row[0] in ("whole", "country"))
    return [["*" if part == "whole" else value, count, int(2 * expected)] for part, value, count, expected, *_ in kept]


def retention_sql(_: Facts) -> str:
    """Cohorts by first month."""
    return f"""
        with a as (select distinct who, year(ts) * 12 + month(ts) as m from {accepted("ts")}),
             f as (select who, min(m) as cohort from a group by who)
        select printf('%04d-%02d', (cohort - 1) // 12, (cohort - 1) % 12 + 1), m - cohort, count(*)
        from a join f using (who) group by cohort, m"""


def succession_sql(facts: Facts) -> str:
    """Of the downloaders of one repo, how many have touched another one by each week."""
    one, other = (quoted(repo) for repo in facts.repos[:2])
    return f"""
        with a as (select distinct who from {accepted("repo", f"repo = {one}")}),
             b as (select who, min(date_trunc('week', ts)) as week from {accepted("ts", f"repo = {other}")} group by who),
             w as (select distinct date_trunc('week', ts) as week from requests)
        select strftime(w.week, '%G-W%V'),
               (select count(*) from a join b using (who) where b.week <= w.week) from w"""


def overlap_sql(facts: Facts) -> str:
    """Downloaders that each pair of the 50 largest repos shares; names that two types share are shown with theirs."""
    shared = ", ".join(map(quoted, sorted(facts.shared_names))) or "''"
    return f"""
        with top as (select repo_type, repo from requests group by all order by count(*) desc, repo limit 50),
             p as (select distinct case when repo in ({shared}) then repo_type || ':' || repo else repo end as r, who
                   from {accepted("repo_type, repo")} join top using (repo_type, repo))
        select least(a.r, b.r), greatest(a.r, b.r), count(*) from p a join p b using (who) where a.r < b.r group by all"""


def first_seen_sql(_: Facts) -> str:
    """New and returning downloaders of each month."""
    return f"""
        with a as (select distinct who, strftime(ts, '%Y-%m') as m from {accepted("ts")}),
             f as (select who, min(m) as cohort from a group by who)
        select m, count(*) filter (m = cohort), count(*) filter (m > cohort) from a join f using (who) group by m"""


def compare_sql(facts: Facts) -> str:
    """Downloads by country of 28 days and of the 28 before."""
    last = facts.newest_complete_day
    begin, before = last - timedelta(days=27), last - timedelta(days=55)
    span = f"ts >= '{before}' and ts < '{last + timedelta(days=1)}'"
    return f"""
        select country, count(distinct (repo_type, repo, who, slot)) filter (ts >= '{begin}'),
               count(distinct (repo_type, repo, who, slot)) filter (ts < '{begin}')
        from {collapsing("country, ts", span)} group by country"""


def explain_sql(_: Facts) -> str:
    """What each step of the default rule leaves."""
    return f"""
        with l as (select method in ('GET', 'HEAD') as m, status < 400 as s, repo_type, repo, {WINDOW} as slot,
                          {KNOWN} as k, case when {KNOWN} then {WHO} else 'row ' || rowid end as who from requests),
             c as (select count(*) as n, count(*) filter (m) as m, count(*) filter (m and s) as s from l),
             d as (select count(*) as n, count(*) filter (k) as i, count(distinct who) filter (k) as u
                   from (select distinct repo_type, repo, who, slot, k from l where m and s))
        select unnest(['lines', 'filter', 'internal', 'method', 'status', 'collapse', 'identity', 'unique']),
               unnest([c.n, c.n, c.n, c.m, c.s, d.n, d.i, d.u]) from c, d"""


def spike_day(facts: Facts) -> date:
    """A day with four of its weekday before it."""
    return facts.newest_complete_day - timedelta(days=9)


def spike_sql(facts: Facts) -> str:
    """The downloads of a day, and the median of the same weekday of the four weeks before, by country."""
    day = spike_day(facts)
    days = [day - timedelta(days=7 * weeks) for weeks in range(5)]
    listed = ", ".join(f"'{one}'" for one in days)
    return f"""
        with d as (select country, ts::date as day, repo_type, repo, who, slot
                   from {collapsing("country, ts", f"ts::date in ({listed})")}),
             n as (select country, day, count(distinct (repo_type, repo, who, slot)) as n from d group by all
                   union all select '*', day, count(distinct (repo_type, repo, who, slot)) from d group by day),
             k as (select distinct country from n),
             g as (select k.country, x.day, coalesce(n.n, 0) as n
                   from k cross join (select unnest([{listed}])::date as day) x
                   left join n on n.country = k.country and n.day = x.day)
        select country, (sum(n) filter (day = '{day}'))::bigint,
               (2 * median(n) filter (day < '{day}'))::bigint from g group by country"""


def spikes_sql(facts: Facts) -> str:
    """Every day's downloads beside the median of its weekday before, for those that are far above it."""
    del facts
    return f"""
        with c as (select ts::date as day, count(distinct (repo_type, repo, who, slot)) as n
                   from {collapsing("ts")} group by 1),
             e as (select a.day, a.n, median(b.n) as e from c a join c b
                   on b.day in (a.day - 7, a.day - 14, a.day - 21, a.day - 28) group by a.day, a.n)
        select strftime(day, '%Y-%m-%d'), n, (2 * e)::bigint from e where n >= 1.5 * e and n - e >= 10 and n - e >= 5 * sqrt(e)"""


ANALYSES = (
    Analysis("retention by month", lambda _: "retention by month", retention_sql, unfold),
    Analysis(
        "succession",
        lambda facts: f'succession "{facts.repos[0]}" "{facts.repos[1]}"',
        succession_sql,
        lambda rows: [[row[0], row[4]] for row in rows],
    ),
    Analysis("overlap of 50 repos", lambda _: "overlap top 50", overlap_sql, pairs),
    Analysis("new, returning by month", lambda _: "new, returning by month", first_seen_sql),
    Analysis(
        "compare by country", lambda _: "compare downloads by country last 28d vs previous", compare_sql, columns(0, 1, 2)
    ),
    Analysis("waterfall", lambda _: "explain-count", explain_sql, steps),
    Analysis("spike autopsy", lambda facts: f"spike {spike_day(facts)}", spike_sql, parts, is_first=True),
    Analysis(
        "spikes",
        lambda facts: f"spikes top {facts.rows}",
        spikes_sql,
        lambda rows: [[day, count, int(2 * expected)] for day, count, expected, _, is_spike in rows if is_spike],
    ),
)


def main() -> None:
    """Load, compare, time."""
    parser = bench.options(__doc__ or "", engines=f"{SUBJECT},{PEER}")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    at = bench.prepared(arguments)
    at.loads()
    facts = at.facts()
    lines, problems = [], []
    with ExitStack() as stack:
        workers = at.workers(stack)
        for analysis in ANALYSES:
            count, problem, times = ask(analysis, workers, facts, arguments.rounds)
            problems += [f"{analysis.name}: {problem}"] if problem else []
            lines.append(line(analysis.name, count, times))
            print("  ".join(lines[-1]), flush=True)
    table = markdown(["question", "rows equal", "footfall ms", "duckdb ms", "× faster", "≤ 100 ms and ≥ 10 ×"], lines)
    print("\n" + "\n".join([table, *problems]))
    at.write("analyses", [table, *problems], {"rows": facts.rows, "questions": lines})
    if problems:
        raise SystemExit(1)


def ask(analysis: Analysis, workers: Mapping[str, Worker], facts: Facts, count: int) -> tuple[int, str, Times]:
    """Compare both answers, then time them in turn."""
    texts = {SUBJECT: analysis.text(facts), PEER: " ".join(analysis.sql(facts).split())}
    mine, theirs = (workers[name].ask(texts[name])["answer"]["rows"] for name in (SUBJECT, PEER))
    rows = analysis.rows(mine)
    if analysis.is_first:
        theirs = [row for row in theirs if list(map(plain, row)) in rows]
    return len(rows), difference(rows, theirs), rounds(workers, texts, count)


def difference(mine: Rows, theirs: Rows) -> str:
    """Return the smallest row that only one side has, empty if they are equal."""
    ours, others = ({tuple(map(plain, row)) for row in rows} for rows in (mine, theirs))
    for extra, where in ((ours - others, "only in Footfall"), (others - ours, "only in DuckDB")):
        if extra:
            return f"{where}: {min(extra, key=str)!r} (of {len(extra)})"
    return ""


def plain(value: Any) -> Any:
    """Return whole numbers as integers, absent as empty."""
    if value is None:
        return ""
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return int(value)
    return value


def line(name: str, count: int, times: Times) -> list[str]:
    """Return a line of the table."""
    mine, ratio = times.least(SUBJECT), times.ratio(PEER, SUBJECT)
    reached = "yes" if mine <= TARGET_MS and ratio >= TARGET_RATIO else "no"
    return [name, str(count), f"{mine:.2f}", f"{times.least(PEER):.1f}", f"{ratio:.1f}", reached]


if __name__ == "__main__":
    main()
