#!/bin/sh
# Proves as much of the containers as can be proven without a container engine: takes the very files
# that the Dockerfile copies into an empty folder, runs the very install step in a fresh virtual
# environment, then `monet` as a BIDS-App would be: the sample scan, input read-only, by a model that
# ships. Needs Debian (or alike) with Python 3.11 or newer; some minutes.
#   packaging/container/check.sh [FOLDER]     FOLDER: where to work; default: a temporary one
set -eu
cd "$(dirname "$0")/../.."
recipes=packaging/container
work=${1:-$(mktemp -d)}
mkdir -p "$work"
work=$(cd "$work" && pwd)

copied=$(sed -n 's/^COPY \([^ ]*\) \([^ ]*\)$/\1/p' $recipes/Dockerfile)
listed=$(sed -n 's#^ *\([^ ]*\) /opt/monet/[^ ]*$#\1#p' $recipes/monet.def)
[ "$copied" = "$listed" ] || { echo "Dockerfile and monet.def copy other files" >&2; exit 1; }
for recipe in Dockerfile monet.def; do
    grep -q "sh $recipes/install.sh" $recipes/$recipe ||
        { echo "$recipe does not run install.sh" >&2; exit 1; }
done

rm -rf "$work/tree" "$work/venv" "$work/in" "$work/out"
for path in $copied; do
    mkdir -p "$work/tree/$(dirname "$path")"
    cp -R "$path" "$work/tree/$path"
done
python3 -m venv "$work/venv"
(cd "$work/tree" && PYTHON="$work/venv/bin/python" sh $recipes/install.sh)
rm -rf "$work/tree"

if "$work/venv/bin/python" -m pip list 2>/dev/null | grep -i -E '^(pyside|pyqt|qtpy|napari|vispy)'
then echo "the containers are to have no window" >&2; exit 1; fi
cd "$work"
export HOME="$work" XDG_CACHE_HOME="$work/cache" MPLCONFIGDIR="$work/matplotlib"
monet="$work/venv/bin/monet"
"$monet" --version
"$monet" --help >/dev/null
mkdir -p in/sub-01/anat
sample=$("$work/venv/bin/python" -c 'from monet_resources import SAMPLE; print(SAMPLE)')
cp "$sample" in/sub-01/anat/sub-01_T1w.nii.gz
printf '{"Name": "check", "BIDSVersion": "1.9.0"}\n' > in/dataset_description.json
chmod -R a-w in
"$monet" bids in out participant --model malc-2mm --no-mirror --overlap 0.1
find out -name '*_dseg.nii.gz' | grep -q . || { echo "no segmentation was written" >&2; exit 1; }
"$monet" bids in out group
chmod -R u+w in
echo "The install step stands; segmented: $(find out -name '*_dseg.nii.gz' | tr '\n' ' ')"
