"""Which atlas labels may be of, by the values that are found in them. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monet_app.atlases import atlas_title
from monet_app.words import count
from monet_core.errors import MonetError
from monet_core.protocols import load_protocol
from monet_core.scans import Decisions, read_labels
from monet_core.workspace import SegmentationEntry, Study

LEAST_COVERED = 0.5
CLEARLY = 2.0
MOST_COUNTED = 1 << 16


@dataclass(frozen=True)
class Guess:
    """How well an atlas fits some labels.

    `found` of the atlas's `regions` are in them; `strange` are values that it does not know.
    """

    protocol: str
    title: str
    regions: int
    found: int
    strange: tuple[int, ...]

    @property
    def fits(self) -> bool:
        """Whether every value is known, and some region found."""
        return not self.strange and self.found > 0

    @property
    def covered(self) -> float:
        """The share of its regions that are found, 0 to 1."""
        return self.found / self.regions

    @property
    def words(self) -> str:
        """In a line: what speaks for it or against it."""
        if not self.strange:
            return f"Every value is known; {self.found} of {self.regions} regions found"
        shown = ", ".join(map(str, self.strange[:4])) + (", …" if len(self.strange) > 4 else "")
        return f"{count(len(self.strange), 'value')} not in it ({shown}); {self.found} found"


def values_of(path: Path, decisions: Decisions) -> set[int]:
    """The values in a label map but 0. Raises ScanError like `read_labels`."""
    data = read_labels(path, decisions).data
    flat = data.ravel(order="K")
    if flat.size and flat.max() < MOST_COUNTED:
        found = np.flatnonzero(np.bincount(flat))
    else:
        found = np.unique(flat)
    return {int(value) for value in found if value}


def guesses(values: set[int], names: Iterable[str]) -> list[Guess]:
    """How well each atlas fits `values`, the best first; unreadable tables are left out."""
    found = []
    for name in names:
        try:
            protocol = load_protocol(name)
        except (MonetError, OSError):
            continue
        known = set(protocol.indices)
        strange = tuple(sorted(values - known - set(protocol.extra)))
        title, regions = atlas_title(protocol), len(protocol.regions)
        found.append(Guess(name, title, regions, len(values & known), strange))
    return sorted(found, key=lambda guess: (len(guess.strange), -guess.covered))


def suggested(found: Sequence[Guess]) -> Guess | None:
    """The atlas to propose: every value is known, most regions found, others fit far less."""
    fitting = [guess for guess in found if guess.fits]
    if not fitting or fitting[0].covered < LEAST_COVERED:
        return None
    if len(fitting) > 1 and fitting[0].covered < CLEARLY * fitting[1].covered:
        return None
    return fitting[0]


def set_atlas(
    study: Study, chosen: SegmentationEntry, protocol: str, others: bool
) -> tuple[int, int]:
    """Keep the answer; `others`: also for all labels of unknown atlas whose values it knows.

    Returns how many were set and how many were left.
    """
    study.set_protocol(chosen.id, protocol)
    done, left = 1, 0
    for entry in study.all_segmentations() if others else ():
        if entry.protocol or entry.id == chosen.id:
            continue
        if _fits(study, entry, protocol):
            study.set_protocol(entry.id, protocol)
            done += 1
        else:
            left += 1
    return done, left


def _fits(study: Study, entry: SegmentationEntry, protocol: str) -> bool:
    try:
        values = values_of(entry.path, study.scan(entry.scan_id).decisions)
    except (MonetError, OSError):
        return False
    found = guesses(values, [protocol])
    return bool(found) and found[0].fits
