"""Random deformation of a 128^3 patch and its labels: ours, TorchIO's and MONAI's.

All deform the same patch of the same scan (a real one; synthetic where ../shared is absent): one
float32 image, linear, and two uint8 label maps (139 and 16 classes), nearest. Strengths are
alike: rotation within 15 degrees about each axis, scale 1/1.15 to 1.15, and an elastic part of
cubic B-splines with 9^3 control points 21 voxels apart, shifted by 5 voxels (SD). MONAI smooths
white noise instead: once with a Gaussian as wide as that spline (SD 12 voxels), once with the
5 to 8 voxels of MONAI's tutorial on 3-D transforms, which is cheaper; its magnitude is set for the
same displacement. TorchIO is used as its documentation composes the two transforms, and with its
transform that does both in one resampling. Ours reads scan and labels from disk (memory-mapped),
as a data worker does, shows what lies beyond the patch, and uses one thread whatever is allowed;
the others get the patch in memory.

Everything with one thread, which is what a data worker has, and with all. Displacements are
measured on coordinate ramps and printed; ours is checked against scipy.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import SimpleITK
import torch
import torchio as tio
from monai.transforms import Rand3DElasticd
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from side_by_side import RESULTS, Way, compare, machine

from monet_core.augmentation import AugmentationSettings, sample_patch
from monet_core.training.patches import PreparedSubject, write_subject

SIDE = 128
CORES = os.cpu_count() or 1
ELASTIC = AugmentationSettings(elastic_probability=1)
BOTH = AugmentationSettings(elastic_probability=1, affine_probability=1)
SWAPS = {"full": np.arange(139), "partial": np.arange(16)}
# Sigma range, and the magnitude at which the displacement is that of our spline.
MONAI = {"SD 12": ((12.0, 12.01), 800.0), "SD 5 to 8": ((5.0, 8.0), 400.0)}
AFFINE: dict[str, Any] = {"scales": (1 / 1.15, 1.15), "degrees": 15}
# Uniform up to 8.66 has a standard deviation of 5.
SPLINE: dict[str, Any] = {"num_control_points": 9, "max_displacement": 8.66, "locked_borders": 0}
DATA = Path(__file__).parents[2] / "shared" / "data" / "malc" / "train"
Call = Callable[[], object]


def main() -> None:
    """Print the tables and keep their figures."""
    warnings.simplefilter("ignore")  # TorchIO's, that its deformation may fold
    check_ours()
    strengths()
    for threads in sorted({1, CORES}):
        title = f"elastic and affine deformation of {SIDE}^3 with labels, {threads} thread"
        compare(title, ways(threads), repeats=3, goal="8x TorchIO, 4x MONAI")
    growth()


def ways(threads: int) -> list[Way]:
    """Ours and the others, each with this number of threads."""
    calls: dict[str, Callable[[], Call]] = {
        "ours": ours,
        "TorchIO, affine and elastic composed": torchio_composed,
        "TorchIO, both in one resampling": torchio_at_once,
    }
    calls |= {f"MONAI, noise smoothed with {name}": partial(monai, name) for name in MONAI}
    return [Way(name, partial(with_threads, make, threads)) for name, make in calls.items()]


def with_threads(make: Callable[[], Call], threads: int) -> Call:
    """The call that `make` makes, with this number of threads in torch and in ITK."""
    call = make()

    def limited() -> object:
        torch.set_num_threads(threads)
        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
        return call()

    return limited


def ours(side: int = SIDE, settings: AugmentationSettings = BOTH) -> Call:
    """`sample_patch` in the middle of the scan on disk."""
    scan, rng = subject(), np.random.default_rng(0)
    middle = (scan.shape[0] // 2, scan.shape[1] // 2, scan.shape[2] // 2)
    return lambda: sample_patch(
        scan.image, scan.labels, middle, side, settings, rng, SWAPS, scan.background
    )


def torchio_composed() -> Call:
    """The two transforms of TorchIO, one after the other."""
    steps = [tio.RandomAffine(**AFFINE), tio.RandomElasticDeformation(**SPLINE)]
    return partial(tio.Compose(steps), torchio_subject(patch()))


def torchio_at_once() -> Call:
    """TorchIO's transform that resamples once for both."""
    both = tio.RandomAffineElasticDeformation(affine_kwargs=AFFINE, elastic_kwargs=SPLINE)
    return partial(both, torchio_subject(patch()))


def torchio_subject(arrays: dict[str, torch.Tensor]) -> tio.Subject:
    """Image and label maps as TorchIO wants them."""
    labels = {name: tio.LabelMap(tensor=v) for name, v in arrays.items() if name != "image"}
    return tio.Subject(image=tio.ScalarImage(tensor=arrays["image"]), **labels)


def monai(name: str) -> Call:
    """MONAI's transform, which does both in one resampling."""
    keys = ("image", "full", "partial")
    modes = ("bilinear", "nearest", "nearest")
    turn = {"rotate_range": np.deg2rad(15), "scale_range": 0.15}
    return partial(monai_elastic(name, keys, modes, **turn), patch())


def monai_elastic(name: str, keys: Any, modes: Any, **affine: Any) -> Rand3DElasticd:
    """`Rand3DElasticd` as smooth as MONAI[name] says."""
    sigmas, magnitude = MONAI[name]
    return Rand3DElasticd(
        keys, sigmas, (magnitude, magnitude), prob=1.0, mode=modes, padding_mode="border", **affine
    )


def patch() -> dict[str, torch.Tensor]:
    """The middle 128^3 of the scan: what ours shows where nothing is deformed."""
    image, labels = _call(ours(settings=AugmentationSettings.none()))
    return {name: torch.from_numpy(a)[None] for name, a in {"image": image, **labels}.items()}


@lru_cache(maxsize=1)
def subject() -> PreparedSubject:
    """A scan of 182 x 218 x 182 voxels with both label maps, on disk."""
    image, full = scan_of(0)
    maps = {"full": full.astype(np.uint8), "partial": (full % 16).astype(np.uint8)}
    folder = Path(tempfile.mkdtemp(prefix="monet-benchmark-"))
    return write_subject(folder, "scan", image, maps)


def scan_of(number: int) -> tuple[NDArray[np.floating], NDArray[np.integer]]:
    """Image of mean 0 and SD 1, and its 139 classes, on a grid of 182 x 218 x 182 voxels."""
    found = sorted(DATA.glob("*_T1w.nii.gz"))
    if not found:
        noise = np.random.default_rng(number).standard_normal((182, 218, 182), dtype=np.float32)
        image = gaussian_filter(noise, 3)
        image /= image.std()
        return image, np.clip((image + 3) * 23, 0, 138).astype(np.int64)
    scan = found[number % len(found)]
    labels = scan.with_name(scan.name.replace("_T1w", "_dseg"))
    image = np.asarray(nib.load(scan).dataobj, np.float32)
    _, classes = np.unique(np.asarray(nib.load(labels).dataobj), return_inverse=True)
    image = (image - image.mean()) / image.std()
    return _fill(image, float(image.min())), _fill(np.minimum(classes, 138), 0)


def _fill(array: NDArray, value: float) -> NDArray:
    """`array` in the middle of the template's grid."""
    whole = np.full((182, 218, 182), value, array.dtype)
    start = [(n - m) // 2 for n, m in zip(whole.shape, array.shape, strict=True)]
    whole[tuple(slice(a, a + n) for a, n in zip(start, array.shape, strict=True))] = array
    return whole


def check_ours() -> None:
    """Against scipy, in one piece; ramps tell where each voxel was looked up."""
    scan = subject()
    ramps = np.indices(scan.shape, np.float32)
    # Away from the border, beyond which a ramp would have to go on.
    where = (scan.shape[0] // 2, scan.shape[1] // 2, scan.shape[2] // 2)

    def sample(image: NDArray, labels: dict[str, NDArray]) -> Any:
        rng = np.random.default_rng(7)
        return sample_patch(image, labels, where, 80, BOTH, rng, SWAPS, scan.background)

    points = np.stack([sample(ramp, {})[0] for ramp in ramps])
    image, labels = sample(scan.image, scan.labels)
    difference = np.abs(image - map_coordinates(scan.image, points, order=1)).max()
    nearest = scan.labels["full"][tuple(np.rint(points).astype(int))]
    same = (nearest == labels["full"]).mean()
    print(f"ours and scipy: image within {difference:.1e} SD, labels equal on {same:.5%}")


def strengths() -> None:
    """Mean displacement by the elastic part alone, in voxels, of each way."""
    grid = torch.from_numpy(np.indices((SIDE,) * 3, np.float32))
    ramps = {name: grid[axis][None] for axis, name in enumerate("xyz")}
    elastic = tio.RandomElasticDeformation(**SPLINE)
    found: dict[str, Any] = {"TorchIO": elastic(tio.Subject(_images(ramps)))}
    for name in MONAI:
        found[f"MONAI, {name}"] = monai_elastic(name, tuple("xyz"), "bilinear")(ramps)
    for name, values in found.items():
        moved = torch.stack([torch.as_tensor(_data(values[axis]))[0] for axis in "xyz"])
        print(f"mean displacement, {name}: {_inner(moved - grid):.2f} voxels")
    origin = np.asarray(subject().shape) // 2 - SIDE // 2
    one_rng = [np.random.default_rng(1) for _ in range(3)]
    centre = tuple(int(v) + SIDE // 2 for v in origin)
    scans = np.indices(subject().shape, np.float32) - origin[:, None, None, None]
    parts = [
        sample_patch(np.float32(scan), {}, centre, SIDE, ELASTIC, rng, {})[0]
        for scan, rng in zip(scans, one_rng, strict=True)
    ]
    print(f"mean displacement, ours: {_inner(torch.from_numpy(np.stack(parts)) - grid):.2f} voxels")


def _images(arrays: dict[str, torch.Tensor]) -> dict[str, tio.ScalarImage]:
    return {name: tio.ScalarImage(tensor=values) for name, values in arrays.items()}


def _data(image: Any) -> Any:
    return image.data if isinstance(image, tio.Image) else image


def _inner(field: torch.Tensor) -> float:
    """Mean length away from the border, where other ways fill in."""
    return float(field[:, 16:-16, 16:-16, 16:-16].norm(dim=0).mean())


def growth() -> None:
    """How the cost of a sample grows with the patch; kept as JSON."""
    torch.set_num_threads(1)
    sides = [32, 64, 96, 128, 160]
    recipes = {"elastic": ELASTIC, "elastic and affine": BOTH, "best": AugmentationSettings.best()}
    seconds: dict[str, list[float]] = {}
    for name, settings in recipes.items():
        seconds[name] = [_typical(ours(side, settings), 20) for side in sides]
        rates = [f"{s}^3 {1000 * v:.1f} ms" for s, v in zip(sides, seconds[name], strict=True)]
        print(f"one sample, 1 thread, {name}: {', '.join(rates)}")
    title = "one sample with two label maps, 1 thread"
    text = {"title": title, "x": sides, "unit": "voxels a side", "seconds": seconds}
    text["machine"] = machine()
    (RESULTS / "growth-augmentation.json").write_text(json.dumps(text, indent=1) + "\n")


def _typical(call: Call, repeats: int) -> float:
    call()
    found = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    # A recipe's samples differ, since each transform has its probability.
    return statistics.fmean(found)


def _call(call: Call) -> Any:
    return call()


if __name__ == "__main__":
    main()
