"""Comparing segmentations of one scan by any tools: mapped to one protocol, put on one grid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monet_core.errors import DatasetError, MonetError, Note, Verdict
from monet_core.evaluation.counts import Positions
from monet_core.evaluation.evaluate import score, unknown_labels
from monet_core.evaluation.tables import write_tsv
from monet_core.files import require_writable, write_json
from monet_core.protocols import (
    Protocol,
    ProtocolMapping,
    find_mapping,
    load_mapping,
    load_protocol,
)
from monet_core.scans import Decisions, LabelMap, read_labels, write_labels
from monet_core.scans.grids import grid_difference, onto_grid

NO_DECISIONS = Decisions()


@dataclass(frozen=True, eq=False)
class Comparison:
    """How segmentations of one scan agree.

    `table` has a row per pair (columns a, b) and region, the worst first: Dice, hd95_mm,
    assd_mm, volumes in ml and their difference in percent of their mean. `disagreement` int32
    (X, Y, Z) on the grid of `like` counts, per voxel, the compared pairs that differ there.
    `regions` are the target's indices that were compared, `left_out` those that one or more
    segmentations cannot have, by name of the segmentation.
    """

    names: tuple[str, ...]
    table: pd.DataFrame
    disagreement: NDArray[np.int32]
    like: LabelMap
    regions: tuple[int, ...]
    left_out: Mapping[str, tuple[int, ...]]
    notes: tuple[Note, ...] = ()

    @property
    def pairs(self) -> pd.DataFrame:
        """One row per pair: number of regions, mean Dice, mean of the finite distances."""
        finite = self.table.replace(np.inf, np.nan)
        return (
            finite.groupby(["a", "b"], sort=False)
            .agg(
                regions=("dice", "count"),
                dice=("dice", "mean"),
                hd95_mm=("hd95_mm", "mean"),
                assd_mm=("assd_mm", "mean"),
            )
            .reset_index()
        )

    def to_tsv(self, path: Path) -> None:
        """Write the table; raises OutputError where that cannot be done."""
        write_tsv(self.table, path)


def compare(
    segmentations: Mapping[str, tuple[LabelMap, Protocol]],
    target: Protocol,
    reference: str | None = None,
    distances: bool = True,
    mappings: Mapping[str, ProtocolMapping] | None = None,
) -> Comparison:
    """Compare every pair of the named segmentations, or each with `reference` only.

    All are mapped to `target`, by the segmentation's own of `mappings` where it has one. Only
    regions that every one of them can have are compared, other labels count as background. The
    grid is the first one's: re-ordered axes are put right exactly, another grid in the same world
    space is resampled (a Note says so). Raises DatasetError for fewer than two, an unknown
    reference, nothing in common or no overlap, and ProtocolError where there is no mapping.
    """
    names = _names(segmentations, reference)
    like = segmentations[names[0]][0]
    mapped: dict[str, NDArray] = {}
    covered: dict[str, frozenset[int]] = {}
    notes: list[Note] = []
    for name in names:
        labels, protocol = segmentations[name]
        mapping = (mappings or {}).get(name) or find_mapping(protocol, target)
        covered[name] = frozenset(mapping.covered)
        values = mapping.apply(labels.data, unknown="background")
        notes += [*protocol.notes, *unknown_labels(labels, protocol), *mapping.notes]
        mapped[name] = _onto_first(name, values, labels, like, notes)
    common = frozenset.intersection(*covered.values())
    regions = tuple(index for index in target.indices if index in common)
    if not regions:
        raise _nothing_common(names, target)
    pairs = list(_pairs(names, reference))
    tables = [_pair_table(a, b, mapped, like, target, regions, distances) for a, b in pairs]
    table = pd.concat(tables, ignore_index=True).dropna(subset=["dice"])
    return Comparison(
        names=tuple(names),
        table=table.sort_values(["dice", "hd95_mm"], ascending=[True, False], ignore_index=True),
        disagreement=_disagreement(mapped, pairs, regions),
        like=like,
        regions=regions,
        left_out={
            name: tuple(index for index in target.indices if index not in covered[name])
            for name in names
        },
        notes=tuple(dict.fromkeys(notes)),
    )


def compare_files(
    paths: Mapping[str, tuple[Path, str]],
    target: str,
    out: Path,
    reference: str | None = None,
    distances: bool = True,
    decisions: Decisions = NO_DECISIONS,
    mappings: Mapping[str, Path] | None = None,
) -> Comparison:
    """Compare label files, given by name as (path, protocol name or table).

    `mappings` are tables to `target`, by name of the segmentation, for `load_mapping`.
    Writes comparison.tsv, pairs.tsv, comparison.json and disagreement.nii.gz (on the first
    one's grid) under `out`. A file that cannot be read is told in the notes and the others are
    compared; fewer than two left raise DatasetError.
    """
    require_writable(out)
    segmentations: dict[str, tuple[LabelMap, Protocol]] = {}
    failed: list[Note] = []
    for name, (path, protocol) in paths.items():
        try:
            segmentations[name] = (read_labels(path, decisions), load_protocol(protocol))
        except MonetError as error:
            failed.append(error.note())
    if len(segmentations) < 2 and failed:
        raise DatasetError(
            "too-few",
            f"fewer than two segmentations could be read; the first problem: {failed[0].message}",
            file=failed[0].file,
        )
    common = load_protocol(target)
    own = {
        name: load_mapping(path, segmentations[name][1], common)
        for name, path in (mappings or {}).items()
        if name in segmentations
    }
    found = compare(segmentations, common, reference, distances, own)
    result = Comparison(**{**vars(found), "notes": (*failed, *found.notes)})
    _write(result, target, out)
    return result


def _write(result: Comparison, target: str, out: Path) -> None:
    result.to_tsv(out / "comparison.tsv")
    write_tsv(result.pairs, out / "pairs.tsv")
    write_labels(out / "disagreement.nii.gz", result.disagreement, result.like)
    record = {
        "names": list(result.names),
        "protocol": target,
        "regions": list(result.regions),
        "left_out": {name: list(indices) for name, indices in result.left_out.items()},
        "notes": [note.as_dict() for note in result.notes],
    }
    write_json(out / "comparison.json", record)


def _names(segmentations: Mapping[str, object], reference: str | None) -> list[str]:
    names = list(segmentations)
    if len(names) < 2:
        raise DatasetError(
            "too-few", "a comparison needs two segmentations or more", remedy="Give another one."
        )
    if reference is not None and reference not in names:
        raise DatasetError(
            "no-such-reference",
            f"there is no segmentation named {reference!r}",
            remedy=f"Use one of {', '.join(names)}.",
        )
    return names


def _onto_first(
    name: str, values: NDArray, labels: LabelMap, like: LabelMap, notes: list[Note]
) -> NDArray:
    """`values` on the grid of `like`; a Note is added where that takes interpolation."""
    moved = onto_grid(values, labels.geometry, like.geometry)
    if moved is not None:
        return moved
    # Here, because SimpleITK takes its time to load and is needed for this case only.
    from monet_core.preprocessing import resample

    resampled = resample(values, labels.geometry, like.geometry, mode="label")
    difference = grid_difference(labels.geometry, like.geometry)
    if values.any() and not resampled.any():
        raise DatasetError(
            "no-overlap",
            f"{name} lies nowhere near the first segmentation ({difference})",
            remedy="Compare segmentations of one and the same scan.",
            file=labels.path,
        )
    text = f"{name} is on another grid ({difference}) and was resampled onto the first one's"
    notes.append(Note(Verdict.FIXED, "resampled", text, str(labels.path or "")))
    return resampled


def _pairs(names: Sequence[str], reference: str | None) -> Iterator[tuple[str, str]]:
    if reference is None:
        return combinations(names, 2)
    return ((name, reference) for name in names if name != reference)


def _pair_table(
    a: str,
    b: str,
    mapped: Mapping[str, NDArray],
    like: LabelMap,
    target: Protocol,
    regions: Sequence[int],
    distances: bool,
) -> pd.DataFrame:
    table = score(mapped[a], mapped[b], like.geometry, target, regions, distances)
    table = table.drop(columns="volume_error_percent").rename(
        columns={"volume_pred_ml": "volume_a_ml", "volume_truth_ml": "volume_b_ml"}
    )
    first, second = table["volume_a_ml"], table["volume_b_ml"]
    table["volume_difference_percent"] = 200 * (first - second) / (first + second)
    table.insert(0, "a", a)
    table.insert(1, "b", b)
    return table


def _disagreement(
    mapped: Mapping[str, NDArray], pairs: Sequence[tuple[str, str]], regions: Sequence[int]
) -> NDArray[np.int32]:
    """How many of the pairs differ at each voxel, in the compared regions."""
    positions = Positions(regions)
    compared = {name: positions.compact(values) for name, values in mapped.items()}
    count = np.zeros(next(iter(compared.values())).shape, dtype=np.int32)
    for a, b in pairs:
        count += compared[a] != compared[b]
    return count


def _nothing_common(names: Sequence[str], target: Protocol) -> DatasetError:
    return DatasetError(
        "nothing-in-common",
        f"no region of {target.name} is known to all of {', '.join(names)}",
        remedy="Compare in a coarser protocol, such as first or quicknat27.",
    )
