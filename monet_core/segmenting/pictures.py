"""A picture of a segmentation over its scan, beside the results."""

from __future__ import annotations

from pathlib import Path

from monet_core.evaluation import overlay_picture
from monet_core.models import Model
from monet_core.scans import Decisions, read_labels, read_scan
from monet_core.segmenting.single import SegmentResult


def draw_result(result: SegmentResult, model: Model, decisions: Decisions) -> Path:
    """Write `<stem>_overlay.png` beside the results of one scan. Raises OutputError."""
    shown = {}
    for decoder, files in result.files.items():
        protocol = model.protocol(decoder)
        labels = read_labels(files.labels, decisions)
        shown[f"{protocol.name}, {protocol.n_classes - 1} regions"] = labels, protocol
    path = next(iter(result.files.values())).labels.with_name(f"{result.stem}_overlay.png")
    overlay_picture(read_scan(result.scan, decisions), shown, path)
    return path
