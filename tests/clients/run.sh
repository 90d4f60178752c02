#!/usr/bin/env bash
# Serves the demo store and lets the programs that people have ask it: clients.py with what it needs, from PyPI.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${FOOTFALL:-target/debug/footfall}
[ -x "$program" ] || cargo build --package footfall --locked
program=$(realpath "$program")
venv=target/clients/venv
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check pandas polars duckdb prometheus-client
place=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$place"' EXIT
(cd "$place" && "$program" -q demo)
"$program" --store "$place/demo-store" serve --listen none --http 127.0.0.1:0 2>"$place/said" &
server=$!
until address=$(sed -n 's/^http: //p' "$place/said") && [ -n "$address" ]; do
  kill -0 "$server"
  sleep 0.1
done
"$venv/bin/python" tests/clients/clients.py "$address"
