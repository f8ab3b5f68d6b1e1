"""Which volumes are far from usual, and which scan to look at first.

Shares of the labelled brain are compared as logarithms, since regions differ by factors, and less
the segmentation's own median over regions: a single failed region moves every share, not that.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monet_core.evaluation.volumes import MISSING
from monet_core.quality.reference import Reference, owner_columns

Table = NDArray[np.float64]

FLAG_Z = 4.0
"""Robust z from which a region is flagged. Of the reference's own 15 scans, each against the other
14, .24 % of regions are beyond it in size and .29 % in asymmetry (manual labels)."""
FEWEST_SCANS = 5
ENOUGH_SCANS = 10
EXPECTED_SHARE = 0.9
"""A region that so many scans have is missed where it is missing."""
MAD_TO_SIGMA = 1.4826
LEAST_LOG_SIGMA = 0.05
LEAST_ASYMMETRY_SIGMA = 3.0
MOST_Z = 50.0


def outliers(volumes: pd.DataFrame, reference: Reference | None = None) -> pd.DataFrame:
    """`volumes` (as of `Study.volumes`) with robust z-scores of every row.

    Added columns: z_reference (share against the reference; nan for protocols it is not of),
    z_study (share against median and MAD of all segmentations of that protocol; nan below 5),
    z_asymmetry, z (which of size and asymmetry is farther from usual), missing (bool: not there
    though others have it) and flagged (bool: |z| of 4 and more, or missing). From 10 segmentations
    on both go by the study, whose people are alike and whose model may not know every region;
    before, by the reference where there is one.
    """
    volumes = volumes.reset_index(drop=True)
    if not len(volumes):
        return volumes.assign(**dict.fromkeys(_ADDED, np.nan), missing=False, flagged=False)
    if "protocol" not in volumes:
        return _of_one_protocol(volumes, reference)
    tables = []
    for protocol, group in volumes.groupby("protocol", sort=False):
        fits = reference is not None and reference.protocol == protocol
        tables.append(_of_one_protocol(group, reference if fits else None))
    return pd.concat(tables).sort_index()


_ADDED = ("z_reference", "z_study", "z_asymmetry", "z")


def _of_one_protocol(volumes: pd.DataFrame, reference: Reference | None) -> pd.DataFrame:
    rows = volumes.groupby(owner_columns(volumes), sort=False).ngroup().to_numpy()
    indices, columns = np.unique(volumes["index"].to_numpy(), return_inverse=True)
    where = (rows, columns)
    usual = None if reference is None else reference.table.set_index("index").reindex(indices)
    logs = _grid(np.log(volumes["share_percent"].to_numpy(float)), where)
    asymmetry = _grid(volumes["asymmetry_percent"].to_numpy(float), where)
    found = volumes.copy()
    found["z_reference"] = _against_reference(logs, usual)[where]
    found["z_study"] = _against_others(logs, LEAST_LOG_SIGMA)[where]
    by_study = usual is None or len(logs) >= ENOUGH_SCANS
    found["z_asymmetry"] = _asymmetry_z(asymmetry, None if by_study else usual)[where]
    size = found["z_study" if by_study else "z_reference"]
    lopsided = found["z_asymmetry"].abs() > size.abs().fillna(0)
    found["z"] = size.mask(lopsided, found["z_asymmetry"])
    expected = _expected(np.isfinite(logs), None if by_study else usual)[columns]
    found["missing"] = (found["status"] == MISSING).to_numpy() & expected
    found["flagged"] = found["missing"] | (np.abs(np.nan_to_num(found["z"])) >= FLAG_Z)
    return found


def _grid(values: Table, where: tuple[NDArray, NDArray]) -> Table:
    """(segmentations, regions) of a long column, nan where there is no row."""
    grid = np.full((where[0].max() + 1, where[1].max() + 1), np.nan)
    grid[where] = values
    return grid


def _centred(logs: Table, middle: Table) -> Table:
    """Log ratios to `middle`, less each segmentation's median."""
    ratios = logs - middle
    return ratios - _median(ratios, axis=1)


def _against_reference(logs: Table, usual: pd.DataFrame | None) -> Table:
    if usual is None:
        return np.full(logs.shape, np.nan)
    mean, sd = usual["share_mean"].to_numpy(float), usual["share_sd"].to_numpy(float)
    n = usual["n"].to_numpy(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Mean and SD of the logarithm of what is log-normal with that mean and SD.
        variance = np.log1p((sd / mean) ** 2)
        middle = np.log(mean) - variance / 2
        # A new scan differs from a mean of few scans by more than they differ among each other.
        sigma = np.sqrt(variance * (1 + 1 / n) + LEAST_LOG_SIGMA**2)
    return _clipped(_centred(logs, middle) / sigma)


def _against_others(values: Table, least: float, centre: bool = True) -> Table:
    """Robust z against median and MAD over segmentations; nan where fewer than 5 have a region."""
    middle = _median(values, axis=0)
    ratios = _centred(values, middle) if centre else values - middle
    spread = MAD_TO_SIGMA * _median(np.abs(ratios), axis=0)
    # A MAD of few scans is now and then much too small: at least what is usual over regions.
    typical = float(_median(spread[:, spread[0] > 0], axis=1)[0, 0]) if (spread > 0).any() else 0.0
    sigma = np.sqrt(np.maximum(spread, typical / 2) ** 2 + least**2)
    enough = np.isfinite(values).sum(axis=0) >= FEWEST_SCANS
    return np.where(enough, _clipped(ratios / sigma), np.nan)


def _asymmetry_z(asymmetry: Table, usual: pd.DataFrame | None) -> Table:
    if usual is None:
        return _against_others(asymmetry, LEAST_ASYMMETRY_SIGMA, centre=False)
    mean, sd = usual["asymmetry_mean"].to_numpy(float), usual["asymmetry_sd"].to_numpy(float)
    n = usual["n"].to_numpy(float)
    sigma = np.sqrt(sd**2 * (1 + 1 / n) + LEAST_ASYMMETRY_SIGMA**2)
    return _clipped((asymmetry - mean) / sigma)


def _expected(present: NDArray[np.bool_], usual: pd.DataFrame | None) -> NDArray[np.bool_]:
    """Which regions nearly every scan has, by the reference or, with 5 scans, by the study."""
    expected = np.zeros(present.shape[1], bool)
    if usual is not None:
        share = (usual["n"] / usual["scans"]).to_numpy(float)
        expected |= np.nan_to_num(share) >= EXPECTED_SHARE
    if len(present) >= FEWEST_SCANS:
        # Without the scan itself, which may be the one that misses it.
        expected |= (present.sum(axis=0) + 1) / len(present) >= EXPECTED_SHARE
    return expected & (present.any(axis=0) | (usual is not None))


def _clipped(z: Table) -> Table:
    return np.clip(z, -MOST_Z, MOST_Z)


def _median(values: Table, axis: int) -> Table:
    """Median of what is finite, 0 where nothing is; the axis stays."""
    some = np.isfinite(values).any(axis=axis, keepdims=True)
    return np.nanmedian(np.where(some, values, 0.0), axis=axis, keepdims=True)
