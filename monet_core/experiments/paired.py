"""Whether one method is better than another: paired tests on Dice, with Holm's correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

RESAMPLES = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Paired:
    """Differences a - b of `n` pairs: their mean with its bootstrap interval, and Wilcoxon's p."""

    n: int
    mean: float
    low: float
    high: float
    p: float


def paired_test(differences: NDArray[np.floating] | Sequence[float], seed: int = 0) -> Paired:
    """Wilcoxon's signed-rank test (two-sided) and a percentile bootstrap of the mean difference.

    Values that are not finite are left out. All differences 0 gives p = 1; no difference at all
    gives nan throughout. The interval of a single pair is that pair.
    """
    values = np.asarray(differences, np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return Paired(0, np.nan, np.nan, np.nan, np.nan)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(_resampled_means(values, seed), (tail, 1 - tail))
    return Paired(len(values), float(values.mean()), float(low), float(high), _wilcoxon(values))


def _resampled_means(values: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Means of RESAMPLES samples with replacement, a hundred at a time to keep memory flat."""
    random, size = np.random.default_rng(seed), (RESAMPLES // 20, len(values))
    parts = [values[random.integers(len(values), size=size)].mean(axis=1) for _ in range(20)]
    return np.concatenate(parts)


def _wilcoxon(values: NDArray[np.float64]) -> float:
    from scipy.stats import wilcoxon

    return float(wilcoxon(values).pvalue) if np.any(values) else 1.0


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment (Holm 1979) of the p-values of one family; nan stays nan."""
    values = np.asarray(p, np.float64)
    order = [int(i) for i in np.argsort(values) if np.isfinite(values[i])]
    adjusted = np.full(len(values), np.nan)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * float(values[index])))
        adjusted[index] = highest
    return [float(value) for value in adjusted]


def compare_methods(a: pd.DataFrame, b: pd.DataFrame) -> dict[str, float]:
    """Compare two tables of Dice per scan and region (columns scan, index, dice), a - b.

    Pairs are the scans and regions that both have. `n`, `difference`, `low`, `high`, `p` are over
    scans and regions; the same with `_scans` over the scans' mean differences alone;
    `share_better` is the share of regions in which a's mean is higher than b's.
    """
    both = a.merge(b, on=["scan", "index"], suffixes=("_a", "_b"))
    both["difference"] = both["dice_a"] - both["dice_b"]
    both = both[np.isfinite(both["difference"])]
    each = paired_test(both["difference"].to_numpy())
    scans = paired_test(both.groupby("scan")["difference"].mean().to_numpy())
    regions = both.groupby("index")["difference"].mean()
    return {
        "n": each.n,
        "difference": each.mean,
        "low": each.low,
        "high": each.high,
        "p": each.p,
        "share_better": float((regions > 0).mean()) if len(regions) else np.nan,
        "n_scans": scans.n,
        "difference_scans": scans.mean,
        "low_scans": scans.low,
        "high_scans": scans.high,
        "p_scans": scans.p,
    }
