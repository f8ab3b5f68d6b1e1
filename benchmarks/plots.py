"""Draw how cost grows, from `results/growth-*.json`, into docs/pictures/growth.png."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from side_by_side import RESULTS

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "growth.png"


def main() -> None:
    """One panel per question."""
    figure, axes = plt.subplots(2, 4, figsize=(15, 6.6), layout="constrained")
    step, classes, scan, scans, measures, samples = (
        read(name)
        for name in (
            "step-voxels",
            "step-classes",
            "whole-scan",
            "scans",
            "measures",
            "augmentation",
        )
    )
    draw(axes[0, 0], "Training step: voxels", step["x"], seconds(step), "voxels of a patch")
    draw(axes[0, 1], "Training step, 64³: classes", classes["x"], seconds(classes), "classes")
    draw(axes[0, 2], "Whole scan: voxels", scan["x"], seconds(scan), "voxels")
    draw(axes[0, 3], "Segmenting: scans in one run", scans["x"], seconds(scans), "scans")
    draw(axes[1, 0], "Training step, 64³: memory", classes["x"], peaks(classes), "classes", "GB")
    draw(axes[1, 1], "Whole scan: memory", scan["x"], peaks(scan), "voxels", "GB")
    of_voxels = measures["x"]["voxels"], measures["voxels"]
    draw(axes[1, 2], "Dice and HD95: voxels", *of_voxels, "voxels")
    sides = [n**3 for n in samples["x"]]
    draw(axes[1, 3], "One augmented sample", sides, samples["seconds"], "voxels of a patch")
    for axis in axes.flat:
        axis.set_ylim(bottom=0)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, dpi=110)


def read(name: str) -> dict[str, Any]:
    """The figures of one growth."""
    return json.loads((RESULTS / f"growth-{name}.json").read_text())


def seconds(found: dict[str, Any]) -> dict[str, list[float]]:
    """Median seconds per way."""
    return {way: values["seconds"] for way, values in found["ways"].items()}


def peaks(found: dict[str, Any]) -> dict[str, list[float]]:
    """Peak memory per way, in GB."""
    return {way: [p / 1e9 for p in v["peak_bytes"]] for way, v in found["ways"].items()}


def draw(
    axis: Axes, title: str, x: list[int], lines: dict[str, list[float]], label: str, unit: str = "s"
) -> None:
    """Lines from the origin: a straight one is a cost in proportion."""
    for name, values in lines.items():
        axis.plot(x, values, marker="o", label=name)
    axis.set_title(title)
    axis.set_xlabel(label)
    axis.set_ylabel(unit)
    axis.set_xlim(left=0)
    if len(lines) > 1:
        axis.legend(frameon=False)


if __name__ == "__main__":
    main()
