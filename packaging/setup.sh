#!/bin/sh
# All set-up in one place: sourced, from the project root, by sample.sh and test.sh (README).
# Makes .venv beside the project and installs it there, again only when pyproject.toml changed.
# Needs Debian (or alike) with Python 3.11 or newer; installs the venv module where it is missing.
set -eu

python=${PYTHON:-python3}
extras=${EXTRAS:-dev,app}

install_packages() {
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    echo "Installing $*" >&2
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}

if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    install_packages python3-venv
fi
# What Qt and OpenGL need of the system to open a window, and Xvfb, the screen of the tests.
case ",$extras," in *,app,*)
    window="libegl1 libgl1 libgl1-mesa-dri libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4
        libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0
        libdbus-1-3 libfontconfig1 fonts-dejavu-core xvfb"
    # shellcheck disable=SC2086
    if command -v dpkg-query >/dev/null &&
        ! dpkg-query -W $window >/dev/null 2>&1; then
        install_packages $window
    fi
esac

installed=.venv/.installed
wanted="$(cat pyproject.toml packaging/constraints.txt | cksum) $extras"
if [ ! -f "$installed" ] || [ "$(cat "$installed")" != "$wanted" ]; then
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        -c packaging/constraints.txt -e ".[$extras]"
    echo "$wanted" > "$installed"
fi
