#!/usr/bin/env bash
# Makes the peers' Python environment under target/ once, then runs what is asked for (see README.md).
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
case ${1-} in
    test) exec "$venv/bin/python" -m unittest discover "$here" ;;
    fuzz | growth | shapes | ingest | parts | analyses | show) exec "$venv/bin/python" "$here/$1.py" "${@:2}" ;;
    *) exec "$venv/bin/python" "$here/run.py" "$@" ;;
esac
