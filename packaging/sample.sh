#!/bin/sh
# The README's first command: set up, then segment the scan that ships (or what is asked for:
# any words after the script's name go to `monet`).
set -eu
cd "$(dirname "$0")/.."
. packaging/setup.sh
if [ $# -eq 0 ]; then set -- sample --out sample-out; fi
exec .venv/bin/monet "$@"
