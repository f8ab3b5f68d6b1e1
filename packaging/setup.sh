#!/bin/sh
# All set-up in one place: sourced, from the project root, by sample.sh and test.sh (README).
# Makes .venv beside the project and installs it there, again only when pyproject.toml changed.
# Needs Debian (or alike) with Python 3.11 or newer; installs the venv module where it is missing.
set -eu

python=${PYTHON:-python3}
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    echo "Installing python3-venv (Debian ships Python without it)" >&2
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root apt-get update -qq
    $as_root apt-get install -y -qq python3-venv
fi

installed=.venv/.installed
wanted="$(cat pyproject.toml packaging/constraints.txt | cksum) ${EXTRAS:-dev}"
if [ ! -f "$installed" ] || [ "$(cat "$installed")" != "$wanted" ]; then
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        -c packaging/constraints.txt -e ".[${EXTRAS:-dev}]"
    echo "$wanted" > "$installed"
fi
