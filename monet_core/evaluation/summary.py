"""Mean and standard deviation over scans, as papers print them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Summary:
    """Mean and sample standard deviation (ddof = 1; nan for one value) of `n` values."""

    mean: float
    std: float
    n: int

    def paper(self, digits: int = 3) -> str:
        """As the paper's tables print Dice, e.g. ".785±.070"; ".785" alone for a single scan."""
        if not self.n:
            return "n/a"
        mean = _short(self.mean, digits)
        return f"{mean}±{_short(self.std, digits)}" if self.n > 1 else mean

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; null for what is not defined."""
        return {
            "mean": self.mean if self.n else None,
            "std": self.std if self.n > 1 else None,
            "n": self.n,
            "text": self.paper(),
        }


def summary_of(values: pd.Series) -> Summary:
    """Mean and sample standard deviation of the finite ones among the values."""
    finite = values[np.isfinite(values)]
    mean = float(finite.mean()) if len(finite) else np.nan
    return Summary(mean, float(finite.std(ddof=1)) if len(finite) > 1 else np.nan, len(finite))


def summarise(table: pd.DataFrame, measure: str = "dice") -> Summary:
    """Over the scans: mean ± std of each scan's mean over its regions.

    `table` has a row per scan and region (columns scan, index and the measure), as
    `evaluate_folders` makes it. Regions that are absent in a scan (nan) are left out of that
    scan's mean, infinite distances likewise. The paper does not say which std it prints;
    here it is the sample's (ddof = 1).
    """
    return summary_of(scan_means(table, measure))


def summarise_regions(table: pd.DataFrame, measure: str = "dice") -> Summary:
    """Over the regions: mean ± std of each region's mean over the scans."""
    finite = table[np.isfinite(table[measure])]
    return summary_of(finite.groupby("index")[measure].mean())


def scan_means(table: pd.DataFrame, measure: str) -> pd.Series:
    """Mean of the finite values of every scan, indexed by scan."""
    values = table[measure].where(np.isfinite(table[measure]))
    return values.groupby(table["scan"], sort=False).mean()


def per_scan_table(table: pd.DataFrame) -> pd.DataFrame:
    """One row per scan: means over its regions, and how many were scored, missed and added.

    `missed` counts regions of the truth that are absent in the segmentation, `added` the
    reverse; both count as Dice 0, but cannot have a distance.
    """
    grouped = table.groupby("scan", sort=False)
    absolute = table["volume_error_percent"].abs()
    return pd.DataFrame(
        {
            "regions": grouped["dice"].count(),
            "missed": (table["volume_pred_ml"] == 0).groupby(table["scan"], sort=False).sum(),
            "added": (table["volume_truth_ml"] == 0).groupby(table["scan"], sort=False).sum(),
            "dice": scan_means(table, "dice"),
            "dice_lowest": grouped["dice"].min(),
            "hd95_mm": scan_means(table, "hd95_mm"),
            "assd_mm": scan_means(table, "assd_mm"),
            "volume_error_percent": scan_means(table, "volume_error_percent"),
            "volume_error_abs_percent": absolute.groupby(table["scan"], sort=False).mean(),
        }
    ).reset_index()


def regions_table(table: pd.DataFrame) -> pd.DataFrame:
    """One row per region: mean, std, median, extremes of Dice; mean distances and errors."""
    finite = table.assign(
        hd95_mm=table["hd95_mm"].where(np.isfinite(table["hd95_mm"])),
        assd_mm=table["assd_mm"].where(np.isfinite(table["assd_mm"])),
    )
    keys = ["index", "name", "abbreviation", "hemisphere"]
    grouped = finite.groupby(keys, sort=False, dropna=False)
    return grouped.agg(
        scans=("dice", "count"),
        dice_mean=("dice", "mean"),
        dice_std=("dice", "std"),
        dice_median=("dice", "median"),
        dice_lowest=("dice", "min"),
        dice_highest=("dice", "max"),
        hd95_mm=("hd95_mm", "mean"),
        assd_mm=("assd_mm", "mean"),
        volume_error_percent=("volume_error_percent", "mean"),
    ).reset_index()


def _short(value: float, digits: int) -> str:
    """Without the zero before the point, as the paper prints it: .785, 1.000."""
    text = f"{value:.{digits}f}"
    return re.sub(r"^(-?)0\.", r"\1.", text)
