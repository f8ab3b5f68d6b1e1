"""One comparison as the panel shows it: read, measured, and put into words. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monet_app.words import count, dice, listed
from monet_core.evaluation import (
    Comparison,
    Place,
    compare,
    region_mask,
    region_place,
    source_indices,
    worst_place,
)
from monet_core.protocols import Protocol, load_protocol
from monet_core.scans import Decisions, LabelMap, read_labels
from monet_core.workspace import SegmentationEntry

Segmented = tuple[LabelMap, Protocol]
MOST_NAMED = 6


@dataclass(frozen=True, eq=False)
class Result:
    """A comparison with what it was made of.

    `segmented` has the label maps by their names, in the order of `entries`; `measured` says
    whether the surface distances are there already (they take longer than Dice).
    """

    comparison: Comparison
    segmented: Mapping[str, Segmented]
    entries: tuple[SegmentationEntry, ...]
    target: Protocol
    reference: str | None = None
    measured: bool = False

    @property
    def table(self) -> pd.DataFrame:
        """A row per pair and region, the worst first (see `Comparison`)."""
        return self.comparison.table

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The pairs that were compared, by name, in the order of the names."""
        rows = self.table[["a", "b"]].drop_duplicates().itertuples(index=False, name=None)
        place = {name: number for number, name in enumerate(self.segmented)}
        return sorted(rows, key=lambda pair: (place[pair[0]], place[pair[1]]))

    def pair(self, a: str, b: str) -> tuple[Segmented, Segmented]:
        """Two of the label maps by name."""
        return self.segmented[a], self.segmented[b]


def first_result(
    entries: Mapping[str, SegmentationEntry],
    decisions: Decisions,
    target: Protocol,
    reference: str | None,
    known: Mapping[int, LabelMap] | None = None,
) -> Result:
    """Read (what is not in `known`, by id) and compare without distances: about a second.

    `entries` by the names that are shown; `reference` is one of these.
    """
    known = known or {}
    segmented = {
        name: (
            known[each.id] if each.id in known else read_labels(each.path, decisions),
            load_protocol(each.protocol),
        )
        for name, each in entries.items()
    }
    found = compare(segmented, target, reference, distances=False)
    return Result(found, segmented, tuple(entries.values()), target, reference)


def with_distances(result: Result) -> Result:
    """The same comparison with its surface distances: some seconds."""
    found = compare(result.segmented, result.target, result.reference)
    return Result(
        found, result.segmented, result.entries, result.target, result.reference, measured=True
    )


@dataclass(frozen=True, eq=False)
class Look:
    """One region of a result: where a pair differs most, where the region is, and all differences.

    Both places may be None. `differences` int32 (X, Y, Z) on the grid of the comparison's map
    counts the pairs that differ in this region.
    """

    place: Place | None
    region: Place | None
    differences: NDArray[np.int32]


def look_at(result: Result, a: str, b: str, index: int) -> Look:
    """What there is to see of a region; a fraction of a second."""
    first, second = result.pair(a, b)
    labels, protocol = first
    region = region_place(labels, source_indices(protocol, result.target, index))
    like = result.comparison.like.geometry
    masks = {
        name: region_mask(one, result.target, index, like) for name, one in result.segmented.items()
    }
    differences = np.zeros(like.shape, np.int32)
    for one, other in result.pairs:
        differences += masks[one] ^ masks[other]
    return Look(worst_place(first, second, result.target, index), region, differences)


def summary_lines(result: Result) -> list[str]:
    """One line per pair: mean Dice, mean distances, and what only one of the two has."""
    pairs = result.pairs
    regions = count(int(result.table["index"].nunique()), "region")
    if len(pairs) == 1:
        return [_summary(result, *pairs[0], f" over {regions}")]
    return [f"Means over {regions}:", *(_summary(result, *pair, "") for pair in pairs)]


def _summary(result: Result, a: str, b: str, over: str) -> str:
    rows = result.table[(result.table["a"] == a) & (result.table["b"] == b)]
    text = f"{a} – {b}: Dice {dice(float(rows['dice'].mean()))}{over}"
    finite = rows.replace(np.inf, np.nan)
    if result.measured and finite["hd95_mm"].notna().any():
        text += f", HD95 {finite['hd95_mm'].mean():.1f}, ASSD {finite['assd_mm'].mean():.2f} mm"
    one_sided = int(((rows["volume_a_ml"] == 0) ^ (rows["volume_b_ml"] == 0)).sum())
    if one_sided:
        text += f"; {one_sided} in one of them only"
    return text


def note_lines(result: Result) -> list[str]:
    """What was left out and why, and what was done to make them comparable."""
    lines = []
    for name, indices in result.comparison.left_out.items():
        if indices:
            regions = [result.target.region(index).name for index in indices]
            lines.append(
                f"{name} cannot have {count(len(indices), 'region')} of {result.target.name}: "
                f"{listed(regions, MOST_NAMED)}. Left out."
            )
    for note in result.comparison.notes:
        file = f"{Path(note.file).name}: " if note.file else ""
        lines.append(f"{file}{note.message[:1].upper()}{note.message[1:].rstrip('.')}.")
    return lines
