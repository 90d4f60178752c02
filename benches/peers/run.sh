#!/usr/bin/env bash
# Makes the peers' Python environment under target/ once, then runs the benchmark (see README.md), or its own tests: `run.sh test`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=${CARGO_TARGET_DIR:-$here/../../target}/peers/venv
stamp=$venv/requirements.txt
if ! cmp -s "$here/requirements.txt" "$stamp"; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$stamp"
fi
export PYTHONDONTWRITEBYTECODE=1
if [ "${1-}" = test ]; then
    exec "$venv/bin/python" -m unittest discover "$here"
fi
exec "$venv/bin/python" "$here/run.py" "$@"
