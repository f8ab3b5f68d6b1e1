#!/bin/sh
# The README's second command: set up, then lint, types, layering and tests with coverage.
# Words after the script's name go to pytest instead, e.g. packaging/test.sh -m slow
set -eu
cd "$(dirname "$0")/.."
. packaging/setup.sh
bin=.venv/bin
if [ $# -gt 0 ]; then exec $bin/python -m pytest "$@"; fi
$bin/ruff check .
$bin/ruff format --check .
$bin/mypy
$bin/lint-imports
# One process a core, each with one thread: faster than one process with all of them.
export OMP_NUM_THREADS=1
$bin/python -m pytest -n logical --maxprocesses 4 --cov --cov-report= --durations 25
$bin/coverage report --skip-covered --fail-under=90
