"""How large each region usually is: the reference that volumes are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from monet_core.protocols import Protocol


@dataclass(frozen=True, eq=False)
class Reference:
    """Usual size and asymmetry of each region.

    `table` has a row per region: index, name, n (scans), share_mean and share_sd (per cent of all
    labelled voxels), asymmetry_mean and asymmetry_sd (per cent; nan on the midline). `source`
    says in words where it is from.
    """

    protocol: str
    table: pd.DataFrame
    source: str = ""


def shipped_reference(protocol: Protocol | str) -> Reference | None:
    """The reference that ships for `protocol`, None where there is none."""
    raise NotImplementedError


def reference_from(volumes: pd.DataFrame, protocol: str, source: str = "") -> Reference:
    """A reference from volumes (columns scan, index, share_percent, asymmetry_percent)."""
    raise NotImplementedError


def load_reference(path: Path, protocol: str) -> Reference:
    """Read what `save_reference` wrote; DatasetError where it is no such table."""
    raise NotImplementedError


def save_reference(reference: Reference, path: Path) -> None:
    """Write a reference as TSV; OutputError where `path` cannot be written."""
    raise NotImplementedError
