#!/usr/bin/env bash
# fuzz.sh [--seconds N]: random requests to each door of a server for N seconds (default 600): to HTTP what schemathesis,
# from PyPI, makes of /openapi.json, then to the line protocol what tests/tests/server/fuzz.rs makes. Ends with
# another code than 0 if the server ends, answers 5xx, or does not answer in time.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=600
[ "${1:-}" != --seconds ] || seconds=$2
program=${FOOTFALL:-target/debug/footfall}
[ -x "$program" ] || cargo build --package footfall --locked
program=$(realpath "$program")
venv=target/fuzz/venv
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
[ -x "$venv/bin/schemathesis" ] || "$venv/bin/pip" install --quiet --disable-pip-version-check schemathesis
place=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$place"' EXIT
(cd "$place" && "$program" -q demo)
"$program" --store "$place/demo-store" serve --listen none --http 127.0.0.1:0 --badge '*' 2>"$place/said" &
server=$!
until address=$(sed -n 's/^http: //p' "$place/said") && [ -n "$address" ]; do
  kill -0 "$server"
  sleep 0.1
done
schemathesis=$(realpath "$venv/bin/schemathesis")
# It keeps what it found where it runs.
cd "$place"
"$schemathesis" run "${address}openapi.json" --max-time "$seconds" --request-timeout 20 --max-response-time 20 \
  --checks not_a_server_error,status_code_conformance,content_type_conformance --continue-on-failure \
  --warnings off --no-color
cd - >/dev/null
kill -0 "$server"
curl -fsS --max-time 20 "${address}healthz"
FOOTFALL_FUZZ_SECONDS=$seconds cargo test --quiet --locked -p footfall-tests --test server -- --nocapture no_line_is
