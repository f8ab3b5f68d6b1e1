"""How cost grows: a training step with voxels and with classes, segmenting with scans.

A step is that of `step.py` (width 16, 4 levels, bf16): patches of 32^3 to 128^3 voxels with
139 + 16 classes, and 64^3 with up to 500 classes, ours and plain PyTorch. Whole scans are the cubes
of `whole_scan.py`, tiles of 128^3 overlapping by a half. Scans are
copies of the sample's head, each moved by some voxels, segmented in one run by the model that
ships; memory is the peak of the whole run. Figures are medians, kept in `results/growth-*.json`.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np
import step
from side_by_side import RESULTS, Way, machine, peak_in_fresh_process
from step import our_step, plain_step
from whole_scan import cube
from whole_scan import way as whole_scan

SIDES = (32, 64, 96, 128)
CLASSES = (16, 70, 139, 250, 500)
CUBES = (96, 128, 192, 256)
SCANS = (1, 2, 4)


def main() -> None:
    """Measure all series, or those named; print and keep them."""
    series = {"voxels": by_voxels, "classes": by_classes, "whole": by_size, "scans": by_scans}
    for name in sys.argv[1:] or series:
        series[name]()


def by_voxels() -> None:
    """A step with patches of different sizes."""
    found = [figures(partial(our_step, side)) for side in SIDES]
    keep("growth-step-voxels", "training step", "voxels", [n**3 for n in SIDES], ours=found)


def by_classes() -> None:
    """A step with different numbers of classes."""
    ours = [figures(partial(with_classes, our_step, n)) for n in CLASSES]
    plain = [figures(partial(with_classes, plain_step, n)) for n in CLASSES]
    keep("growth-step-classes", "training step, 64^3", "classes", CLASSES, ours=ours, plain=plain)


def by_size() -> None:
    """Whole scans of different sizes."""
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for side in CUBES:
            image = Path(folder) / f"{side}.npy"
            np.save(image, cube(side))
            found.append(figures(partial(whole_scan, "ours", image, 0.5), repeats=1))
    keep("growth-whole-scan", "whole scan", "voxels", [n**3 for n in CUBES], ours=found)


def by_scans() -> None:
    """Runs over different numbers of scans."""
    found = [figures(partial(segmenting, n), repeats=1) for n in SCANS]
    keep("growth-scans", "segmenting in one run", "scans", SCANS, ours=found)


def figures(make: Callable[[], Callable[[], object]], repeats: int = 3) -> tuple[float, int]:
    """Median seconds of a call, and bytes of peak memory of the first call."""
    call = make()
    if repeats > 1:
        call()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), peak_in_fresh_process(Way("", make))


def with_classes(make: Callable[[int], Callable[[], object]], n: int) -> Callable[[], object]:
    """A step at 64^3 whose full decoder has `n` classes."""
    step.DECODERS["full"] = n
    return make(64)


def segmenting(n: int) -> Callable[[], object]:
    """`n` scans through `segment_many` with the model that ships."""
    from monet_core.models import load_model, resolve_model
    from monet_core.segmenting import SegmentSettings, segment_many

    head = nib.load(next((Path("resources") / "monet_resources").rglob("*colin27*.nii.gz")))
    voxels = np.asarray(head.dataobj)
    folder = Path(tempfile.mkdtemp())
    for number in range(n):
        moved = np.roll(voxels, number, axis=2)
        nib.save(nib.Nifti1Image(moved, head.affine), folder / f"sub-{number:02}_T1w.nii.gz")
    model = load_model(resolve_model("malc-2mm"))
    settings = SegmentSettings(mirror=False, overlap=0.25)
    return lambda: segment_many([folder], model, folder / "out", settings)


def keep(
    name: str, title: str, axis: str, x: Sequence[int], **ways: list[tuple[float, int]]
) -> None:
    """Print the figures and write them to `results`."""
    found = {
        way: {"seconds": [s for s, _ in values], "peak_bytes": [p for _, p in values]}
        for way, values in ways.items()
    }
    RESULTS.mkdir(exist_ok=True)
    text = {"title": title, "axis": axis, "x": list(x), "ways": found, "machine": machine()}
    (RESULTS / f"{name}.json").write_text(json.dumps(text, indent=1) + "\n")
    for way, values in ways.items():
        cells = zip(x, values, strict=True)
        row = ", ".join(f"{a}: {s:.2f} s {p / 1e9:.2f} GB" for a, (s, p) in cells)
        print(f"{title} ({axis}) {way}: {row}", flush=True)


if __name__ == "__main__":
    main()
