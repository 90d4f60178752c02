"""Parquet files compressed by zstd and sorted by (repo, ts), written by DuckDB: what DataFusion and Polars read."""

from __future__ import annotations

from pathlib import Path

import duckdb

from engines import Loaded
from engines.dialect import Dialect
from engines.duckdb import select_sql
from engines.peer import Peer, Stopwatch, csv_header

COLUMNS = """
ts::timestamp_ms as ts, status, method, repo_type, repo,
(case when user_hash <> '' then 1 when ip_hash <> '' then 2 else 0 end)::utinyint as who_kind,
unhex(case when user_hash <> '' then user_hash else ip_hash end) as who,
unhex(case when user_hash <> '' then ip_hash else '' end) as other_ip,
country, region{agent}
"""

DIALECT = Dialect(
    who=("who_kind", "who"),
    known="who_kind <> 0",
    signed_in="who_kind = 1",
    # Bytes, written as hex when the answer is compared.
    label="who1",
    epoch_ms="cast(ts as bigint)",
    day="cast(ts as date)",
    month="date_trunc('month', ts)",
    weekday="extract(isodow from ts)",
    hour_of_day="extract(hour from ts)",
    instant="timestamp '{}'",
    integer_division="{} / {}",
)


class Parquet(Peer):
    """An engine that reads the files as they are."""

    store_name = "parquet"
    store_title = "Parquet"

    def load_here(self, exports: Path, store: Path) -> Loaded:
        """Write one more file."""
        store.mkdir(parents=True, exist_ok=True)
        file = store / f"{len(list(store.iterdir())):04}.parquet"
        agent = ", user_agent" if "userAgent" in csv_header(exports) else ""
        watch = Stopwatch()
        connection = duckdb.connect()
        connection.execute(f"set temp_directory = '{store.parent}/spill'")
        connection.execute(
            f"copy (select {COLUMNS.format(agent=agent)} from ({select_sql(exports)}) order by repo, ts) "
            f"to '{file}' (format parquet, compression zstd)"
        )
        connection.close()
        return watch.loaded()
