"""How the time of our Dice and HD95 grows with voxels and with regions.

The maps of `measures.py` are taken to coarser grids of the same field of view (nearest neighbour,
139 regions), and on the full 256^3 grid 16, 70 and 139 of the regions are asked for. Kept are the
medians of several calls, in seconds; distances count what it takes for HD95 and ASSD together.

    python benchmarks/measures_growth.py     # about half a minute
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence

import numpy as np
from measures import REGIONS, SIDE, SPACING, Labels, label_maps
from side_by_side import RESULTS, machine

from monet_core.evaluation import dice_per_region
from monet_core.evaluation.surfaces import distances_per_region

SIDES = (64, 128, 192, 256)
COUNTS = (16, 70, REGIONS)
REPEATS = 5


def coarser(labels: Labels, side: int) -> Labels:
    """The map on a grid of side^3 voxels, in the order of a NIfTI file."""
    steps = (np.arange(side) + 0.5) * SIDE / side
    return np.asfortranarray(labels[np.ix_(*[steps.astype(int)] * 3)])


def seconds(pred: Labels, truth: Labels, regions: Sequence[int]) -> dict[str, float]:
    """Median time of each measure."""
    calls = {
        "dice": lambda: dice_per_region(pred, truth, regions),
        "hd95": lambda: distances_per_region(pred, truth, regions, SPACING),
    }
    medians = {}
    for name, call in calls.items():
        call()
        times = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            call()
            times.append(time.perf_counter() - began)
        medians[name] = statistics.median(times)
    return medians


def main() -> None:
    """Measure along both axes, keep the figures and print them."""
    pred, truth = label_maps()
    everything = range(1, REGIONS + 1)
    voxels = [seconds(coarser(pred, n), coarser(truth, n), everything) for n in SIDES]
    # Spread over the brain: neighbours in the table are of much the same size.
    some = [np.linspace(1, REGIONS, n).astype(int).tolist() for n in COUNTS]
    regions = [seconds(pred, truth, one) for one in some]
    kept = {
        "title": "How the cost of Dice and HD95 grows",
        "unit": "s",
        "machine": machine(),
        "x": {"voxels": [n**3 for n in SIDES], "classes": list(COUNTS)},
        "voxels": {name: [one[name] for one in voxels] for name in voxels[0]},
        "classes": {name: [one[name] for one in regions] for name in regions[0]},
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "growth-measures.json").write_text(json.dumps(kept, indent=1) + "\n")
    for axis, values in kept["x"].items():
        print(f"\n| {axis} | Dice | HD95 |\n| --- | --- | --- |")
        for x, dice, hd95 in zip(values, *kept[axis].values(), strict=True):
            print(f"| {x} | {1000 * dice:.1f} ms | {1000 * hd95:.0f} ms |")


if __name__ == "__main__":
    main()
