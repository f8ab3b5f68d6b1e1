"""What is known of scans before any work: which are finished, which cannot be read, their grids."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from monet_core.datasets.collecting import Failure, failure_of
from monet_core.errors import MonetError
from monet_core.jobs.events import Cancel, Phase, Progress, Reporter
from monet_core.models import ModelEntry
from monet_core.scans import Decisions, read_geometry
from monet_core.segmenting.finished import finished_result
from monet_core.segmenting.many import Item
from monet_core.segmenting.settings import SegmentSettings
from monet_core.segmenting.single import SegmentResult

_AT_ONCE = 256
"""Scans looked at between two looks at the cancel token."""


class Grid(NamedTuple):
    """How large a scan is, in voxels and, rounded, in mm a voxel."""

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, ...]


Seen = SegmentResult | Failure | Grid
"""What came of a scan already, or the grid of one that is to be done."""


@dataclass(frozen=True)
class Wanted:
    """What all items share: the model by its manifest, the folder to write to, the choices."""

    model: ModelEntry
    out: Path
    settings: SegmentSettings
    decisions: Decisions

    def decided(self, item: Item) -> Decisions:
        """The answers that hold for `item`."""
        return self.decisions if item.decisions is None else item.decisions


def survey(
    items: Sequence[Item], wanted: Wanted, report: Reporter, cancel: Cancel
) -> Iterator[Seen]:
    """What is seen of each item, in their order. Raises CancelledError.

    Files are read by several threads, since disks and networks answer many questions at once.
    """
    if len(items) > 1:
        report(Phase("Looking for finished scans"))
    with ThreadPoolExecutor(min(16, 4 * (os.cpu_count() or 1))) as pool:
        for first in range(0, len(items), _AT_ONCE):
            cancel.check()
            some = items[first : first + _AT_ONCE]
            yield from pool.map(partial(_look, wanted), some)
            report(Progress(first + len(some), len(items)))


def _look(wanted: Wanted, item: Item) -> Seen:
    decisions = wanted.decided(item)
    folder = wanted.out / item.folder
    try:
        outcome = finished_result(
            item.scan, item.stem, wanted.model, folder, wanted.settings, decisions
        )
        if outcome is not None:
            return outcome
        grid = read_geometry(item.scan, decisions)
        return Grid(grid.shape, tuple(round(step, 2) for step in grid.spacing))
    except (MonetError, OSError) as error:
        return failure_of(item.scan, error)
