"""Geometric heads with MALC labels, for trying every step where no annotated scan is at hand.

The anatomy is made of ellipsoids at roughly the places and sizes that the structures have in
MNI space, with one hemisphere's cortex cut into cells. It teaches a network where things are in
a head, not what a brain looks like.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monet_core.scans import Geometry, LabelMap, Scan, SpatialForms, write_labels, write_volume

Vector = tuple[float, float, float]

# MALC indices (left, right), centre and radii in mm; left is mirrored to right. Later rows lie
# on top of earlier ones.
_PAIRED: list[tuple[int, int, Vector, Vector, str]] = [
    (39, 38, (-24, -64, -34), (25, 24, 17), "grey"),
    (41, 40, (-17, -60, -34), (12, 14, 7), "white"),
    (52, 51, (-11, -8, 19), (6, 30, 8), "csf"),
    (50, 49, (-33, -28, -10), (4, 14, 4), "csf"),
    (60, 59, (-11, -18, 8), (9, 13, 9), "deep"),
    (37, 36, (-13, 12, 10), (5, 14, 10), "deep"),
    (58, 57, (-26, 3, 1), (6, 15, 10), "deep"),
    (56, 55, (-19, -4, 0), (4, 8, 6), "pallidum"),
    (48, 47, (-26, -22, -14), (6, 18, 7), "grey"),
    (32, 31, (-23, -4, -19), (7, 7, 7), "grey"),
    (30, 23, (-9, 11, -8), (5, 6, 4), "deep"),
    (62, 61, (-9, -16, -9), (7, 8, 6), "pallidum"),
    (75, 76, (-15, 3, -11), (5, 4, 3), "grey"),
]
_MIDLINE: list[tuple[int, Vector, Vector, str]] = [
    (4, (0, -14, 0), (3, 13, 9), "csf"),
    (71, (0, -52, -14), (7, 11, 8), "grey"),
    (72, (0, -70, -25), (7, 8, 6), "grey"),
    (73, (0, -58, -42), (7, 9, 7), "grey"),
    (35, (0, -28, -34), (11, 11, 27), "pallidum"),
    (11, (0, -44, -32), (6, 7, 10), "csf"),
]
_LEFT_WHITE, _RIGHT_WHITE = 45, 44
_BRAIN_CENTRE, _BRAIN_RADII = (0.0, -17.0, 10.0), (68.0, 87.0, 68.0)
_INTENSITY = {"csf": 180.0, "grey": 560.0, "deep": 640.0, "pallidum": 760.0, "white": 830.0}
_WHITE_SHARE = 0.83


def phantom(
    cortex: tuple[list[int], list[int]], seed: int, spacing_mm: float = 2.0, shape: int = 96
) -> tuple[Scan, LabelMap]:
    """A whole head (scan float32, labels in MALC indices) on a RAS grid around the MNI brain.

    `cortex` are the left and right cortical indices; each becomes one cell of the cortical
    shell. `seed` varies sizes, places and intensities by a few per cent.
    """
    rng = np.random.default_rng(seed)
    affine = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = np.asarray(_BRAIN_CENTRE) - spacing_mm * (shape - 1) / 2
    axes = [affine[a, 3] + spacing_mm * np.arange(shape) for a in range(3)]
    size = rng.normal(1, 0.04, 3)
    world = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    world = (world - _BRAIN_CENTRE) / size + _BRAIN_CENTRE

    image, labels = _shell(world, cortex, rng)
    for index, centre, radii, tissue in _structures():
        where = _inside(world, np.asarray(centre) + rng.normal(0, 0.8, 3), radii)
        labels[where] = index
        image[where] = _INTENSITY[tissue] * rng.normal(1, 0.02)
    image += np.where(image > 0, rng.normal(0, 25, image.shape), rng.normal(6, 3, image.shape))
    geometry = Geometry((shape, shape, shape), affine)
    forms = SpatialForms(affine, 1, affine, 1)
    scan = Scan(np.maximum(image, 0).astype(np.float32), geometry, forms)
    return scan, LabelMap(labels, geometry, forms)


def write_phantoms(folder: Path, cortex: tuple[list[int], list[int]], train: int) -> Path:
    """`train` phantoms and one for validation as a flat data set with sub-folders per split."""
    for number in range(train + 1):
        scan, labels = phantom(cortex, seed=number)
        stem = folder / ("train" if number < train else "validation") / f"sub-phantom{number:02d}"
        stem.parent.mkdir(parents=True, exist_ok=True)
        write_volume(stem.with_name(f"{stem.name}_T1w.nii.gz"), scan.data, scan)
        write_labels(stem.with_name(f"{stem.name}_dseg.nii.gz"), labels.data, labels)
    return folder


def _shell(
    world: NDArray, cortex: tuple[list[int], list[int]], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Scalp, skull, cortex in cells and white matter; nothing deep yet."""
    image = np.zeros(world.shape[:3])
    labels = np.zeros(world.shape[:3], np.int32)
    radii = np.asarray(_BRAIN_RADII)
    image[_inside(world, _BRAIN_CENTRE, radii + 16)] = 700.0 * rng.normal(1, 0.1)
    image[_inside(world, _BRAIN_CENTRE, radii + 9)] = 80.0
    brain = _inside(world, _BRAIN_CENTRE, radii)
    image[brain] = _INTENSITY["grey"]
    left = world[..., 0] < 0
    for half, indices in ((brain & left, cortex[0]), (brain & ~left, cortex[1])):
        labels[half] = _cells(world[half], indices)
    white = _inside(world, _BRAIN_CENTRE, radii * _WHITE_SHARE)
    image[white] = _INTENSITY["white"]
    labels[white] = np.where(left[white], _LEFT_WHITE, _RIGHT_WHITE)
    return image, labels


def _cells(points: NDArray, indices: list[int]) -> NDArray[np.int32]:
    """The index whose direction from the brain's centre is closest (a Fibonacci half sphere)."""
    n = np.arange(2 * len(indices)) + 0.5
    z, turn = 1 - n / len(indices), np.pi * (1 + 5**0.5) * n
    seeds = np.stack([np.sqrt(1 - z**2) * np.cos(turn), np.sqrt(1 - z**2) * np.sin(turn), z], 1)
    # The outermost half along x, mirrored to the side of the points, so that sides correspond.
    seeds = seeds[np.argsort(-np.abs(seeds[:, 0]), kind="stable")[: len(indices)]]
    seeds[:, 0] = np.abs(seeds[:, 0]) * (-1 if points[:, 0].mean() < 0 else 1)
    direction = (points - _BRAIN_CENTRE) / _BRAIN_RADII
    nearest = np.argmax(direction @ seeds.T, axis=1)
    return np.asarray(indices, np.int32)[nearest]


def _structures() -> list[tuple[int, Vector, Vector, str]]:
    rows = list(_MIDLINE[:1])
    for left, right, centre, radii, tissue in _PAIRED:
        mirrored = (-centre[0], centre[1], centre[2])
        rows += [(left, centre, radii, tissue), (right, mirrored, radii, tissue)]
    return rows + _MIDLINE[1:]


def _inside(world: NDArray, centre: Vector | NDArray, radii: Vector | NDArray) -> NDArray[np.bool_]:
    return (((world - np.asarray(centre)) / np.asarray(radii)) ** 2).sum(-1) <= 1
