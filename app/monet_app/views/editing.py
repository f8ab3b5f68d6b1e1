"""Painting, filling and undoing in an array of codes (S, A, R). No Qt: positions come in mm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from monet_app.stage.protocol import Plane
from monet_app.views.display import AXES

MOST_UNDONE = 200


@dataclass(frozen=True, eq=False)
class Change:
    """Voxels (flat indices) of one edit, with their codes before and after."""

    where: NDArray[np.intp]
    before: NDArray
    after: NDArray


class Editor:
    """Edits `codes` in place, one change at a time, and takes them back in order.

    A stroke is one change however many touches it has: `begin`, `touch` ..., `end`.
    """

    def __init__(self, codes: NDArray, spacing: Sequence[float]) -> None:
        self.codes = codes
        self.spacing = np.asarray(spacing, float)
        self._flat = codes.reshape(-1)
        self._done: list[Change] = []
        self._undone: list[Change] = []
        self._stroke: list[tuple[NDArray[np.intp], NDArray]] | None = None

    # -- changes ----------------------------------------------------------------------------

    def begin(self) -> None:
        """Start a stroke."""
        self._stroke = []

    def end(self) -> bool:
        """End the stroke; whether it changed anything."""
        touched, self._stroke = self._stroke or [], None
        if not touched:
            return False
        where = np.concatenate([each for each, _ in touched])
        before = np.concatenate([each for _, each in touched])
        # A voxel that was touched twice was at first what the first touch found there.
        where, first = np.unique(where, return_index=True)
        self._keep(Change(where, before[first], self._flat[where]))
        return True

    def put(self, where: NDArray[np.intp], code: int) -> bool:
        """Give voxels (flat indices) a code; whether any was another."""
        where = where[self._flat[where] != code]
        if not where.size:
            return False
        before = self._flat[where]
        self._flat[where] = code
        if self._stroke is not None:
            self._stroke.append((where, before))
        else:
            self._keep(Change(where, before, self._flat[where]))
        return True

    def undo(self) -> bool:
        """Take the last change back; whether there was one."""
        if not self._done:
            return False
        change = self._done.pop()
        self._flat[change.where] = change.before
        self._undone.append(change)
        return True

    def redo(self) -> bool:
        """Do again what was taken back; whether there was anything."""
        if not self._undone:
            return False
        change = self._undone.pop()
        self._flat[change.where] = change.after
        self._done.append(change)
        return True

    def _keep(self, change: Change) -> None:
        self._done.append(change)
        self._undone.clear()
        del self._done[:-MOST_UNDONE]

    # -- tools ------------------------------------------------------------------------------

    def paint(
        self,
        start: Sequence[float],
        stop: Sequence[float],
        code: int,
        diameter_mm: float,
        plane: Plane | None,
    ) -> bool:
        """Draw from `start` to `stop` (indices s, a, r, with fractions) with a round brush.

        `plane` keeps the brush to the slice of `stop`, None makes it a ball. The brush takes the
        voxels whose centres it covers, and always the one under its middle.
        """
        changed = False
        for middle in _along(start, stop, diameter_mm / 4, self.spacing):
            changed |= self.put(self._brush(middle, diameter_mm / 2, plane), code)
        return changed

    def fill(self, seed: tuple[int, int, int], code: int, plane: Plane | None) -> bool:
        """Give `code` to the connected region around `seed`, in its slice or in 3-D."""
        from skimage.segmentation import flood

        if plane is None:
            mask = flood(self.codes, seed, connectivity=1)
        else:
            along, *rest = AXES[plane]
            mask = np.zeros(self.codes.shape, bool)
            where = (slice(None),) * along + (seed[along],)
            mask[where] = flood(
                self.codes[where], tuple(seed[axis] for axis in rest), connectivity=1
            )
        return self.put(np.flatnonzero(mask), code)

    def interpolate(self, code: int, plane: Plane) -> int:
        """Fill a region between the slices that hold it; the number of voxels added."""
        along = AXES[plane][0]
        mask = np.moveaxis(self.codes == code, along, 0)
        added = np.moveaxis(between_slices(mask, np.delete(self.spacing, along)), 0, along)
        added &= self.codes == 0
        where = np.flatnonzero(added)
        self.put(where, code)
        return int(where.size)

    def _brush(
        self, middle: NDArray[np.float64], radius: float, plane: Plane | None
    ) -> NDArray[np.intp]:
        reach = radius / self.spacing
        flat = AXES[plane][0] if plane is not None else -1
        axes = []
        for axis, size in enumerate(self.codes.shape):
            span = 0.0 if axis == flat else reach[axis]
            centre = round(middle[axis]) if axis == flat else middle[axis]
            low, high = int(np.ceil(centre - span)), int(np.floor(centre + span))
            low, high = min(low, round(middle[axis])), max(high, round(middle[axis]))
            axes.append(np.arange(max(low, 0), min(high, size - 1) + 1))
        s, a, r = np.ix_(*axes)
        squares = [
            0.0 if axis == flat else ((index - middle[axis]) * self.spacing[axis]) ** 2
            for axis, index in enumerate((s, a, r))
        ]
        nearest = [index == round(middle[axis]) for axis, index in enumerate((s, a, r))]
        inside = (sum(squares) <= radius**2) | (nearest[0] & nearest[1] & nearest[2])
        chosen = np.nonzero(np.broadcast_to(inside, tuple(len(each) for each in axes)))
        index = tuple(each[found] for each, found in zip(axes, chosen, strict=True))
        return np.ravel_multi_index(index, self.codes.shape)


def between_slices(
    mask: NDArray[np.bool_], spacing: Sequence[float] | NDArray[np.float64]
) -> NDArray[np.bool_]:
    """What lies between the slices (axis 0) of `mask` that hold something; without those.

    Shapes are interpolated linearly by their signed distance (in mm, by the in-slice `spacing`).
    """
    added = np.zeros_like(mask)
    held = np.flatnonzero(mask.any(axis=(1, 2)))
    for first, last in pairwise(held):
        if last - first < 2:
            continue
        ends = mask[[first, last]]
        box = _box(ends.any(axis=0))
        near, far = (_signed_distance(end[box], spacing) for end in ends)
        for between in range(first + 1, last):
            part = (between - first) / (last - first)
            added[between][box] = (1 - part) * near + part * far > 0
    return added


def _signed_distance(mask: NDArray[np.bool_], spacing: Sequence[float]) -> NDArray[np.float64]:
    """mm to the border, positive inside."""
    inside = ndimage.distance_transform_edt(mask, sampling=spacing)
    outside = ndimage.distance_transform_edt(~mask, sampling=spacing)
    return inside - outside


def _box(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The smallest rectangle around `mask`, one pixel wider where there is room."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(rows[0] - 1, 0), rows[-1] + 2),
        slice(max(columns[0] - 1, 0), columns[-1] + 2),
    )


def _along(
    start: Sequence[float], stop: Sequence[float], step_mm: float, spacing: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Points (n, 3) from `start` (left out unless it is `stop`) to `stop`, a small step apart."""
    first, last = np.asarray(start, float), np.asarray(stop, float)
    length = float(np.linalg.norm((last - first) * spacing))
    steps = max(1, int(np.ceil(length / max(step_mm, spacing.min() / 2))))
    return first + (last - first) * (np.arange(1, steps + 1) / steps)[:, None]
