"""DuckDB as one who knows it would lay the logs out: dense ids, enums, sorted by (repo, ts)."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import duckdb

from engines import Loaded
from engines.duckdb import FILE, DuckDb, select_sql, table_sql
from engines.peer import Stopwatch

STAGING = "staging.duckdb"

KIND = "case when user_hash <> '' then 1 when ip_hash <> '' then 2 else 0 end"

ENUMS = ("method", "repo_type", "repo", "country", "region")

DOWNLOADERS = f"""
create table downloaders as select (row_number() over ())::uinteger as id, kind, hash from (
    select distinct ({KIND})::utinyint as kind, unhex(case when user_hash <> '' then user_hash else ip_hash end) as hash
    from staging.requests where user_hash <> '' or ip_hash <> ''
    union select 2, unhex(ip_hash) from staging.requests where user_hash <> '' and ip_hash <> ''
)
"""

REQUESTS = f"""
create table requests as select
    ts, status, method::method as method, repo_type::repo_type as repo_type, repo::repo as repo,
    ({KIND})::utinyint as who_kind, coalesce(known.id, 0)::uinteger as who, coalesce(other.id, 0)::uinteger as other_ip,
    country::country as country, region::region as region{{agent}}
from staging.requests
left join downloaders as known on known.kind = ({KIND})
    and known.hash = unhex(case when user_hash <> '' then user_hash else ip_hash end)
left join downloaders as other on user_hash <> '' and ip_hash <> '' and other.kind = 2 and other.hash = unhex(ip_hash)
order by repo, ts
"""
"""The address kept beside a user has an id too: nothing of the export is lost."""


class DuckDbIds(DuckDb):
    """DuckDB with a dictionary of downloaders and a sorted table."""

    name = "duckdb-ids"
    title = "DuckDB ids"
    dialect = dataclasses.replace(
        DuckDb.dialect,
        who=("who",),
        known="who <> 0",
        signed_in="who_kind = 1",
        label="coalesce(lower(hex(hash)), '')",
        named=" left join downloaders on id = who0",
    )

    def load_here(self, exports: Path, store: Path) -> Loaded:
        """Add all files to a plain table in a file of its own."""
        store.mkdir(parents=True, exist_ok=True)
        watch = Stopwatch()
        connection = duckdb.connect(str(store / STAGING))
        connection.execute("set preserve_insertion_order = false")
        connection.execute(table_sql(exports))
        connection.execute(f"insert into requests {select_sql(exports)}")
        connection.close()
        return watch.loaded()

    def finish_here(self, store: Path) -> Loaded:
        """Make the ids, sort, write."""
        connection = duckdb.connect(str(store / FILE))
        watch = Stopwatch()
        connection.execute(f"attach '{store / STAGING}' as staging (read_only)")
        for name in ENUMS:
            connection.execute(f"create type {name} as enum (select distinct {name} from staging.requests order by 1)")
        connection.execute(DOWNLOADERS)
        columns = connection.execute("select column_name from (describe staging.requests)").fetchall()
        agent = ", user_agent" if ("user_agent",) in columns else ""
        connection.execute(REQUESTS.format(agent=agent))
        connection.execute("checkpoint")
        loaded = watch.loaded()
        connection.close()
        (store / STAGING).unlink()
        return loaded
