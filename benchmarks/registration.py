"""Rigid registration of a 1 mm scan to MNI: ours, and SimpleITK as its documentation sets it up.

A skull-stripped scan of 1 mm, turned and shifted by known transforms about its centre, is
registered to the MNI152 brain at 1 mm. Ours is what `prepare` does with a scan in memory: working
copy, starts over the whole sphere, affine fit of the brain, the rigid part of it. SimpleITK's is
its notebook "Introduction to SimpleITKv4 Registration": CenteredTransformInitializer (geometry),
Euler3DTransform, Mattes mutual information with 50 bins, linear interpolation, gradient descent
(learning rate 1, 100 iterations, convergence 1e-6 over 10), scales from physical shift, pyramid of
shrink factors 4, 2, 1 with sigmas 2, 1, 0 mm; once with its random samples of 1 % of the voxels,
once with all voxels, which is the class's own default. It runs with as many threads as it likes.

What a way finds for the turned scan, less what it finds for the scan as it lies, must be the known
transform: the error is told in degrees, and in mm at the middle of the brain. So nobody's idea of
how a brain should lie in MNI space is taken for the truth.

    python benchmarks/registration.py [--all-voxels]    (with all voxels: some minutes more)
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its customary name
from monet_resources import SAMPLE
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from side_by_side import RESULTS, Way, compare

from monet_core.preprocessing import load_template, resample
from monet_core.preprocessing.heads import aligned_box, look
from monet_core.preprocessing.registration import register
from monet_core.preprocessing.template import load_reference
from monet_core.scans import read_scan, to_canonical
from monet_core.scans.geometry import Affine, Geometry

Volume = tuple[NDArray[np.float32], Geometry]
Find = Callable[[Volume], Affine]  # scan world -> MNI
SCAN = Path(__file__).parents[2] / "shared/data/malc/train/sub-1000_T1w.nii.gz"
# Rotation vectors in degrees, shifts in mm.
AS_IT_LIES = ((0, 0, 0), (0, 0, 0))
POSES = (((10, -5, 8), (5, -8, 3)), ((0, 0, 20), (-10, 0, 6)), ((20, 15, -12), (0, 12, -9)))


@cache
def turned(rotation: tuple[float, ...], shift: tuple[float, ...]) -> tuple[Volume, Affine]:
    """The scan in a known pose on a 1 mm grid of its own, and the transform that brought it."""
    scan = read_scan(SCAN if SCAN.exists() else SAMPLE)
    data, grid = to_canonical(scan.data, scan.geometry), scan.geometry.canonical()
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(np.radians(rotation)).as_matrix()
    matrix[:3, 3] = grid.centre - matrix[:3, :3] @ grid.centre + shift
    target = aligned_box(Geometry(grid.shape, matrix @ grid.affine), 1.0)
    return (resample(data, grid, target, matrix), target), matrix


def ours(volume: Volume) -> Affine:
    """Working copy and registration."""
    return register(look(*volume), load_reference()).rigid


def simpleitk(volume: Volume, sampled: float | None) -> Affine:
    """As the notebook has it; `sampled`: share of the voxels, all if None."""
    image, _, grid = load_template()
    fixed, moving = _image(image, grid), _image(*volume)
    start = sitk.CenteredTransformInitializer(
        fixed, moving, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.GEOMETRY
    )
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=50)
    if sampled is not None:
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(sampled, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsGradientDescent(
        learningRate=1.0,
        numberOfIterations=100,
        convergenceMinimumValue=1e-6,
        convergenceWindowSize=10,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(start, inPlace=False)
    back = method.Execute(fixed, moving).GetInverse()
    points = [back.TransformPoint(point) for point in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))]
    matrix = np.eye(4)
    matrix[:3, 3] = points[0]
    matrix[:3, :3] = (np.array(points[1:]) - points[0]).T
    return matrix


def _image(array: NDArray, grid: Geometry) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.transpose(2, 1, 0)))
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.affine[:3, 3].tolist())
    return image


def known_transforms(name: str, find: Find, poses: tuple) -> list[dict]:
    """Print how far `find` misses each known transform, and how long it took."""
    rest, _ = turned(*AS_IT_LIES)
    here, middle = find(rest), np.append(load_reference().middle, 1)
    rows = []
    for rotation, shift in poses:
        volume, truth = turned(rotation, shift)
        began = time.perf_counter()
        found = find(volume)
        seconds = time.perf_counter() - began
        off = found @ truth @ np.linalg.inv(here)
        degrees = float(np.degrees(Rotation.from_matrix(off[:3, :3]).magnitude()))
        mm = float(np.linalg.norm((off @ middle - middle)[:3]))
        print(f"| {name} | {rotation} | {shift} | {degrees:.2f} | {mm:.2f} | {seconds:.1f} |")
        rows.append(
            {"way": name, "rotation_deg": rotation, "shift_mm": shift}
            | {"error_deg": degrees, "error_mm": mm, "seconds": seconds}
        )
    return rows


def call_of(find: Find) -> Callable[[], object]:
    """`find` on the scan in the first pose, with everything loaded."""
    volume, _ = turned(*POSES[0])
    load_reference()
    return partial(find, volume)


def main() -> None:
    """The table of times, and that of errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all-voxels", action="store_true")
    every = parser.parse_args().all_voxels
    ways: dict[str, Find] = {
        "ours": ours,
        "SimpleITK, 1 % of voxels": partial(simpleitk, sampled=0.01),
    }
    compare(
        "Rigid registration of a 1 mm scan to MNI",
        [Way(name, partial(call_of, find)) for name, find in ways.items()],
        repeats=3,
        memory=True,
        goal="0.25x the time, known transforms within 0.5 degrees and 0.5 mm",
    )
    print("\n| way | turned (degrees) | shifted (mm) | off, degrees | off, mm | seconds |")
    print("| --- | --- | --- | --- | --- | --- |")
    rows = [row for name, find in ways.items() for row in known_transforms(name, find, POSES)]
    if every:
        find = partial(simpleitk, sampled=None)
        rows += known_transforms("SimpleITK, all voxels", find, POSES[:1])
    kept = json.dumps({"title": "Known transforms", "rows": rows}, indent=1)
    (RESULTS / "registration-known-transforms.json").write_text(kept + "\n")


if __name__ == "__main__":
    main()
