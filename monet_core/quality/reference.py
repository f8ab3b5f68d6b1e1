"""How large each region usually is: the reference that volumes are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from monet_resources import REFERENCE

from monet_core.errors import DatasetError
from monet_core.evaluation import read_tsv, write_tsv
from monet_core.protocols import Protocol, shipped_protocols

COLUMNS = (
    *("index", "name", "scans", "n", "share_mean", "share_sd"),
    *("asymmetry_mean", "asymmetry_sd"),
)
FEWEST_SCANS = 3


@dataclass(frozen=True, eq=False)
class Reference:
    """Usual size and asymmetry of each region.

    `table` has a row per region: index, name, scans (how many there were), n (in how many of them
    the region is), share_mean and share_sd (per cent of all labelled voxels), asymmetry_mean and
    asymmetry_sd (100 (L - R) / mean, in per cent; nan on the midline). `protocol` is the name (or
    path) that volumes of it carry; `source` says in words where the figures are from.
    """

    protocol: str
    table: pd.DataFrame
    source: str = ""


def shipped_reference(protocol: Protocol | str) -> Reference | None:
    """The reference that ships for a protocol; None where there is none."""
    name = protocol if isinstance(protocol, str) else protocol.name
    path = REFERENCE / f"{name}.tsv"
    if name not in shipped_protocols() or not path.is_file():
        return None
    source = "15 adults of 19 to 34 years with manual labels (OASIS, MICCAI 2012 challenge)"
    return load_reference(path, name, source)


def reference_from(volumes: pd.DataFrame, protocol: str, source: str = "") -> Reference:
    """A reference from volumes, as of `Study.volumes` or tables of `region_volumes` with a scan.

    Only those of `protocol` count where there is a column protocol; every segmentation counts as
    a scan. Raises DatasetError below 3 scans.
    """
    if "protocol" in volumes:
        volumes = volumes[volumes["protocol"] == protocol]
    scans = volumes.groupby(owner_columns(volumes), sort=False).ngroups if len(volumes) else 0
    if scans < FEWEST_SCANS:
        raise DatasetError(
            "too-few-scans",
            f"{scans} segmentations of this atlas are too few to say what is usual",
            remedy=f"At least {FEWEST_SCANS} are needed.",
        )
    regions = volumes.groupby("index", sort=True)
    share, asymmetry = regions["share_percent"], regions["asymmetry_percent"]
    table = pd.DataFrame(
        {
            "name": regions["name"].first(),
            "scans": scans,
            "n": share.count(),
            "share_mean": share.mean(),
            "share_sd": share.std(ddof=1),
            "asymmetry_mean": asymmetry.mean(),
            "asymmetry_sd": asymmetry.std(ddof=1),
        }
    )
    return Reference(protocol, table.reset_index()[list(COLUMNS)], source)


def owner_columns(volumes: pd.DataFrame) -> list[str]:
    """The columns that tell one segmentation from another: by id where there is one."""
    if "segmentation_id" in volumes:
        return ["segmentation_id"]
    return [column for column in ("scan", "segmentation") if column in volumes]


def load_reference(path: Path, protocol: str, source: str = "") -> Reference:
    """Read what `save_reference` wrote; DatasetError where it is no such table."""
    try:
        table = read_tsv(path)
        table = table[list(COLUMNS)].astype(dict.fromkeys(COLUMNS[4:], np.float64))
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(
            "not-a-reference",
            f"this is no table of usual volumes ({error})",
            remedy=f"It needs the columns {', '.join(COLUMNS)}.",
            file=path,
        ) from error
    return Reference(protocol, table, source)


def save_reference(reference: Reference, path: Path) -> None:
    """Write a reference as TSV; OutputError where `path` cannot be written."""
    write_tsv(reference.table, path)
