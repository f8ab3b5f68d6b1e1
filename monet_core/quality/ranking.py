"""Which segmentation to look at first, and which regions are unusual in the whole study."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from monet_core.quality.outliers import FLAG_Z, MAD_TO_SIGMA
from monet_core.quality.reference import owner_columns
from monet_core.quality.uncertainty import WHOLE

FLAGGED_SHARE = 0.05
FLAGGED_COUNT = 2
"""Share of flagged regions, and at least how many, that alone make a scan worth a look."""
ENTROPY_Z = 3.0
LEAST_ENTROPY_SIGMA = 0.01
FEWEST_SCANS = 5
REST = 0.1
"""What all but the strongest reason weigh: they break ties."""
_OWNERS = ("scan", "scan_id", "segmentation", "segmentation_id", "protocol")


def rank(found: pd.DataFrame, entropies: pd.DataFrame | None = None) -> pd.DataFrame:
    """A row per segmentation of `found` (as of `outliers`), the one to look at first on top.

    Columns: scan, segmentation, their ids and protocol where `found` has them, score (0 usual, 1
    and above: look at it), worst_z, worst_region (name), flagged (share of regions), missing
    (count), entropy (nats over the brain; nan without `entropies`) and reason (one sentence).
    """
    owners = owner_columns(found)
    shown = [column for column in _OWNERS if column in found]
    rows = [_one(group, shown) for _, group in found.groupby(owners, sort=False)]
    columns = [*shown, "score", "worst_z", "worst_region", "flagged", "missing"]
    ranking = pd.DataFrame(rows, columns=[*columns, *_PARTS])
    ranking["entropy"] = _entropy_of(ranking, entropies)
    ranking["by_entropy"] = _unsure(ranking["entropy"])
    parts = ranking[[*_PARTS, "by_entropy"]].to_numpy(float)
    most = parts.max(axis=1, initial=0)
    ranking["score"] = most + REST * (parts.sum(axis=1) - most)
    ranking["reason"] = [_reason(row) for row in ranking.to_dict("records")]
    ranking = ranking.sort_values("score", ascending=False, kind="stable", ignore_index=True)
    return ranking[[*columns, "entropy", "reason"]]


_PARTS = ("by_worst", "by_share", "by_missing")


def _one(group: pd.DataFrame, shown: list[str]) -> dict[str, object]:
    size = group["z"].abs().fillna(0).to_numpy()
    # Both rows of a pair carry the same asymmetry: one region's mistake must not count thrice.
    worst = np.sort(size)[::-1][:3]
    at = int(size.argmax())
    missing, flagged = int(group["missing"].sum()), float(group["flagged"].mean())
    return {
        **{column: group[column].iloc[0] for column in shown},
        "worst_z": float(group["z"].iloc[at]) if size[at] else np.nan,
        "worst_region": str(group["name"].iloc[at]) if size[at] else "",
        "flagged": flagged,
        "missing": missing,
        "by_worst": float(0.5 * worst[0] + 0.5 * worst.mean()) / FLAG_Z,
        "by_share": flagged / max(FLAGGED_SHARE, FLAGGED_COUNT / len(group)),
        "by_missing": float(missing),
    }


def _entropy_of(ranking: pd.DataFrame, entropies: pd.DataFrame | None) -> pd.Series:
    """Mean entropy over the brain of each row; nan where there is no map."""
    if entropies is None or not len(entropies) or not len(ranking):
        return pd.Series(np.nan, ranking.index)
    keys = [c for c in owner_columns(entropies) if c in ranking]
    whole = entropies[entropies["index"] == WHOLE].drop_duplicates(keys)[[*keys, "entropy"]]
    return ranking[keys].merge(whole, how="left", on=keys)["entropy"].set_axis(ranking.index)


def _unsure(entropy: pd.Series) -> pd.Series:
    """How far above the study's median, in robust z over 3; 0 where unknown or too few."""
    known = entropy.dropna()
    if len(known) < FEWEST_SCANS:
        return pd.Series(0.0, entropy.index)
    middle = known.median()
    sigma = max(MAD_TO_SIGMA * (known - middle).abs().median(), LEAST_ENTROPY_SIGMA)
    return ((entropy - middle) / sigma / ENTROPY_Z).clip(lower=0).fillna(0)


def _reason(row: dict[Hashable, Any]) -> str:
    parts = {part: float(row[part]) for part in (*_PARTS, "by_entropy")}
    if max(parts.values()) < 1:
        return "Nothing unusual."
    reasons = []
    if row["missing"]:
        count = int(row["missing"])
        reasons.append(f"{count} region{'s' * (count > 1)} missing")
    if parts["by_worst"] >= 1:
        reasons.append(f"{row['worst_region']} far from usual (z {float(row['worst_z']):+.1f})")
    if parts["by_share"] >= 1:
        reasons.append(f"{float(row['flagged']):.0%} of regions unusual")
    if parts["by_entropy"] >= 1:
        reasons.append("the model is less sure than in the other scans")
    text = "; ".join(reasons)
    return f"{text[0].upper()}{text[1:]}."


def systematic(found: pd.DataFrame) -> pd.DataFrame:
    """Regions that most segmentations of a study have far from the reference, worst first.

    A model that fails everywhere in the same way, or people unlike the reference's (older,
    younger, ill). Columns: protocol where `found` has it, index, name, median_z, scans.
    """
    keys = [column for column in ("protocol", "index") if column in found]
    regions = found.groupby(keys, sort=False)
    table = regions.agg(
        name=("name", "first"), median_z=("z_reference", "median"), scans=("z_reference", "count")
    ).reset_index()
    table = table[(table["median_z"].abs() >= FLAG_Z / 2) & (table["scans"] >= FEWEST_SCANS)]
    return table.sort_values("median_z", key=np.abs, ascending=False, ignore_index=True)
