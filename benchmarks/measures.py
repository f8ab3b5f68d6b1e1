"""Dice and HD95 of 139 regions on 256^3 voxels of 1 mm: ours, and MONAI's.

Input: a manual label map of MALC in the middle of a 256^3 grid as the truth, int32 as label maps
are read, and itself under a smooth deformation as the prediction (mean Dice .86, every region
differs). Without the scans: Voronoi cells within an ellipsoid of a brain's size.

MONAI is used as its documentation says, on one-hot tensors. They are boolean, as it accepts:
4.7 GB for the two; in float32 it would take 19 GB, and one region is then some 15 % faster.
Making them is part of the call, as it is what one has to do with two label maps, and takes less
than a tenth of it. `compute_hausdorff_distance` converts all it is given to float32 and treats the
regions one by one, so it gets them one by one here, which costs it nothing. Both compute all
regions; how far any region's value differs is printed. MONAI takes a minute or two each time, so
the timed calls are one or two.

    python benchmarks/measures.py [dice] [hd95]     # 3 minutes each on a quiet machine, all MONAI's
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from side_by_side import Way, compare

from monet_core.evaluation import dice_per_region
from monet_core.evaluation.surfaces import distances_per_region
from monet_core.scans import read_labels

Labels = NDArray[np.int32]
SIDE, REGIONS = 256, 139
SPACING = (1.0, 1.0, 1.0)
MANUAL = Path(__file__).parents[2] / "shared/data/malc/train/sub-1000_dseg.nii.gz"
# What the last call of every way found, a value for each region.
found: dict[str, NDArray[np.float64]] = {}


@functools.cache
def label_maps() -> tuple[Labels, Labels]:
    """Prediction and truth (256, 256, 256), regions 1..139, in the order of a NIfTI file."""
    truth = _manual() if MANUAL.exists() else _parcellation()
    rng = np.random.default_rng(0)
    coarse = rng.normal(scale=0.9, size=(3, 16, 16, 16)).astype(np.float32)
    shift = [ndimage.zoom(one, SIDE / 16, order=1) for one in coarse]
    where = [np.add(*pair) for pair in zip(np.ogrid[:SIDE, :SIDE, :SIDE], shift, strict=True)]
    pred = ndimage.map_coordinates(truth, where, order=0)
    return np.asfortranarray(pred), np.asfortranarray(truth)


def _manual() -> Labels:
    """The manual map, its 139 values numbered from 1 on."""
    data = read_labels(MANUAL).data
    out = np.zeros((SIDE,) * 3, dtype=np.int32)
    corner = [(SIDE - n) // 2 for n in data.shape]
    out[tuple(slice(c, c + n) for c, n in zip(corner, data.shape, strict=True))] = data
    values, numbered = np.unique(out, return_inverse=True)
    assert len(values) == REGIONS + 1
    return numbered.reshape(out.shape).astype(np.int32)


def _parcellation() -> Labels:
    """Voronoi cells of 139 random points within an ellipsoid of 140 x 180 x 145 mm."""
    half = np.array([70.0, 90.0, 72.5])
    grid = np.moveaxis(np.indices((SIDE,) * 3, dtype=np.float32), 0, -1) - SIDE / 2
    inside = ((grid / half) ** 2).sum(axis=-1) < 1
    voxels = grid[inside]
    seeds = np.random.default_rng(1).choice(voxels, REGIONS, replace=False)
    out = np.zeros((SIDE,) * 3, dtype=np.int32)
    out[inside] = cKDTree(seeds).query(voxels)[1] + 1
    return out


def our_dice() -> Callable[[], object]:
    """All regions from one joint histogram."""
    pred, truth = label_maps()

    def call() -> None:
        dice = dice_per_region(pred, truth, range(1, REGIONS + 1))
        found["our dice"] = np.array(list(dice.values()))

    return call


def monai_dice() -> Callable[[], object]:
    """One-hot tensors of both maps, made and compared."""
    import torch
    from monai.metrics import DiceMetric

    maps = [torch.from_numpy(np.ascontiguousarray(labels)) for labels in label_maps()]

    def one_hot(labels: torch.Tensor) -> torch.Tensor:
        out = torch.empty((1, REGIONS, SIDE, SIDE, SIDE), dtype=torch.bool)
        for region in range(REGIONS):
            torch.eq(labels, region + 1, out=out[0, region])
        return out

    def call() -> None:
        metric = DiceMetric(include_background=True, reduction="none")
        found["monai dice"] = metric(*map(one_hot, maps))[0].numpy()

    return call


def our_hd95() -> Callable[[], object]:
    """Surface voxels of all regions and their nearest ones."""
    pred, truth = label_maps()

    def call() -> None:
        distances = distances_per_region(pred, truth, range(1, REGIONS + 1), SPACING)
        found["our hd95"] = np.array([one.hd95 for one in distances.values()])

    return call


def monai_hd95() -> Callable[[], object]:
    """Masks of one region after the other."""
    import torch
    from monai.metrics import compute_hausdorff_distance

    maps = [torch.from_numpy(np.ascontiguousarray(labels)) for labels in label_maps()]

    def call() -> None:
        values = []
        for region in range(1, REGIONS + 1):
            masks = [(labels == region)[None, None].float() for labels in maps]
            values += compute_hausdorff_distance(
                *masks, include_background=True, percentile=95, spacing=SPACING
            )
        found["monai hd95"] = torch.cat(values).numpy()

    return call


def _agreement(measure: str) -> None:
    ours, theirs = found[f"our {measure}"], found[f"monai {measure}"]
    print(
        f"\n{measure} of {len(ours)} regions: mean {ours.mean():.4f}, "
        f"largest difference {np.abs(ours - theirs).max():.2g}",
        flush=True,
    )


def main() -> None:
    """Measure what the command line names, or both."""
    warnings.filterwarnings("ignore", category=FutureWarning, module="monai")
    chosen = sys.argv[1:] or ["dice", "hd95"]
    if "dice" in chosen:
        ways = [Way("ours", our_dice), Way("MONAI DiceMetric on one-hot", monai_dice)]
        goal = "50x faster, below 0.2 s"
        compare("Dice of 139 regions, 256^3", ways, repeats=1, memory=True, goal=goal)
        _agreement("dice")
    if "hd95" in chosen:
        ways = [Way("ours", our_hd95), Way("MONAI compute_hausdorff_distance", monai_hd95)]
        compare("HD95 of 139 regions, 256^3", ways, repeats=2, memory=True, goal="10x faster")
        _agreement("hd95")


if __name__ == "__main__":
    main()
