"""Three planes of a scan as it would lie with one answer or another to a question. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from monet_core.errors import MonetError
from monet_core.scans import Geometry, read_geometry, read_scan
from monet_core.workspace import Question as Asked
from monet_core.workspace import ScanEntry

SIZE, LEAST_MM = 160, 1.0
LEAST_DEGREES, LEAST_MOVED_MM = 1.0, 1.0
SIDES = {"RL": "which side is left", "AP": "which way is front", "SI": "which way is up"}


@dataclass(frozen=True)
class Plane:
    """Which world axes a picture has: across to the right, and up; with the letters at its edges.

    `letters` are those at the left, right, lower and upper edge where axes grow rightwards and
    upwards.
    """

    name: str
    across: int
    up: int
    letters: str


PLANES = (
    Plane("axial", 0, 1, "LRPA"),
    Plane("coronal", 0, 2, "LRIS"),
    Plane("sagittal", 1, 2, "PAIS"),
)


@dataclass(frozen=True, eq=False)
class Drawn:
    """One answer, drawn: grey pictures (SIZE, SIZE) by plane, or why it cannot be.

    `says` is what the answer means for the scan.
    """

    choice: str
    pictures: dict[str, NDArray[np.uint8]]
    says: str = ""
    problem: str = ""


def letters_of(plane: Plane, radiological: bool) -> str:
    """The letters at the left, right, lower and upper edge of a picture as it is drawn."""
    left, right, below, above = plane.letters
    return f"{right}{left}{below}{above}" if mirrored(plane, radiological) else plane.letters


def mirrored(plane: Plane, radiological: bool) -> bool:
    """Whether the axis across grows to the left: the person's right, or front, on the left."""
    return plane.across == 1 or radiological


def draw_choices(
    entry: ScanEntry, asked: Asked, choices: Sequence[str], radiological: bool
) -> list[Drawn]:
    """The scan in three planes through its middle, as it lies in the world with each answer.

    Takes seconds. What cannot be read with an answer has a `problem` instead of pictures.
    """
    accepted = replace(entry.decisions, labels_as_scan=True)
    data: NDArray | None = None
    placed: list[tuple[str, Geometry | str]] = []
    for choice in choices:
        decisions = replace(asked.answered(accepted, choice), labels_as_scan=True)
        try:
            grid = read_geometry(entry.path, decisions)
            if data is None:
                data = read_scan(entry.path, decisions).data
            placed.append((choice, grid))
        except (MonetError, OSError) as error:
            placed.append((choice, _words(error)))
    grids = [grid for _, grid in placed if isinstance(grid, Geometry)]
    if data is None or not grids:
        return [Drawn(choice, {}, problem=str(grid)) for choice, grid in placed]
    view = _View.of(grids, data, radiological)
    return [
        Drawn(choice, {}, problem=grid)
        if isinstance(grid, str)
        else Drawn(choice, view.pictures(grid), f"Axes of the file: {grid.orientation}")
        for choice, grid in placed
    ]


def difference_words(first: Geometry, second: Geometry) -> str:
    """What two orientations differ in: sides, a turn, or where the scan lies."""
    ones, others = first.orientation, second.orientation
    differ = [words for pair, words in SIDES.items() if _axis(ones, pair) != _axis(others, pair)]
    if differ:
        return f"They differ in {' and '.join(differ)}."
    parts = []
    angle = _angle(first, second)
    if angle >= LEAST_DEGREES:
        parts.append(f"turn the head by {angle:.0f}° against each other")
    moved = float(np.linalg.norm(first.centre - second.centre))
    if moved >= LEAST_MOVED_MM:
        parts.append(f"place it {moved:.0f} mm apart (which these pictures do not show)")
    return f"They {' and '.join(parts)}." if parts else ""


def contradiction(entry: ScanEntry) -> str:
    """What the two orientations of a file differ in; "" where that cannot be told."""
    try:
        first, second = (
            read_geometry(entry.path, replace(entry.decisions, form=form))
            for form in ("sform", "qform")
        )
    except (MonetError, OSError):
        return ""
    return difference_words(first, second)


def _axis(codes: str, pair: str) -> tuple[int, str]:
    """Which file axis runs along a world axis, and to which end."""
    place = next(k for k, code in enumerate(codes) if code in pair)
    return place, codes[place]


def _angle(first: Geometry, second: Geometry) -> float:
    """The angle between two orientations, in degrees."""
    one, other = (grid.affine[:3, :3] / np.asarray(grid.spacing) for grid in (first, second))
    return float(np.degrees(np.arccos(np.clip((np.trace(one.T @ other) - 1) / 2, -1, 1))))


def _words(error: Exception) -> str:
    if isinstance(error, MonetError):
        return f"{error.problem.rstrip('.')}. {error.remedy}".strip()
    return str(error)


@dataclass(frozen=True, eq=False)
class _View:
    """Slices through the middle of a grid, `mm` a pixel, grey between two intensities."""

    data: NDArray
    mm: float
    levels: tuple[float, float]
    radiological: bool

    @classmethod
    def of(cls, grids: Sequence[Geometry], data: NDArray, radiological: bool) -> _View:
        mm = max(LEAST_MM, max(_extent(grid) for grid in grids) / SIZE)
        some = data[::3, ::3, ::3]
        inside = some[some > some.min()]
        shown = np.percentile(inside if inside.size else some, (1, 99.5))
        levels = (float(shown[0]), max(float(shown[1]), float(shown[0]) + 1e-6))
        return cls(data, mm, levels, radiological)

    def pictures(self, grid: Geometry) -> dict[str, NDArray[np.uint8]]:
        return {plane.name: self._picture(grid, plane) for plane in PLANES}

    def _picture(self, grid: Geometry, plane: Plane) -> NDArray[np.uint8]:
        steps = (np.arange(SIZE) - (SIZE - 1) / 2) * self.mm
        across = -steps if mirrored(plane, self.radiological) else steps
        world = np.tile(grid.centre[:, None, None], (1, SIZE, SIZE))
        world[plane.across] += across[None, :]
        world[plane.up] -= steps[:, None]  # row 0 is at the top
        inverse = np.linalg.inv(grid.affine)
        voxels = np.tensordot(inverse[:3, :3], world, 1) + inverse[:3, 3][:, None, None]
        low, high = self.levels
        cut = ndimage.map_coordinates(self.data, voxels, order=1, cval=low)
        return (np.clip((cut - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def _extent(grid: Geometry) -> float:
    """The longest side of the box that holds a grid in the world, in mm."""
    ends = np.array(np.meshgrid(*[(0, n - 1) for n in grid.shape])).reshape(3, -1)
    return float(np.ptp(grid.affine[:3, :3] @ ends, axis=1).max())
