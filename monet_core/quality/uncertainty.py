"""Where a model was unsure: mean entropy per region, and what to annotate next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from monet_core.protocols import Protocol
from monet_core.scans import LabelMap


@dataclass(frozen=True)
class Candidate:
    """A scan that might be annotated next; `entropy` in nats over the brain, None: not known."""

    scan: str
    entropy: float | None = None
    outlyingness: float | None = None


def suggest_next(entries: Sequence[Candidate]) -> list[Candidate]:
    """`entries`, the most uncertain first; ties, and those of unknown entropy, by outlyingness."""
    raise NotImplementedError


def entropy_map_of(labels: Path) -> Path | None:
    """The entropy map that belongs to a label map file (`*_desc-entropy_probseg.nii.gz`)."""
    raise NotImplementedError


def region_entropies(labels: LabelMap, entropy: Path, protocol: Protocol) -> pd.DataFrame:
    """Mean entropy per region: index, name, voxels, entropy (nats); index 0 is the whole brain.

    Raises ScanError where the map cannot be read or lies on another grid.
    """
    raise NotImplementedError
