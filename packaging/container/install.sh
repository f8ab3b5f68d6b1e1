#!/bin/sh
# The one install step of the containers (Dockerfile, monet.def), run from the project's root: the
# engine and `monet`, with Dask, without any window. check.sh tests it in a fresh virtual environment.
#   PYTHON   the Python to install into; default: python3
#   WHEELS   a further index of wheels: PyTorch's for one CUDA version, or for the CPU alone
#            (smaller); default, "registry": the torch that the package registry has
set -eu
index=${WHEELS:-registry}
if [ "$index" = registry ]; then set --; else set -- --extra-index-url "$index"; fi
exec "${PYTHON:-python3}" -m pip install --no-cache-dir --disable-pip-version-check \
    --root-user-action ignore -c packaging/constraints.txt "$@" ".[cluster]"
