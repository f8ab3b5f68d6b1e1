"""Regions of a segmentation that are unusually large or small, with what is usual. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from monet_core.jobs import Cancel, Reporter, silent
from monet_core.protocols import Protocol, load_protocol
from monet_core.quality import Reference, outliers, rank, shipped_reference
from monet_core.workspace import Study

# How far from the mean the usual range goes, in standard deviations.
USUAL_SD = 2.0
# A study of fewer scans says nothing about what is usual.
FEWEST_SCANS = 5


@dataclass(frozen=True)
class Flag:
    """One unusual region. Volumes in ml; `low` and `high` are what is usual, None if not known."""

    index: int
    name: str
    value: float | None
    low: float | None
    high: float | None
    reason: str

    @property
    def text(self) -> str:
        """ "2.1 ml (usual 3.2 – 4.9)"."""
        value = "missing" if self.value is None else f"{self.value:.2f} ml"
        if self.low is None or self.high is None:
            return value
        return f"{value} (usual {self.low:.2f} – {self.high:.2f})"


@dataclass(frozen=True, eq=False)
class Findings:
    """What the volumes say: `ranking` of segmentations, and the z-scores of every region."""

    ranking: tuple[tuple[int, str], ...]
    found: pd.DataFrame
    reference: Reference | None

    def flags(self, segmentation_id: int) -> list[Flag]:
        """The unusual regions of a segmentation, the farthest from usual first."""
        rows = self.found[self.found["segmentation_id"] == segmentation_id]
        flagged = rows[rows["flagged"].astype(bool)]
        worst = _worst(flagged)
        order = np.argsort(-worst.to_numpy(), kind="stable")
        return [self._flag(flagged.iloc[number], rows) for number in order]

    def _flag(self, row: pd.Series, rows: pd.DataFrame) -> Flag:
        index = int(row["index"])
        low, high = self._usual(index, float(rows["volume_ml"].sum()))
        missing = bool(row["missing"])
        value = None if missing else float(row["volume_ml"])
        return Flag(index, str(row["name"]), value, low, high, _reason(row, value, low, high))

    def _usual(self, index: int, total_ml: float) -> tuple[float | None, float | None]:
        """The usual range in ml in a brain of `total_ml`: of the reference, else of the study."""
        mean, sd = self._of_reference(index)
        if mean is None or sd is None:
            mean, sd = self._of_study(index)
        if mean is None or sd is None:
            return None, None
        low, high = mean - USUAL_SD * sd, mean + USUAL_SD * sd
        return max(0.0, low) * total_ml / 100, high * total_ml / 100

    def _of_reference(self, index: int) -> tuple[float | None, float | None]:
        if self.reference is None:
            return None, None
        rows = self.reference.table.set_index("index")
        if index not in rows.index or not np.isfinite(rows.loc[index, "share_sd"]):
            return None, None
        return float(rows.loc[index, "share_mean"]), float(rows.loc[index, "share_sd"])

    def _of_study(self, index: int) -> tuple[float | None, float | None]:
        shares = self.found.loc[self.found["index"] == index, "share_percent"].dropna()
        if len(shares) < FEWEST_SCANS:
            return None, None
        middle = float(shares.median())
        return middle, 1.4826 * float((shares - middle).abs().median())


def look_at_volumes(
    study: Study,
    protocol: str,
    segmentations: Sequence[int],
    report: Reporter = silent,
    cancel: Cancel | None = None,
) -> Findings:
    """Volumes, entropies and outliers of these segmentations; takes seconds for each new one."""
    volumes = study.volumes(report=report, cancel=cancel)
    chosen = set(segmentations)
    volumes = volumes[volumes["segmentation_id"].isin(chosen)]
    entropies = study.entropies(report=report, cancel=cancel)
    entropies = entropies[entropies["segmentation_id"].isin(chosen)]
    reference = shipped_reference(protocol_of(protocol))
    if volumes.empty:
        columns = [*volumes.columns, "flagged", "missing"]
        return Findings((), volumes.reindex(columns=columns), reference)
    found = outliers(volumes, reference)
    ranking = rank(found, entropies if len(entropies) else None)
    pairs = zip(ranking["segmentation_id"], ranking["reason"], strict=True)
    return Findings(tuple((int(i), str(reason)) for i, reason in pairs), found, reference)


def protocol_of(protocol: str) -> Protocol:
    """The atlas of a segmentation entry; raises ProtocolError."""
    return load_protocol(protocol)


def _worst(rows: pd.DataFrame) -> pd.Series:
    """The largest absolute z of each row; what is missing counts as farthest."""
    columns = [name for name in ("z_reference", "z_study", "z_asymmetry") if name in rows]
    worst = rows[columns].astype(float).abs().max(axis=1)
    return worst.where(~rows["missing"].astype(bool), np.inf).fillna(0.0)


def _reason(row: pd.Series, value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "which it should not be"
    if low is not None and value < low:
        return "smaller than usual"
    if high is not None and value > high:
        return "larger than usual"
    if abs(float(row.get("z_asymmetry", np.nan))) > USUAL_SD:
        return "left and right differ more than usual"
    return "unusual among the study's scans"
