"""From a scan in model space to labels on its own grid, before anything is written."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monet_core.errors import Note, Verdict
from monet_core.jobs.events import Cancel, Message, Phase, Reporter
from monet_core.models import Model
from monet_core.preprocessing import Prepared
from monet_core.scans import LabelMap
from monet_core.segmenting.anatomy import check_anatomy
from monet_core.segmenting.grids import Onto
from monet_core.segmenting.planning import Outcome, predict_within_memory
from monet_core.segmenting.settings import SegmentSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Labelled:
    """A scan's labels and all that is known about how they came about.

    `labels`: per decoder the protocol's indices, on the scan's own grid. `anatomy`: per decoder
    what the anatomy check found. `notes`: all that was found before.
    """

    labels: dict[str, LabelMap]
    prepared: Prepared
    outcome: Outcome
    anatomy: dict[str, list[Note]]
    notes: tuple[Note, ...]

    def entropy(self, decoder: str) -> NDArray[np.float32] | None:
        """Entropy in nats on the scan's grid, 0 beyond the model's; None where not asked for."""
        maps = self.outcome.prediction.entropy
        return None if maps is None else maps[decoder].astype(np.float32)


def label(
    grid: LabelMap,
    prepared: Prepared,
    model: Model,
    settings: SegmentSettings,
    report: Reporter,
    cancel: Cancel,
) -> Labelled:
    """Predict at the voxels of the scan's own `grid`, and check the anatomy."""
    report(Phase("Predicting"))
    onto = Onto(prepared.indices(grid.geometry), grid.geometry.shape)
    outcome = predict_within_memory(model, prepared.image, settings, report, cancel, onto)
    report(Phase("Checking"))
    labels, anatomy = {}, {}
    for decoder, classes in outcome.prediction.classes.items():
        cancel.check()
        protocol = model.protocol(decoder)
        labels[decoder] = replace(grid, data=protocol.decode(classes))
        found = check_anatomy(labels[decoder].data, grid.geometry, protocol)
        anatomy[decoder] = [replace(note, file=str(grid.path or "")) for note in found]
        tell(anatomy[decoder], report)
    notes = (*grid.notes, *prepared.notes, *outcome.notes)
    return Labelled(labels, prepared, outcome, anatomy, notes)


def tell(notes: Iterable[Note], report: Reporter) -> None:
    """Say every note as a message; the log keeps it too, below the level a terminal shows."""
    for note in notes:
        log.info("%s: %s", note.verdict.value, note)
        report(Message(str(note), "warning" if note.verdict is Verdict.WARNING else "info"))
