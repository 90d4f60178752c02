"""Programs that people have, asking a server: curl, pandas, Polars, DuckDB, Prometheus' own parser.

    tests/clients/run.sh

Says what it asked, and ends with 1 if an answer is not the one that the others got. What is not installed is
skipped and said.
"""

import importlib
import json
import subprocess
import sys
import urllib.parse
import urllib.request

BASE = sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://127.0.0.1:4816"
QUERY = "downloads, downloaders by country where repo_type = model last 90d"


def url(form):
    return f"{BASE}/api/v1/query?" + urllib.parse.urlencode({"q": QUERY, "format": form})


def get(address, headers=None):
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers or {})) as answer:
        return answer.read().decode()


def expected():
    rows = json.loads(get(url("json")))["rows"]
    return sorted((country or "", downloads, downloaders) for country, downloads, downloaders in rows)


def rows_of(frame):
    rows = frame.to_dict("records") if hasattr(frame, "to_dict") and not hasattr(frame, "to_dicts") else frame.to_dicts()
    return sorted((row["country"] or "", int(row["downloads"]), int(row["downloaders"])) for row in rows)


def by_pandas():
    import pandas

    return rows_of(pandas.read_csv(url("csv"), keep_default_na=False))


def by_polars():
    import polars

    return rows_of(polars.read_csv(url("csv"), null_values=[]).with_columns(polars.col("country").fill_null("")))


def by_polars_ndjson():
    import polars

    lines = get(url("ndjson")).splitlines()[:-1]  # the last one is what the numbers mean
    return rows_of(polars.read_ndjson("\n".join(lines).encode()))


def by_duckdb():
    import duckdb

    with open("/tmp/footfall-clients.csv", "w") as file:
        file.write(get(url("csv")))
    rows = duckdb.sql(
        "select coalesce(country, ''), downloads, downloaders from read_csv('/tmp/footfall-clients.csv', nullstr = '')"
    ).fetchall()
    return sorted(rows)


def by_curl():
    text = subprocess.run(["curl", "-fsS", url("tsv")], check=True, capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in text.splitlines()[1:]]
    return sorted((country, int(downloads), int(downloaders)) for country, downloads, downloaders in rows)


def prometheus():
    from prometheus_client.parser import text_string_to_metric_families

    families = {family.name: family for family in text_string_to_metric_families(get(f"{BASE}/metrics"))}
    assert families["footfall_rows"].samples[0].value > 0
    assert families["footfall_query_seconds"].type == "histogram"
    return len(families)


def hub_command():
    """The command that the Hub documents, with the host changed."""
    repo = json.loads(get(f"{BASE}/api/v1/query?q=requests+by+org+top+1"))["rows"][0][0]
    path = f"/organizations/{repo}/settings/publisher-analytics/download-breakdown"
    command = ["curl", "-fsS", "-H", "Authorization: Bearer none", BASE + path]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert text.startswith("repoType,repoName,total,timestamp,downloads\n"), text[:80]
    return text.count("\n") - 1


def grafana():
    """The request of the Infinity data source in cli/docs/server.md."""
    address = f"{BASE}/api/v1/query?q=downloads+by+day+last+90d&format=json"
    rows = json.loads(get(address, {"Accept": "*/*"}))["rows"]
    assert len(rows) == 90 and all(isinstance(count, int) for _, count in rows)
    return len(rows)


def main():
    want, failed = expected(), False
    print(f"{len(want)} countries")
    for name, ask in [
        ("curl", by_curl),
        ("pandas", by_pandas),
        ("polars", by_polars),
        ("polars ndjson", by_polars_ndjson),
        ("duckdb", by_duckdb),
    ]:
        try:
            same = ask() == want
        except ImportError as error:
            print(f"{name}: skipped, {error}")
            continue
        failed |= not same
        print(f"{name}: {'the same' if same else 'DIFFERENT'}")
    for name, check in [("prometheus", prometheus), ("the Hub's command", hub_command), ("grafana", grafana)]:
        try:
            print(f"{name}: {check()}")
        except ImportError as error:
            print(f"{name}: skipped, {error}")
    sys.exit(1 if failed else 0)


main()
