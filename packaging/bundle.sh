#!/bin/sh
# Builds the one-folder application into dist/monet-studio and proves it: the frozen program opens
# its window, loads the sample, segments it, takes a screenshot and exits. Prints sizes and times.
#   packaging/bundle.sh             build, then smoke test
#   packaging/bundle.sh smoke       smoke test of what was built
set -eu
cd "$(dirname "$0")/.."
. packaging/setup.sh
if [ "${1:-build}" = build ]; then
    .venv/bin/pyinstaller --noconfirm --clean --log-level WARN \
        --distpath dist --workpath build/pyinstaller packaging/monet_studio.spec
    cp packaging/monet-studio.desktop resources/monet_resources/icons/monet-studio.png \
        dist/monet-studio/
fi
exec .venv/bin/python packaging/smoke.py dist/monet-studio
