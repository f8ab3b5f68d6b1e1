"""Where a model was unsure: mean entropy per region, and what to annotate next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from monet_core.errors import ScanError
from monet_core.protocols import Protocol
from monet_core.scans import Decisions, LabelMap, grid_difference, onto_grid, read_map

WHOLE, WHOLE_NAME = 0, "whole brain"
"""Index and name of the row for all labelled voxels together."""
TIE_NATS = 1e-3
_NO_DECISIONS = Decisions()


@dataclass(frozen=True)
class Candidate:
    """A scan that might be annotated next.

    `entropy`: mean over the brain in nats, None where not known. `outlyingness`: the score of
    `rank`, None where not known. `scan_id` is the study's, 0 where there is none.
    """

    scan: str
    entropy: float | None = None
    outlyingness: float | None = None
    scan_id: int = 0


def suggest_next(entries: Sequence[Candidate]) -> list[Candidate]:
    """`entries`, the scan first that a model was least sure of: it teaches most.

    Scans whose entropy is equal (to 0.001 nats) go by outlyingness; those without an entropy map
    come last, by outlyingness too. Otherwise the order stays.
    """
    return sorted(entries, key=_worth, reverse=True)


def _worth(entry: Candidate) -> tuple[float, float]:
    entropy = -np.inf if entry.entropy is None else round(entry.entropy / TIE_NATS)
    return float(entropy), -np.inf if entry.outlyingness is None else entry.outlyingness


def candidates(
    scans: Sequence[tuple[int, str]], entropies: pd.DataFrame, ranking: pd.DataFrame | None = None
) -> list[Candidate]:
    """A candidate per (id, name) of `scans` for `suggest_next`.

    `entropies` as of `Study.entropies`, `ranking` as of `rank`; of several segmentations of a scan
    the least sure and the most unusual count.
    """
    whole = entropies[entropies["index"] == WHOLE]
    entropy = whole.groupby("scan_id")["entropy"].max().to_dict()
    scores = {} if ranking is None else ranking.groupby("scan_id")["score"].max().to_dict()
    return [Candidate(name, entropy.get(n), scores.get(n), n) for n, name in scans]


def entropy_map_of(labels: Path) -> Path | None:
    """The entropy map that belongs to a label map file (`*_desc-entropy_probseg.nii.gz`)."""
    stem, marker, _ = labels.name.rpartition("_dseg.")
    path = labels.with_name(f"{stem}_desc-entropy_probseg.nii.gz")
    return path if marker and path.is_file() else None


def region_entropies(
    labels: LabelMap, entropy: Path, protocol: Protocol, decisions: Decisions = _NO_DECISIONS
) -> pd.DataFrame:
    """Mean entropy per region: index, name, voxels, entropy (nats).

    Index 0 is all labelled voxels together; nan for a region without voxels. Values that are not
    finite are left out. Raises ScanError where the map cannot be read or lies on another grid.
    """
    values, geometry = read_map(entropy, decisions)
    data = onto_grid(labels.data, labels.geometry, geometry)
    if data is None:
        difference = grid_difference(labels.geometry, geometry)
        remedy = "Segment the scan again with the entropy map switched on."
        problem = f"the entropy map is not on the label map's grid: {difference}"
        raise ScanError("grids-differ", problem, remedy=remedy, file=entropy)
    counts, sums = np.zeros(protocol.n_classes), np.zeros(protocol.n_classes)
    for number in range(values.shape[2]):
        classes, plane = protocol.encode(data[:, :, number], "background"), values[:, :, number]
        seen = np.isfinite(plane) & (classes > 0)
        counts += np.bincount(classes[seen], minlength=protocol.n_classes)
        sums += np.bincount(classes[seen], plane[seen], minlength=protocol.n_classes)
    counts[0], sums[0] = counts.sum(), sums.sum()
    with np.errstate(invalid="ignore"):
        means = sums / counts
    names = [WHOLE_NAME, *(region.name for region in protocol.regions)]
    indices = [WHOLE, *protocol.indices]
    voxels = counts.astype(np.int64)
    return pd.DataFrame({"index": indices, "name": names, "voxels": voxels, "entropy": means})
