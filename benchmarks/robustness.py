"""What a model keeps of its Dice when a scan is turned, cropped, noisy, thick-sliced or inverted.

Each of the two validation scans is changed together with its manual labels, written as a scanner
would have stored it, segmented by `segment` as a user would, and compared with the changed labels:
over the 132 evaluated regions by the full decoder, over the 15 sub-cortical ones by the partial
one. Regions that a crop leaves out do not count; those that it cuts do.

    python benchmarks/robustness.py [--model MODEL] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from monet_core.evaluation import dice_per_region, region_set
from monet_core.models import Model, load_model, resolve_model, shipped_model
from monet_core.preprocessing import resample
from monet_core.protocols import find_mapping
from monet_core.scans import LabelMap, Scan, read_labels, read_scan
from monet_core.scans.geometry import Geometry
from monet_core.scans.scan import SpatialForms
from monet_core.scans.writing import write_volume
from monet_core.segmenting import segment

VALIDATION = Path(__file__).parents[2] / "shared" / "data" / "malc" / "validation"
RESULTS = Path(__file__).parent / "results"
Change = Callable[[Scan, LabelMap], tuple[Scan, LabelMap]]


def turned(degrees: float, axis: str) -> Change:
    """The head turned in the scanner, about the middle of the field of view."""

    def change(scan: Scan, labels: LabelMap) -> tuple[Scan, LabelMap]:
        geometry = scan.geometry
        middle = geometry.affine @ [*(np.array(geometry.shape) - 1) / 2, 1]
        turn = np.eye(4)
        turn[:3, :3] = Rotation.from_euler(axis, degrees, degrees=True).as_matrix()
        turn[:3, 3] = middle[:3] - turn[:3, :3] @ middle[:3]
        return _onto(scan, labels, _wider(geometry), turn)

    return change


def thick_slices(mm: float) -> Change:
    """Slices of `mm` along the last axis, each the mean over its thickness."""

    def change(scan: Scan, labels: LabelMap) -> tuple[Scan, LabelMap]:
        geometry = scan.geometry
        factor = mm / geometry.spacing[2]
        scaled = np.diag([1, 1, factor, 1.0])
        scaled[2, 3] = (factor - 1) / 2
        shape = (*geometry.shape[:2], int(geometry.shape[2] / factor))
        return _onto(scan, labels, Geometry(shape, geometry.affine @ scaled), np.eye(4))

    return change


def cropped(side: str, share: float) -> Change:
    """The lowest ("I") or highest ("S") share of the brain's height left out."""

    def change(scan: Scan, labels: LabelMap) -> tuple[Scan, LabelMap]:
        up = scan.geometry.affine[2, :3]
        axis = int(np.abs(up).argmax())
        inside = np.flatnonzero(labels.data.any(axis=tuple(a for a in range(3) if a != axis)))
        cut = round(share * (inside[-1] - inside[0]))
        from_start = (up[axis] > 0) == (side == "I")
        first, last = (inside[0] + cut, None) if from_start else (0, inside[-1] - cut + 1)
        window = [slice(None)] * 3
        window[axis] = slice(first, last)
        affine = scan.geometry.affine.copy()
        affine[:3, 3] += affine[:3, axis] * first
        data = scan.data[tuple(window)]
        return _pair(scan, labels, data, labels.data[tuple(window)], Geometry(data.shape, affine))

    return change


def noisy(share: float) -> Change:
    """Gaussian noise over the whole field of view, of a share of the brain's mean."""

    def noise(data: NDArray, brain: NDArray) -> NDArray:
        rng = np.random.default_rng(0)
        return data + rng.normal(0, share * data[brain].mean(), data.shape)

    return _intensities(noise)


def biased(share: float) -> Change:
    """A smooth gain between 1 - share and 1 + share."""

    def gain(data: NDArray, _: NDArray) -> NDArray:
        coarse = np.random.default_rng(1).uniform(-1, 1, (3, 3, 3))
        field = ndimage.zoom(
            coarse, np.array(data.shape) / 3, order=3, grid_mode=True, mode="nearest"
        )
        return data * (1 + share * np.clip(field, -1, 1))

    return _intensities(gain)


def inverted(scan: Scan, labels: LabelMap) -> tuple[Scan, LabelMap]:
    """CSF bright and white matter dark, as in T2; the background stays black."""

    def invert(data: NDArray, brain: NDArray) -> NDArray:
        return np.where(brain, np.percentile(data[brain], 99.5) - data, 0).clip(0)

    return _intensities(invert)(scan, labels)


def _intensities(function: Callable[[NDArray, NDArray], NDArray]) -> Change:
    def change(scan: Scan, labels: LabelMap) -> tuple[Scan, LabelMap]:
        data = function(scan.data.astype(np.float32), scan.data > 0)
        return _pair(scan, labels, data, labels.data, scan.geometry)

    return change


def _onto(scan: Scan, labels: LabelMap, target: Geometry, moved: NDArray) -> tuple[Scan, LabelMap]:
    data = resample(scan.data.astype(np.float32), scan.geometry, target, moved)
    truth = resample(labels.data, labels.geometry, target, moved, "label")
    return _pair(scan, labels, data, truth, target)


def _pair(
    scan: Scan, labels: LabelMap, data: NDArray, truth: NDArray, geometry: Geometry
) -> tuple[Scan, LabelMap]:
    forms = SpatialForms(geometry.affine, 1, geometry.affine, 1)
    return (
        replace(scan, data=data.astype(np.float32), geometry=geometry, forms=forms),
        replace(labels, data=truth, geometry=geometry, forms=forms),
    )


def _wider(geometry: Geometry, voxels: int = 30) -> Geometry:
    """Room for what a rotation moves out of the field of view."""
    affine = geometry.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ np.full(3, voxels)
    x, y, z = (n + 2 * voxels for n in geometry.shape)
    return Geometry((x, y, z), affine)


CHANGES: dict[str, Change] = {
    "as it is": lambda scan, labels: (scan, labels),
    "turned 10 degrees (nodding)": turned(10, "x"),
    "turned 30 degrees (nodding)": turned(30, "x"),
    "turned 30 degrees (tilted)": turned(30, "y"),
    "turned 30 degrees (looking aside)": turned(30, "z"),
    "slices of 2 mm": thick_slices(2),
    "slices of 4 mm": thick_slices(4),
    "noise of 5 %": noisy(0.05),
    "noise of 10 %": noisy(0.10),
    "bias field of 30 %": biased(0.3),
    "contrast inverted": inverted,
    "lowest fifth cropped": cropped("I", 0.2),
    "highest fifth cropped": cropped("S", 0.2),
}


def dice(model: Model, scan: Scan, truth: LabelMap, folder: Path) -> dict[str, float]:
    """Mean Dice per decoder of the scan, written to `folder` and segmented from there."""
    path = folder / "sub-x_T1w.nii.gz"
    write_volume(path, scan.data, scan)
    done = segment(path, model, folder / "out")
    main = model.protocol("full")
    scores = {}
    for decoder, files in done.files.items():
        protocol, wanted = model.protocol(decoder), truth.data
        if protocol.name != main.name:
            mapping = find_mapping(main, protocol)
            wanted = protocol.decode(mapping.class_table()[main.encode(wanted, "background")])
        indices = region_set(protocol, "evaluated")
        found = dice_per_region(read_labels(files.labels).data, wanted, indices)
        scores[decoder] = float(np.mean([found[i] for i in indices if (wanted == i).any()]))
    return scores


def main() -> None:
    """Print one line per change, and keep all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=None)
    parser.add_argument("--only", nargs="*", default=None)
    told = parser.parse_args()
    if not VALIDATION.exists():
        print(f"skipped: the validation scans are not at {VALIDATION}")
        return
    model = load_model(resolve_model(told.model) if told.model else shipped_model())
    kept: dict[str, dict[str, float]] = {}
    print(f"{model.manifest.name}: mean Dice over the validation scans (and its change)")
    for name, change in CHANGES.items():
        if told.only and name not in told.only:
            continue
        each = []
        for path in sorted(VALIDATION.glob("*_T1w.nii.gz")):
            truth = read_labels(path.with_name(path.name.replace("_T1w", "_dseg")))
            with tempfile.TemporaryDirectory() as folder:
                each.append(dice(model, *change(read_scan(path), truth), Path(folder)))
        kept[name] = {key: float(np.mean([one[key] for one in each])) for key in each[0]}
        first = next(iter(kept.values()))
        line = ", ".join(f"{k} {v:.3f} ({v - first[k]:+.3f})" for k, v in kept[name].items())
        print(f"{name:36} {line}", flush=True)
    if not told.only:
        file = RESULTS / f"robustness-{model.manifest.name}.json"
        file.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
