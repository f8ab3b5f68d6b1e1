"""Pictures of results for the report, small enough for many in one file."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image

from monet_core.bids.results import Result
from monet_core.errors import MonetError
from monet_core.protocols import Protocol
from monet_core.quality import mosaic
from monet_core.scans import Decisions, read_labels, read_scan

COLUMNS, HEIGHT = 6, 150
QUALITY = 80


def picture_of(
    result: Result, protocol: Protocol, dataset: Path, decisions: Decisions
) -> tuple[str, str]:
    """A mosaic of the result over its scan in `dataset` as a data URI, and "": or "" and why there
    is none."""
    folder = Path(result.subject, result.session, "anat")
    try:
        scan = read_scan(dataset / folder / result.scan, decisions)
        labels = read_labels(result.labels, decisions)
        drawn = mosaic(scan, labels, protocol, columns=COLUMNS, height=HEIGHT, outline=False)
    except (MonetError, OSError, MemoryError) as error:
        return "", str(error).replace(f"{dataset}/", "").replace(f"{result.labels.parent}/", "")
    stream = io.BytesIO()
    # Full colour resolution: regions are told apart by it.
    Image.fromarray(drawn).save(stream, "JPEG", quality=QUALITY, subsampling=0, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode(), ""
