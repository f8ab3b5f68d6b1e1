"""Where to start a registration: rotations over the whole sphere, each with its best shift.

For one rotation the best of all shifts is found at once, as the peak of a cross-correlation
computed by Fourier transform; centres of mass (which a neck draws down) play no part.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from monet_core.preprocessing.heads import aligned_box, box_of
from monet_core.preprocessing.resampling import resample
from monet_core.scans.geometry import Affine, Geometry

_SPACING_MM = 8.0
_SIDE = 40  # voxels of the cube in which images are compared: 320 mm
_TURN = np.radians(32)
_APART = np.radians(25)


def find_starts(
    fixed: tuple[NDArray[np.float32], Geometry],
    moving: tuple[NDArray[np.float32], Geometry],
    count: int,
) -> list[Affine]:
    """The `count` most promising rigid transforms (4x4), fixed world mm -> moving world mm.

    Images are axis-aligned RAS with 0 as background. The first transform keeps the orientation
    that the header tells; the others are at least 25 degrees apart, best first.
    """
    reference, fixed_middle = _coarse(*fixed)
    coarse, moving_middle = _coarse(*moving)
    spectrum = np.conj(fft.rfftn(_cube(*reference, fixed_middle, np.eye(3))))
    rotations, scores, shifts = [], [], []
    for turn in _small_turns():
        cube = _cube(*coarse, moving_middle, turn.as_matrix())
        for quarter in _quarter_turns():
            score, shift = _best_shift(spectrum, _turned(cube, quarter.as_matrix()))
            rotations.append(turn * quarter)
            scores.append(score)
            shifts.append(shift)
    chosen = [0]
    for i in np.argsort(-np.asarray(scores), kind="stable").tolist():
        apart = [(rotations[i].inv() * rotations[j]).magnitude() > _APART for j in chosen]
        if len(chosen) < count and all(apart):
            chosen.append(i)
    return [_rigid(rotations[i], shifts[i], fixed_middle, moving_middle) for i in chosen]


def _small_turns() -> list[Rotation]:
    """None at all, and one about each axis in each direction."""
    turns = [np.zeros(3), *(sign * _TURN * axis for axis in np.eye(3) for sign in (1, -1))]
    return [Rotation.from_rotvec(turn) for turn in turns]


def _quarter_turns() -> list[Rotation]:
    """The cube's 24 rotations; the first is none at all."""
    return sorted(Rotation.create_group("O"), key=lambda turned: turned.magnitude())


def _turned(cube: NDArray[np.float32], quarter: NDArray[np.float64]) -> NDArray[np.float32]:
    """`cube` looked at after a rotation of the cube: its axes in another order and direction."""
    target = np.abs(quarter).argmax(axis=1)
    reverse = tuple(axis for axis in range(3) if quarter[axis, target[axis]] < 0)
    return np.moveaxis(np.flip(cube, reverse), range(3), target.tolist())


def _coarse(
    image: NDArray[np.float32], grid: Geometry
) -> tuple[tuple[NDArray[np.float32], Geometry], NDArray[np.float64]]:
    """The image at 8 mm, and the middle of what is in it (world mm)."""
    coarse = aligned_box(grid, _SPACING_MM)
    small = resample(image, grid, coarse)
    low, high = box_of(small > 0.1 * small.max(), coarse)
    return (small, coarse), (low + high) / 2


def _cube(
    image: NDArray[np.float32],
    grid: Geometry,
    middle: NDArray[np.float64],
    rotation: NDArray[np.float64],
) -> NDArray[np.float32]:
    """`image` around `middle` (world mm), turned; 0 outside."""
    axis = (np.arange(_SIDE) - (_SIDE - 1) / 2) * _SPACING_MM
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij")).reshape(3, -1)
    index = (rotation @ points + (middle - grid.affine[:3, 3])[:, None]) / _SPACING_MM
    cube = map_coordinates(image, index, order=1, output=np.float32)
    return cube.reshape(_SIDE, _SIDE, _SIDE)


def _best_shift(
    spectrum: NDArray[np.complexfloating], turned: NDArray[np.float32]
) -> tuple[float, NDArray[np.float64]]:
    """Highest correlation over all shifts, and that shift in mm."""
    product = fft.irfftn(spectrum * fft.rfftn(turned), s=turned.shape)
    peak = np.array(np.unravel_index(int(product.argmax()), product.shape), float)
    peak[peak > _SIDE / 2] -= _SIDE
    return float(product.max()), peak * _SPACING_MM


def _rigid(
    rotation: Rotation,
    shift: NDArray[np.float64],
    fixed_middle: NDArray[np.float64],
    moving_middle: NDArray[np.float64],
) -> Affine:
    """x -> R (x - fixed middle + shift) + moving middle."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation.as_matrix()
    matrix[:3, 3] = moving_middle + matrix[:3, :3] @ (shift - fixed_middle)
    return matrix
