"""Figures 3 and 4 of the paper: box plots of Dice, and overlays of one scan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from monet_core.datasets import Subject
from monet_core.errors import ProtocolError
from monet_core.evaluation import box_plot, overlay_picture
from monet_core.experiments.definitions import METHODS, PARTIAL_PROTOCOL, Experiment
from monet_core.experiments.scoring import Scored, Scoring, Segmentations
from monet_core.protocols import Protocol, find_mapping, load_protocol
from monet_core.scans import LabelMap, read_scan


def dice_boxes(scored: Sequence[Scored], experiment: Experiment, path: Path, recipe: str) -> None:
    """Figure 3: Dice of structures of the left hemisphere, a recipe's methods side by side."""
    protocol = load_protocol(experiment.protocol)
    groups = {protocol.region(index).name: [index] for index in experiment.boxes}
    rows = {each.by.name: each.rows for each in scored if each.by.recipe == recipe}
    box_plot(rows, path, groups, f"{experiment.title}, recipe {recipe}")


def overlays(
    segmented: Sequence[Segmentations], scoring: Scoring, recipe: str, path: Path
) -> Subject | None:
    """Figure 4: manual labels, MO-Net, U-Net (FT) and a tool's partial labels over one scan.

    The first scan that all of them segmented is drawn, and returned; None where there is none.
    """
    shown = [s for s in segmented if s.recipe in (recipe, None)]
    subject = next((s for s in scoring.subjects if _has_all(shown, s)), None)
    if subject is not None:
        maps = dict(_maps(shown, scoring, subject))
        overlay_picture(read_scan(subject.scan, scoring.decisions), maps, path)
    return subject


def _has_all(segmented: Sequence[Segmentations], subject: Subject) -> bool:
    return not any(subject.name in each.failed for each in segmented)


def _maps(
    segmented: Sequence[Segmentations], scoring: Scoring, subject: Subject
) -> Iterator[tuple[str, tuple[LabelMap, Protocol]]]:
    full, partial = scoring.full, load_protocol(PARTIAL_PROTOCOL)
    yield "manual, full", (scoring.truth(subject, full), full)
    yield "manual, partial", (scoring.truth(subject, partial), partial)
    for by, protocol in _columns(segmented, full, partial, scoring):
        kind = "full" if protocol is full else "partial"
        labels = by.labels(subject.name, protocol, scoring.variant, scoring.decisions)
        yield f"{by.name}, {kind}", (labels, protocol)


def _columns(
    segmented: Sequence[Segmentations], full: Protocol, partial: Protocol, scoring: Scoring
) -> Iterator[tuple[Segmentations, Protocol]]:
    """Which method is drawn in which protocol, in the paper's order."""
    by_name = {each.name: each for each in segmented if each.recipe}
    wanted = [("monet", full), ("monet", partial), ("ft", full)]
    for key, protocol in wanted:
        if METHODS[key].name in by_name:
            yield by_name[METHODS[key].name], protocol
    for tool in (each for each in segmented if each.recipe is None):
        try:
            find_mapping(tool.source(partial), partial, scoring.variant)
        except ProtocolError:
            continue
        yield tool, partial
        return
