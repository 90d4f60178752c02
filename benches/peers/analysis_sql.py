"""The questions made of queries, each as Footfall's text and as the SQL of the reference in README.md, for DuckDB."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from engines import Rows
from query_sql import CLASS
from questions import Facts

WHO = "case when user_hash <> '' then user_hash else ip_hash end"
"""No hash of generated logs is both an account's and an address's."""

KNOWN = "(user_hash <> '' or ip_hash <> '')"

IDENTITY = "case when user_hash <> '' then 'user' when ip_hash <> '' then 'ip' else '' end"

ACCEPTS = {
    "5min": "method in ('GET', 'HEAD') and status < 400",
    "requests": "true",
    "files": "method = 'GET' and status in (200, 302)",
    "fetches": "method = 'GET' and status = 200",
    "counter": "status in (200, 304)",
    "counter-unique": "status in (200, 304)",
    "counter-hub": "status in (200, 206, 302, 304, 307)",
    "daily": "method in ('GET', 'HEAD') and status < 400",
}
"""Rules that SQL can collapse: all but `5min-first`, which needs recursion."""

WINDOWS_MS = {"5min": 300_000, "counter-unique": 3_600_000, "daily": 86_400_000}

GAPS_MS = {"5min-gap": 300_000, "counter": 30_000, "counter-hub": 30_000}

WINDOW = "epoch_ms(ts) // 300000"

BOTS = "bot|crawl|spider|slurp"

KNOWN_MACHINES = (
    "AhrefsBot Amazonbot Applebot Baiduspider bingbot Bytespider CCBot ClaudeBot DataForSeoBot DotBot DuckDuckBot GPTBot "
    "Googlebot Googlebot-Image MJ12bot PetalBot SemrushBot YandexBot"
).split()


@dataclass(frozen=True)
class Data:
    """What is asked."""

    facts: Facts
    has_agents: bool
    """Whether there are user agents."""

    @property
    def label(self) -> str:
        """A repo's name, with its type where two types share it."""
        shared = ", ".join(map(quoted, sorted(self.facts.shared_names))) or "''"
        return f"case when repo in ({shared}) then repo_type || ':' || repo else repo end"

    @property
    def client(self) -> str:
        """The client of a user agent."""
        if not self.has_agents:
            return "''"
        return f"""case when user_agent in ('', '-') then ''
            when starts_with(user_agent, 'Mozilla/') then
                coalesce(split_part(list_filter(regexp_split_to_array(user_agent, '[^A-Za-z0-9_./-]'),
                    lambda word: regexp_matches(lower(split_part(word, '/', 1)), '{BOTS}'))[1], '/', 1), 'browser')
            when starts_with(user_agent, 'unknown/None') and {key("hf_hub")} <> '' then 'hf_hub'
            else regexp_extract(user_agent, '^[^/ ;]*') end"""

    @property
    def version(self) -> str:
        """The version of a client that is no bot."""
        return f"""case when starts_with(user_agent, 'Mozilla/') then ''
            when starts_with(user_agent, 'unknown/None') and {key("hf_hub")} <> '' then {key("hf_hub")}
            else regexp_extract(user_agent, '^[^/ ;]*/([^ ;]*)', 1) end"""

    @property
    def is_ci(self) -> str:
        """Whether a user agent says that it is of a CI job."""
        return f"{key('is_ci')} = 'true'" if self.has_agents else "false"

    @property
    def day(self) -> date:
        """A day with four of its weekday before it."""
        return self.facts.newest_complete_day - timedelta(days=9)


@dataclass(frozen=True)
class Analysis:
    """A question in both languages."""

    name: str
    text: Callable[[Data], str]
    sql: Callable[[Data], str]
    rows: Callable[[Rows], Rows] = list
    """What of Footfall's rows SQL gives as well."""
    needs_agents: bool = False
    """Whether nothing is asked where there are no user agents."""
    needs_hub: bool = False
    """Whether it reads the publisher CSV."""


def quoted(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def key(name: str) -> str:
    """Return the value of the first part of a user agent with that key."""
    return f"regexp_extract(user_agent, '(?:^|;) *{name}/([^;]*?) *(?:;|$)', 1)"


def accepted(columns: str, where: str = "true") -> str:
    """Return the accepted requests that have a downloader, each with it."""
    return f"(select {columns}, {WHO} as who from requests where {ACCEPTS['5min']} and {KNOWN} and {where})"


def collapsing(columns: str, where: str = "true") -> str:
    """Return the accepted requests with what makes requests one download; those without identity never collapse."""
    keys = f"repo_type, repo, {WINDOW} as slot, case when {KNOWN} then {WHO} else 'row ' || rowid end as who"
    return f"(select {columns}, {keys} from requests where {ACCEPTS['5min']} and {where})"


def columns(*places: int) -> Callable[[Rows], Rows]:
    """Return what takes these columns."""
    return lambda rows: [[row[place] for place in places] for row in rows]


def millionths(value: float | None) -> int | None:
    """Return a ratio as SQL's [`millionth`] gives it."""
    return None if value is None else math.floor(value * 1e6 + 0.5)


def millionth(sql: str) -> str:
    """Return a ratio in millionths: fractions are compared as whole numbers."""
    return f"floor(({sql}) * 1e6 + 0.5)::bigint"


def ratios(*places: int) -> Callable[[Rows], Rows]:
    """Return what makes ratios in these columns millionths."""
    return lambda rows: [[millionths(v) if at in places else v for at, v in enumerate(row)] for row in rows]


def listed(days: Iterable[date]) -> str:
    """Return days as SQL writes them in a list."""
    return ", ".join(f"date '{day}'" for day in days)


# Sets, and how they follow each other.


def audience_text(data: Data) -> str:
    """Both of two repos, and not Germany."""
    one, other = (f'"{repo}"' for repo in data.facts.repos[:2])
    return f"audience '{one} and {other} and not country = DE'"


def audience_sql(data: Data) -> str:
    """Both of two repos, and not Germany; and each set, with the part of it that is in the audience."""
    one, other = (quoted(repo) for repo in data.facts.repos[:2])
    return f"""
        with w as (select who, bool_or(repo = {one}) as a, bool_or(repo = {other}) as b, bool_or(country = 'DE') as c,
                          bool_or(user_hash <> '') as u
                   from {accepted("repo, country, user_hash")} group by who),
             n as (select *, a and b and not c as it from w)
        select unnest([count(*) filter (it), count(*) filter (a), count(*) filter (b), count(*) filter (c)]),
               unnest([count(*) filter (it and u), count(*) filter (a and u), count(*) filter (b and u), count(*) filter (c and u)]),
               unnest([{", ".join(millionth(f"count(*) filter (it and {x}) / count(*) filter ({x})") for x in ("it", *"abc"))}])
        from n"""


def unfold(rows: Rows) -> Rows:
    """Return a retention grid as (cohort, buckets later, downloaders), without what is zero or not there yet."""
    return [[row[0], later, value] for row in rows for later, value in enumerate(row[1:]) if value]


def retention_sql(_: Data) -> str:
    """Cohorts by first month."""
    return f"""
        with a as (select distinct who, year(ts) * 12 + month(ts) as m from {accepted("ts")}),
             f as (select who, min(m) as cohort from a group by who)
        select printf('%04d-%02d', (cohort - 1) // 12, (cohort - 1) % 12 + 1), m - cohort, count(*)
        from a join f using (who) group by cohort, m"""


def succession_sql(data: Data) -> str:
    """Of the downloaders of one repo, how many have touched another one by each week."""
    one, other = (quoted(repo) for repo in data.facts.repos[:2])
    return f"""
        with a as (select distinct who from {accepted("repo", f"repo = {one}")}),
             b as (select who, min(date_trunc('week', ts)) as week from {accepted("ts", f"repo = {other}")} group by who),
             w as (select distinct date_trunc('week', ts) as week from requests)
        select strftime(w.week, '%G-W%V'),
               (select count(*) from a join b using (who) where b.week <= w.week) from w"""


def pairs(rows: Rows) -> Rows:
    """Return pairs of repos that share someone, each in the order of the names."""
    return [
        [*sorted((one, other)), both, millionths(jaccard), millionths(lift)]
        for one, other, _, _, both, jaccard, lift in rows
        if both
    ]


def overlap_sql(data: Data) -> str:
    """Downloaders that each pair of the 50 largest repos shares; names that two types share are shown with theirs."""
    both_of_either = "count(*) / (any_value(s.n) + any_value(t.n) - count(*))"
    lift = "count(*) * (select count(distinct who) from " + accepted("1") + ") / (any_value(s.n) * any_value(t.n))"
    return f"""
        with top as (select repo_type, repo from requests group by all order by count(*) desc, repo limit 50),
             p as (select distinct {data.label} as r, who from {accepted("repo_type, repo")} join top using (repo_type, repo)),
             s as (select r, count(*) as n from p group by r)
        select a.r, b.r, count(*), {millionth(both_of_either)}, {millionth(lift)}
        from p a join p b using (who) join s on s.r = a.r join s t on t.r = b.r where a.r < b.r group by a.r, b.r"""


def first_seen_sql(_: Data) -> str:
    """New and returning downloaders of each month."""
    return f"""
        with a as (select distinct who, strftime(ts, '%Y-%m') as m from {accepted("ts")}),
             f as (select who, min(m) as cohort from a group by who)
        select m, count(*) filter (m = cohort), count(*) filter (m > cohort) from a join f using (who) group by m"""


# Counts, and what they are made of.


def compare_sql(data: Data) -> str:
    """Downloads by country of 28 days and of the 28 before, growth, and contribution to the change of the whole."""
    last = data.facts.newest_complete_day
    begin, before = last - timedelta(days=27), last - timedelta(days=55)
    span = f"ts >= '{before}' and ts < '{last + timedelta(days=1)}'"
    return f"""
        with d as (select country, ts >= '{begin}' as is_now, repo_type, repo, who, slot from {collapsing("country, ts", span)}),
             w as (select count(distinct (repo_type, repo, who, slot)) as n from d where not is_now),
             c as (select country, count(distinct (repo_type, repo, who, slot)) filter (is_now) as now,
                          count(distinct (repo_type, repo, who, slot)) filter (not is_now) as was from d group by country)
        select country, now, was, {millionth("(now - was) / nullif(was, 0)")}, {millionth("(now - was) / n")} from c, w"""


def explain_sql(_: Data) -> str:
    """What each step of three rules leaves."""
    rules = {
        "5min": ("method in ('GET', 'HEAD')", "count(distinct (repo_type, repo, who, slot))"),
        "files": ("method = 'GET'", "count(*)"),
        "daily": ("method in ('GET', 'HEAD')", "count(distinct (repo_type, repo, who, day))"),
    }
    names = ["lines", "filter", "internal", "method", "status", "collapse", "identity", "unique"]
    steps = ", ".join(f"('{name}', {name}_)" for name in names)
    of_rule = [
        f"""select '{rule}' as rule, lines as lines_, lines as filter_, lines as internal_,
                   count(*) filter ({method}) as method_, count(*) filter ({ACCEPTS[rule]}) as status_,
                   {collapse} filter ({ACCEPTS[rule]}) as collapse_,
                   {collapse} filter ({ACCEPTS[rule]} and known) as identity_,
                   count(distinct who) filter ({ACCEPTS[rule]} and known) as unique_
            from l, n group by lines"""
        for rule, (method, collapse) in rules.items()
    ]
    return f"""
        with l as (select method, status, repo_type, repo, {WINDOW} as slot, ts::date as day, {KNOWN} as known,
                          case when {KNOWN} then {WHO} else 'row ' || rowid end as who from requests),
             n as (select count(*) as lines from l),
             s as ({" union all ".join(of_rule)})
        select rule, step, n from (select rule, unnest([{steps}], recursive := true) from s) as u(rule, step, n)"""


def receipt_sql(data: Data) -> str:
    """What the numbers of the newest 30 days rest on."""
    end = data.facts.newest_complete_day + timedelta(days=1)
    accepts = ACCEPTS["5min"]
    return f"""
        with l as (select {accepts} and country = 'DE' as a, country = 'DE' as f, {KNOWN} as k
                   from requests where ts >= '{end - timedelta(days=30)}' and ts < '{end}')
        select unnest(['rows in range', 'left out by the filter', 'internal', 'left out by the rule', 'accepted',
                       'of these unidentified']),
               unnest([count(*), count(*) filter (not f), 0, count(*) filter (f and not a), count(*) filter (a),
                       count(*) filter (a and not k)]) from l"""


def counts(rows: Rows) -> Rows:
    """Return the lines of a receipt that are counts."""
    return [[item, int(value)] for item, value in rows if str(value).isdigit()]


def calendar_sql(data: Data) -> str:
    """Runs of days that are alike."""
    complete = data.facts.newest_complete_day
    return f"""
        with d as (select ts::date as day, count(*) as n from requests group by 1),
             a as (select unnest(generate_series((select min(day) from d), (select max(day) from d), interval 1 day))::date as day),
             s as (select day, coalesce(n, 0) as n, case when n is null then 'missing' when day <= '{complete}' then 'present'
                   else 'partial' end as state from a left join d using (day)),
             r as (select *, row_number() over (order by day) - row_number() over (partition by state order by day) as run from s)
        select 'logs', state, strftime(min(day), '%Y-%m-%d'), strftime(max(day), '%Y-%m-%d'), count(*), sum(n)::bigint
        from r group by state, run"""


def findings_sql(data: Data) -> str:
    """Days of the newest 30 whose requests are far from the median of their weekday of the four weeks before."""
    last = data.facts.newest_complete_day
    return f"""
        with d as (select ts::date as day, count(*) as n from requests group by 1),
             u as (select a.day, a.n, median(b.n) as usual from d a join d b
                   on b.day in (a.day - 7, a.day - 14, a.day - 21, a.day - 28)
                   where a.day > date '{last}' - 30 and a.day <= '{last}' group by a.day, a.n having count(*) >= 3)
        select case when n < 0.98 * usual then 'fall' else 'spike' end, strftime(day, '%Y-%m-%d') from u
        where usual >= 50 and (n < 0.98 * usual or 0.98 * n > usual)"""


def spikes_sql(_: Data) -> str:
    """Every day's downloads beside the median of its weekday before, for those that are far above it."""
    return f"""
        with c as (select ts::date as day, count(distinct (repo_type, repo, who, slot)) as n
                   from {collapsing("ts")} group by 1),
             e as (select a.day, a.n, median(b.n) as e from c a join c b
                   on b.day in (a.day - 7, a.day - 14, a.day - 21, a.day - 28) group by a.day, a.n)
        select strftime(day, '%Y-%m-%d'), n, (2 * e)::bigint from e where n >= 1.5 * e and n - e >= 10 and n - e >= 5 * sqrt(e)"""


def parts(rows: Rows) -> Rows:
    """Return the rows of an autopsy: counts, twice what was expected, shares in millionths."""
    return [
        [part, value, count, None if expected is None else int(2 * expected), millionths(share)]
        for part, value, count, expected, _, share in rows
    ]


def spike_sql(data: Data) -> str:
    """All that the autopsy of a day says: its parts beside what was expected, new and returning, concentration."""
    days = listed(data.day - timedelta(days=7 * weeks) for weeks in range(5))
    own = f"date '{data.day}'"
    before = [f"coalesce(sum(n) filter (day = {own} - {7 * weeks}), 0)" for weeks in range(1, 5)]
    expected = f"list_aggregate([{', '.join(before)}], 'median')"
    of = {
        "whole": "''",
        "repo": "label",
        "country": "country",
        "client": "client",
        "class": "class",
        "identity": "identity",
    }
    download = "count(distinct (repo_type, repo, who, slot))"
    counted = " union all ".join(
        f"select '{part}' as part, {column} as value, day, {download} as n from d group by {column}, day"
        for part, column in of.items()
    )
    wanted = f"{data.label} as label, country, {data.client} as client, {CLASS} as class, {IDENTITY} as identity"
    return f"""
        with d as materialized (select * from {collapsing(f"ts::date as day, {wanted}", f"ts::date in ({days})")}),
             n as ({counted}),
             g as (select part, value, coalesce(sum(n) filter (day = {own}), 0) as n, {expected} as e from n group by all),
             t as (select *, row_number() over (partition by part order by abs(n - e) desc, value = '', value) as place from g),
             f as (select who, min(ts::date) as first from {accepted("ts")} group by who),
             s as (select day, first = day as fresh, count(*) as n
                   from (select distinct day, who from d where identity <> '') join f using (who) group by all),
             w as (select fresh, coalesce(sum(n) filter (day = {own}), 0) as n, {expected} as e from s group by fresh),
             c as (select who, count(distinct (repo_type, repo, slot)) as n from d
                   where day = {own} and identity <> '' group by who),
             o as (select n, row_number() over (order by n, who) as i,
                          sum(n) over (order by n desc, who rows unbounded preceding) as most, sum(n) over () as all_n from c),
             x as (select max(n) as greatest, 1 + count(*) filter (5 * most < 4 * all_n) as of_most, count(*) as number,
                          sum(n) as all_n, 2 * sum(i * n) - (count(*) + 1) * sum(n) as above from o)
        select part, value, n::bigint, (2 * e)::bigint, {millionth("(n - e) / (select n - e from g where part = 'whole')")}
        from t where place <= 5
        union all select 'downloaders', if(fresh, 'new', 'returning'), n::bigint, (2 * e)::bigint,
                         {millionth("(n - e) / (select sum(n) - sum(e) from w)")} from w
        union all select 'concentration', 'greatest downloader', greatest, null, {millionth("greatest / all_n")} from x
        union all select 'concentration', 'downloaders of 80 %', of_most, null, {millionth("of_most / number")} from x
        union all select 'concentration', 'gini', number, null, {millionth("above / (number * all_n)")} from x"""


# Who they are.


def clients_sql(data: Data) -> str:
    """The ten clients with most downloaders, by month: lines, downloads, downloaders and their part."""
    download = "count(distinct (repo_type, repo, who, slot)) filter (ok)"
    return f"""
        with l as materialized (select strftime(ts, '%Y-%m') as month, {data.client} as client, repo_type, repo, {WINDOW} as slot,
                          {ACCEPTS["5min"]} as ok, {KNOWN} as known,
                          case when {KNOWN} then {WHO} else 'row ' || rowid end as who from requests),
             t as (select client from l group by client
                   order by count(distinct who) filter (ok and known) desc, client limit 10),
             m as (select month, count(distinct who) as n from l where ok and known group by month),
             c as (select month, client, count(distinct who) filter (ok and known) as who, count(*) as lines, {download} as n
                   from l join t using (client) group by month, client)
        select month, client, who, {millionth("who / m.n")}, lines, c.n, {millionth("lines / c.n")} from c join m using (month)"""


def versions_sql(data: Data) -> str:
    """The ten versions of a client with most downloaders."""
    return f"""
        with l as (select {data.version} as version, {WHO} as who, {ACCEPTS["5min"]} and {KNOWN} as ok
                   from requests where {data.client} = 'transformers')
        select version, count(distinct who) filter (ok), count(*) from l group by version
        order by 2 desc, 1 limit 10"""


def shared_sql(data: Data) -> str:
    """Addresses by how many agents they have."""
    agent = f"{data.client} as client, {data.version} as version, {key('python')} as python"
    return f"""
        with a as (select distinct {agent}, who from {accepted("user_agent", "user_hash = ''")}),
             n as (select who, count(*) as agents from a where client <> '' group by who)
        select agents, count(*), {millionth("count(*) / sum(count(*)) over ()")}, agents >= 5 from n group by agents"""


def resalt_sql(_: Data) -> str:
    """Neighbouring days: their downloaders, those of both, and what was expected; nobody was hashed anew."""
    return f"""
        with d as (select distinct {IDENTITY} as kind, ts::date as day, who from {accepted("user_hash, ip_hash, ts")}),
             n as (select kind, day, count(*) as n from d group by all),
             b as (select a.kind, a.day, count(*) as n from d a join d b
                   on a.kind = b.kind and a.who = b.who and b.day = a.day - 1 group by all),
             p as (select a.kind as kind, a.day as day, a.n as now, z.n as was, coalesce(b.n, 0) as n, least(a.n, z.n) as smaller
                   from n a join n z on z.kind = a.kind and z.day = a.day - 1 left join b on b.kind = a.kind and b.day = a.day),
             e as (select *, median(n / smaller) over before as usual, count(*) over before as pairs from p
                   window before as (partition by kind order by day rows between 7 preceding and 1 preceding))
        select strftime(day, '%Y-%m-%d'), strftime(day - 1, '%Y-%m-%d'), kind, now, was, n,
               if(pairs >= 3, {millionth("usual * smaller")}, null) from e"""


MACHINES_TOP = 100


def machines_sql(data: Data) -> str:
    """Those looked at with most requests, with each figure and reason."""
    bots = ", ".join(map(quoted, KNOWN_MACHINES))
    return f"""
        with l as materialized (select {WHO} as who, {IDENTITY} as kind, ts, repo_type, repo, method, epoch_ms(ts) // 3600000 as hour,
                          {data.is_ci} as ci, {data.client} in ({bots}) as bot from requests where {KNOWN}),
             r as (select count(distinct (repo_type, repo)) as repos from requests),
             e as (select who, any_value(kind) as kind, count(*) as n, count(distinct (repo_type, repo)) as repos,
                          count(*) filter (method = 'HEAD') as heads, count(*) filter (method = 'GET') as gets,
                          count(*) filter (ci) as ci, bool_or(bot) as known from l group by who having n >= 20 or ci > 0 or known),
             h as (select who, hour, count(distinct (repo_type, repo)) as repos from l where who in (select who from e) group by all),
             u as (select who, max(n) as usual from (select who, hour % 24 as at, count(*) as n from h group by all) group by who),
             v as (select who, count(*) as hours, max(repos) as in_hour, count(distinct hour // 24) as days,
                          24 * (max(hour // 24) - min(hour // 24) + 1) as between_hours from h group by who),
             t as (select who, hour // 24 as day, repo_type, repo, min(ts) as first from l
                   where who in (select who from e where repos >= 10) group by all),
             s as (select who, day, repo >= lag(repo) over (partition by who, day order by first, repo) as up from t),
             o as (select who, max(good / steps) as in_order
                   from (select who, day, count(*) filter (up) as good, count(*) - 1 as steps from s group by all)
                   where steps >= 9 group by who),
             a as (select *, list_filter([
                      if(ci > 0 and 2 * ci >= n, 'ci', ''), if(known, 'known', ''),
                      if(n >= 20 and e.repos >= greatest(10, least(100, r.repos // 2)), 'breadth', ''),
                      if(n >= 20 and in_hour >= greatest(10, least(50, r.repos // 4)), 'burst', ''),
                      if(n >= 20 and coalesce(in_order, 0) >= 0.9, 'sweep', ''),
                      if(n >= 20 and days >= 7 and (10 * usual >= 9 * hours or 10 * hours >= 9 * between_hours), 'cadence', ''),
                      if(heads >= 100 and heads >= 10 * gets, 'heads', '')], lambda reason: reason <> '') as why,
                      e.repos as own from e join v using (who) join u using (who) left join o using (who), r)
        select who[:8], kind, array_to_string(why, ', '), n, own, in_hour, {millionth("in_order")}, days, hours,
               {millionth("usual / hours")}, heads, gets, ci from a order by n desc, who limit {MACHINES_TOP}"""


def reconcile_sql(_: Data) -> str:
    """The Hub's numbers beside the logs', by day: residual, and the ratio under every rule but one."""
    of = []
    for rule, accepts in {**ACCEPTS, "5min-gap": ACCEPTS["5min"]}.items():
        if rule in WINDOWS_MS:
            # A window that divides a day is of one day.
            counted = f"count(distinct (repo_type, repo, who, epoch_ms(ts) // {WINDOWS_MS[rule]}))"
            of.append(f"select '{rule}' as rule, ts::date as day, {counted} as n from l where {accepts} group by 2")
        elif rule in GAPS_MS:
            following = "lead(epoch_ms(ts)) over (partition by repo_type, repo, who order by ts) - epoch_ms(ts)"
            last = f"select ts, {following} as gap from l where {accepts}"
            ends = f"gap is null or gap > {GAPS_MS[rule]}"
            of.append(f"select '{rule}', ts::date, count(*) from ({last}) where {ends} group by 2")
        else:
            of.append(f"select '{rule}', ts::date, count(*) from l where {accepts} group by 2")
    names = RECONCILED
    return f"""
        with l as materialized (select ts, repo_type, repo, method, status,
                          case when {KNOWN} then {WHO} else 'row ' || rowid end as who from requests),
             r as materialized ({" union all ".join(of)}),
             h as (select day, sum(downloads) as hub from hub group by day),
             d as (select day, hub, n from h join r using (day) where rule = '5min' and day < (select max(day) from hub)),
             u as (select sum(n) / sum(hub) as usual from d)
        select strftime(d.day, '%Y-%m-%d'), hub::bigint, n, floor((n - hub * usual) * 1e3 + 0.5)::bigint,
               {", ".join(millionth(f"(select r.n / hub from r where r.rule = '{name}' and r.day = d.day)") for name in names)}
        from d, u"""


RECONCILED = ("5min", "5min-gap", "requests", "files", "fetches", "counter", "counter-unique", "counter-hub", "daily")


def reconciled(rows: Rows) -> Rows:
    """Return what SQL gives as well: not the state, not the ratio under `5min-first`."""
    # day, state, hub, downloads, ratio, usual, residual, then a ratio for each rule, in the order of the reference.
    order = ("5min", "5min-first", "5min-gap", "requests", "files", "fetches", "counter", "counter-unique", "counter-hub", "daily")
    at = [7 + order.index(name) for name in RECONCILED]
    return [
        [row[0], row[2], row[3], math.floor(row[6] * 1e3 + 0.5), *(millionths(row[place]) for place in at)]
        for row in rows
        if not row[1]
    ]


ANALYSES = (
    Analysis("audience", audience_text, audience_sql, lambda rows: ratios(2)(columns(1, 2, 4)(rows))),
    Analysis("overlap of 50 repos", lambda _: "overlap top 50", overlap_sql, pairs),
    Analysis("retention by month", lambda _: "retention by month", retention_sql, unfold),
    Analysis(
        "succession",
        lambda data: f'succession "{data.facts.repos[0]}" "{data.facts.repos[1]}"',
        succession_sql,
        columns(0, 4),
    ),
    Analysis("new, returning by month", lambda _: "new, returning by month", first_seen_sql),
    Analysis(
        "compare by country",
        lambda _: "compare downloads by country last 28d vs previous",
        compare_sql,
        ratios(3, 4),
    ),
    Analysis("waterfall, three rules", lambda _: "explain-count", explain_sql, columns(0, 1, 2)),
    Analysis("spike autopsy", lambda data: f"spike {data.day}", spike_sql, parts),
    Analysis(
        "spikes",
        lambda data: f"spikes top {data.facts.rows}",
        spikes_sql,
        lambda rows: [[day, count, int(2 * expected)] for day, count, expected, _, is_spike in rows if is_spike],
    ),
    Analysis("clients by month", lambda _: "clients by month", clients_sql, ratios(3, 6), needs_agents=True),
    Analysis(
        "versions of a client", lambda _: "clients transformers", versions_sql, columns(0, 1, 3), needs_agents=True
    ),
    Analysis("shared addresses", lambda _: "shared", shared_sql, ratios(2), needs_agents=True),
    Analysis("machines", lambda _: f"machines all top {MACHINES_TOP}", machines_sql, ratios(6, 9)),
    Analysis("resalt", lambda _: "resalt", resalt_sql, lambda rows: ratios(6)([row[:7] for row in rows])),
    Analysis("calendar", lambda _: "calendar", calendar_sql, lambda rows: [row for row in rows if row[0] == "logs"]),
    Analysis(
        "findings: falls, spikes",
        lambda _: "findings drop 2%",
        findings_sql,
        lambda rows: [[kind, day] for kind, source, day, _ in rows if kind in ("fall", "spike") and source == "logs"],
    ),
    Analysis("reconcile by day", lambda _: "reconcile by day top 100000", reconcile_sql, reconciled, needs_hub=True),
    Analysis("receipt", lambda _: "receipt downloads where country = DE last 30d", receipt_sql, counts),
)
