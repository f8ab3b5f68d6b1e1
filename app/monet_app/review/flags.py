"""Regions of a segmentation that are unusually large or small, with what is usual. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from monet_core.jobs import Cancel, Reporter, silent
from monet_core.quality import Reference, outliers, rank, shipped_reference
from monet_core.quality.outliers import ENOUGH_SCANS, MAD_TO_SIGMA
from monet_core.workspace import Study

# How far from the mean the usual range goes, in standard deviations.
USUAL_SD = 2.0


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
    _known: dict[int, list[Flag]] = field(default_factory=dict, repr=False)

    def flags(self, segmentation_id: int) -> list[Flag]:
        """The unusual regions of a segmentation, the farthest from usual first."""
        if segmentation_id not in self._known:
            self._known[segmentation_id] = self._look(segmentation_id)
        return self._known[segmentation_id]

    def _look(self, segmentation_id: int) -> list[Flag]:
        rows = self.found[self.found["segmentation_id"] == segmentation_id]
        if rows.empty:
            return []
        usual = self._usual(rows)
        flagged = rows[rows["flagged"].astype(bool)]
        far = flagged["z"].abs().where(~flagged["missing"].astype(bool), np.inf).to_numpy(float)
        order = np.argsort(-np.nan_to_num(far, nan=0.0, posinf=np.inf), kind="stable")
        return [_flag(flagged.iloc[number], usual) for number in order]

    def _usual(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Columns low and high in ml by region: what is usual in a brain of this one's size.

        That size is the median over regions, as for the z-scores: one region that failed does
        not make all others look unusual.
        """
        shares = self._usual_shares
        volumes = rows.set_index("index")["volume_ml"].reindex(shares.index)
        size = float((volumes / shares["mean"]).median())
        spread = USUAL_SD * shares["sd"]
        low = (shares["mean"] - spread).clip(lower=0) * size
        return pd.DataFrame({"low": low, "high": (shares["mean"] + spread) * size})

    @cached_property
    def _usual_shares(self) -> pd.DataFrame:
        """Columns mean and sd by region: of the study where it is large enough to say."""
        scans = self.found["segmentation_id"].nunique()
        if self.reference is not None and scans < ENOUGH_SCANS:
            table = self.reference.table.set_index("index")
            return pd.DataFrame({"mean": table["share_mean"], "sd": table["share_sd"]})
        shares = self.found.groupby("index")["share_percent"]
        middle = shares.median()
        away = (self.found["share_percent"] - self.found["index"].map(middle)).abs()
        sd = MAD_TO_SIGMA * away.groupby(self.found["index"]).median()
        return pd.DataFrame({"mean": middle, "sd": sd})


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
    reference = shipped_reference(protocol)
    found = outliers(volumes, reference)
    ranking = rank(found, entropies if len(entropies) else None)
    pairs = zip(ranking["segmentation_id"], ranking["reason"], strict=True)
    return Findings(tuple((int(i), str(reason)) for i, reason in pairs), found, reference)


def _flag(row: pd.Series, usual: pd.DataFrame) -> Flag:
    index = int(row["index"])
    low, high = None, None
    if index in usual.index and np.isfinite(usual.loc[index]).all():
        low, high = float(usual.loc[index, "low"]), float(usual.loc[index, "high"])
    value = None if bool(row["missing"]) else float(row["volume_ml"])
    return Flag(index, str(row["name"]), value, low, high, _reason(row, value))


def _reason(row: pd.Series, value: float | None) -> str:
    if value is None:
        return "others have it"
    if abs(row["z"]) == abs(row["z_asymmetry"]):
        return "left and right differ more than usual"
    return "smaller than usual" if row["z"] < 0 else "larger than usual"
