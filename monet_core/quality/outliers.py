"""Which volumes are far from usual, and which scan to look at first."""

from __future__ import annotations

import pandas as pd

from monet_core.quality.reference import Reference


def outliers(volumes: pd.DataFrame, reference: Reference | None = None) -> pd.DataFrame:
    """Robust z-scores of every row of `volumes` (as of `Study.volumes`, one protocol).

    Adds columns: z_reference (share against the reference), z_study (share against the median and
    MAD of the other scans; nan below 5 scans), z_asymmetry, missing (bool) and flagged (bool).
    """
    raise NotImplementedError


def rank(found: pd.DataFrame, entropies: pd.DataFrame | None = None) -> pd.DataFrame:
    """A row per segmentation, the one to look at first on top.

    Columns: scan, segmentation (and their ids where `found` has them), score (0 usual, 1 and
    above: look), worst_z, worst_region, flagged (share of regions), missing (count), entropy
    (nats, nan where there is no map), reason (one sentence).
    """
    raise NotImplementedError
