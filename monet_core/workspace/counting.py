"""Voxel counts of label maps, and the tables of volumes that they come to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monet_core.evaluation import read_tsv
from monet_core.evaluation.volumes import MISSING, PRESENT
from monet_core.protocols import Protocol
from monet_core.scans import LabelMap

MOST_COUNTED = 1 << 20
Owner = dict[str, str | int]


@dataclass(frozen=True)
class Counts:
    """Voxels of every value of a label map but 0, and the volume of one in ml."""

    voxels: dict[int, int]
    voxel_ml: float

    def to_text(self) -> str:
        """As stored."""
        return json.dumps([self.voxel_ml, list(self.voxels), list(self.voxels.values())])

    @classmethod
    def of_text(cls, text: str) -> Counts:
        """From `to_text`."""
        voxel_ml, indices, voxels = json.loads(text)
        return cls(dict(zip(indices, voxels, strict=True)), voxel_ml)


def counts_of_volumes(path: Path) -> Counts:
    """Counts of a table of `region_volumes` (TSV) beside a label map.

    Raises OSError, ValueError, KeyError or TypeError where it is no such table.
    """
    table = read_tsv(path)
    seen = table[table["voxels"] > 0]
    voxel_ml = float(np.median(seen["volume_ml"] / seen["voxels"])) if len(seen) else np.nan
    voxels = dict(zip(seen["index"].astype(int), seen["voxels"].astype(int), strict=True))
    return Counts(voxels, voxel_ml)


def label_counts(labels: LabelMap) -> Counts:
    """Counts of a label map."""
    highest = int(labels.data.max(initial=0))
    if highest > MOST_COUNTED:
        values, counts = np.unique(labels.data, return_counts=True)
    else:
        counts = np.zeros(highest + 1, np.int64)
        # Plane by plane: bincount makes 8 bytes of each voxel.
        for plane in np.moveaxis(labels.data, -1, 0):
            counts += np.bincount(plane.ravel("K"), minlength=highest + 1)
        values = np.flatnonzero(counts).astype(np.int32)
        counts = counts[values]
    pairs = zip(values.tolist(), counts.tolist(), strict=True)
    return Counts({v: n for v, n in pairs if v}, labels.geometry.voxel_volume_ml)


def volume_tables(
    counted: Sequence[tuple[Owner, Protocol, Counts]], owner_columns: Sequence[str]
) -> pd.DataFrame:
    """The tables of `region_volumes` for many label maps, with their owners' columns in front.

    Rows in the order of `counted`. Values that a protocol does not know are left out.
    """
    groups: dict[str, list[int]] = {}
    for number, (_, protocol, _) in enumerate(counted):
        groups.setdefault(protocol.fingerprint, []).append(number)
    tables = []
    for numbers in groups.values():
        table = _of_one_protocol([counted[n] for n in numbers])
        table["_order"] = np.repeat(numbers, len(counted[numbers[0]][1].regions))
        tables.append(table)
    if not tables:
        return pd.DataFrame(columns=[*owner_columns, *_FIGURES])
    whole = pd.concat(tables, ignore_index=True)
    return whole.sort_values("_order", kind="stable", ignore_index=True).drop(columns="_order")


_FIGURES = (
    *("index", "name", "abbreviation", "hemisphere", "status", "voxels", "volume_ml"),
    *("share_percent", "asymmetry_percent"),
)


def _of_one_protocol(counted: Sequence[tuple[Owner, Protocol, Counts]]) -> pd.DataFrame:
    protocol = counted[0][1]
    voxels = np.array(
        [[counts.voxels.get(i, 0) for i in protocol.indices] for _, _, counts in counted], float
    )
    voxel_ml = np.array([counts.voxel_ml for _, _, counts in counted])
    with np.errstate(invalid="ignore", divide="ignore"):
        shown = np.where(voxels > 0, voxels, np.nan)
        share = 100 * shown / voxels.sum(axis=1, keepdims=True)
        asymmetry = _asymmetry(voxels, protocol)
    size, regions = voxels.size, protocol.regions
    owners = [owner for owner, _, _ in counted]
    table = {key: np.repeat(_array([o[key] for o in owners]), len(regions)) for key in owners[0]}
    for column in ("index", "name", "abbreviation", "hemisphere"):
        table[column] = np.resize(_array([getattr(region, column) for region in regions]), size)
    return pd.DataFrame(
        {
            **table,
            "status": np.where(voxels > 0, PRESENT, MISSING).ravel(),
            "voxels": voxels.astype(np.int64).ravel(),
            "volume_ml": (shown * voxel_ml[:, None]).ravel(),
            "share_percent": share.ravel(),
            "asymmetry_percent": asymmetry.ravel(),
        }
    )


def _array(values: Sequence[str | int]) -> NDArray:
    """Texts as objects: as numpy's own, each would take the longest one's place in every row."""
    return np.array(values, object if isinstance(values[0], str) else None)


def _asymmetry(voxels: NDArray[np.float64], protocol: Protocol) -> NDArray[np.float64]:
    """100 (L - R) / ((L + R) / 2) per label map and region; nan where there is no pair."""
    column = {index: number for number, index in enumerate(protocol.indices)}
    result = np.full(voxels.shape, np.nan)
    for number, region in enumerate(protocol.regions):
        if region.hemisphere == "M" or region.pair is None:
            continue
        own, other = voxels[:, number], voxels[:, column[region.pair]]
        sign = 1 if region.hemisphere == "L" else -1
        both = (own > 0) & (other > 0)
        result[both, number] = sign * 200 * (own[both] - other[both]) / (own[both] + other[both])
    return result
