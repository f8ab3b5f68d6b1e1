"""A picture of a segmentation over its scan, beside the results."""

from __future__ import annotations

from pathlib import Path

from monet_core.evaluation import overlay_picture
from monet_core.models import Model, ModelEntry
from monet_core.scans import Decisions, read_labels, read_scan
from monet_core.segmenting.single import SegmentResult


def draw_result(result: SegmentResult, model: Model | ModelEntry, decisions: Decisions) -> Path:
    """Write `<stem>_overlay.png` beside the results of one scan, unless it is skipped and has one.

    Raises OutputError.
    """
    path = next(iter(result.files.values())).labels.with_name(f"{result.stem}_overlay.png")
    if result.skipped and path.exists():
        return path
    shown = {}
    for decoder, files in result.files.items():
        protocol = model.protocols[decoder]
        labels = read_labels(files.labels, decisions)
        shown[f"{protocol.name}, {protocol.n_classes - 1} regions"] = labels, protocol
    overlay_picture(read_scan(result.scan, decisions), shown, path)
    return path
