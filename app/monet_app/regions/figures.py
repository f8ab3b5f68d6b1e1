"""What is measured of a segmentation for the Regions panel: volumes and places. No Qt."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monet_core.evaluation import region_volumes
from monet_core.evaluation.counts import Positions
from monet_core.protocols import Protocol
from monet_core.scans import LabelMap

Ras = tuple[float, float, float]
NAN = math.nan


@dataclass(frozen=True)
class Figures:
    """Of one row: volume in ml, left against right in %, share of the labelled brain in %.

    nan where there is none: all three where no voxel has the region.
    """

    volume_ml: float = NAN
    asymmetry: float = NAN
    share: float = NAN

    @property
    def missing(self) -> bool:
        """Whether not one voxel has it."""
        return math.isnan(self.volume_ml)


@dataclass(frozen=True, eq=False)
class Measured:
    """`table` is that of `region_volumes`; `places` a world point (RAS, mm) inside each region."""

    table: pd.DataFrame
    places: dict[int, Ras]

    @cached_property
    def _rows(self) -> dict[int, tuple[str, float, float]]:
        columns = ("index", "hemisphere", "volume_ml", "share_percent")
        rows = zip(*(self.table[name] for name in columns), strict=True)
        return {int(index): (str(side), float(ml), float(share)) for index, side, ml, share in rows}

    def of(self, indices: Iterable[int]) -> Figures:
        """The figures of some regions together."""
        rows = [self._rows[index] for index in indices if index in self._rows]
        there = [row for row in rows if not math.isnan(row[1])]
        if not there:
            return Figures()
        return Figures(sum(row[1] for row in there), _asymmetry(rows), sum(row[2] for row in there))

    def of_region(self, index: int, pair: int | None) -> Figures:
        """The figures of one region; its asymmetry is that of the pair."""
        alone = self.of((index,))
        both = self.of((index,) if pair is None else (index, pair))
        return Figures(alone.volume_ml, both.asymmetry, alone.share)

    @property
    def present(self) -> set[int]:
        """The regions that have a voxel."""
        return set(self.places)


def measure(labels: LabelMap, protocol: Protocol) -> Measured:
    """Volumes of every region and a place inside each; takes about a second a scan."""
    table = region_volumes(labels.data, labels.geometry, protocol)
    return Measured(table, places_of(labels, protocol.indices))


def places_of(labels: LabelMap, indices: Iterable[int]) -> dict[int, Ras]:
    """World point (RAS, mm) of the voxel nearest to each region's centroid, inside the region.

    Regions without a voxel are left out.
    """
    wanted = tuple(indices)
    order: Literal["F", "C"] = "F" if labels.data.flags.f_contiguous else "C"
    flat = labels.data.ravel(order=order)
    where = np.flatnonzero(flat)
    # Sixteen bits are sorted several times faster than the indices themselves.
    numbers = Positions(wanted)(flat[where]).astype(np.uint16)
    where = where[np.argsort(numbers, kind="stable")]
    ends = np.bincount(numbers, minlength=len(wanted) + 1).cumsum()
    places = {}
    for index, first, last in zip(wanted, ends[:-1], ends[1:], strict=True):
        if last > first:
            voxels = np.unravel_index(where[first:last], labels.data.shape, order=order)
            places[index] = _middle(np.column_stack(voxels), labels)
    return places


def _middle(voxels: NDArray[np.intp], labels: LabelMap) -> Ras:
    """The world point of the voxel (n, 3) nearest to the mean of all of them."""
    affine = labels.geometry.affine
    away = (voxels - voxels.mean(axis=0)) @ affine[:3, :3].T
    nearest = voxels[int(np.argmin((away**2).sum(axis=1)))]
    x, y, z = affine[:3, :3] @ nearest + affine[:3, 3]
    return float(x), float(y), float(z)


def _asymmetry(rows: Iterable[tuple[str, float, float]]) -> float:
    """100 (L - R) / ((L + R) / 2) of all sided regions together; nan where a side is missing."""
    sums = {"L": 0.0, "R": 0.0}
    for side, volume, _ in rows:
        if side in sums:
            sums[side] += volume  # nan where one is missing: what is left cannot be compared
    total = sums["L"] + sums["R"]
    if not (sums["L"] > 0 and sums["R"] > 0):
        return NAN
    return 200 * (sums["L"] - sums["R"]) / total
