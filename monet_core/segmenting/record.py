"""The record beside a label map: what made it, from what, and what to be careful about."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from monet_core import __version__
from monet_core.errors import Note
from monet_core.jobs import versions
from monet_core.models import Model
from monet_core.models.privacy import without_paths
from monet_core.scans import Decisions
from monet_core.segmenting.labelling import Labelled
from monet_core.segmenting.settings import SegmentSettings


def record_of(
    decoder: str,
    model: Model,
    scan: Path,
    scan_sha256: str,
    settings: SegmentSettings,
    decisions: Decisions,
    made: Labelled,
    source: str = "",
) -> dict[str, Any]:
    """The JSON sidecar of a label map, in BIDS derivatives' words; without the user's folders.

    `source` is the BIDS URI of the scan, whose file name is told where there is none.
    """
    protocol, outcome = model.protocol(decoder), made.outcome
    grid = made.labels[decoder].geometry
    record: dict[str, Any] = {
        "Description": f"Regions of the atlas {protocol.name}, labelled automatically",
        "Manual": False,
        "Atlas": protocol.name,
        "AtlasFingerprint": protocol.fingerprint,
        "Sources": [source or scan.name],
        "SourceSha256": scan_sha256,
        "GeneratedBy": [{"Name": "MO-Net Studio", "Version": __version__}],
        "Created": datetime.now(UTC).isoformat(timespec="seconds"),
        "Model": _model(model, decoder),
        "Settings": settings.model_dump(),
        "Computation": {
            "device": outcome.device,
            "precision": outcome.precision,
            "patch_voxels": outcome.patch,
            "threads": torch.get_num_threads(),  # which change the last bits of sums
            "predicted_peak_bytes": outcome.peak_bytes,
        },
        "Grid": {
            "shape": list(grid.shape),
            "spacing_mm": list(grid.spacing),
            "orientation": grid.orientation,
        },
        "Preprocessing": without_paths(made.prepared.record),
        "Notes": [shared_note(note, scan) for note in (*made.notes, *made.anatomy[decoder])],
        "AnatomyCheck": "warnings" if made.anatomy[decoder] else "passed",
        "Versions": versions(),
    }
    if decided(decisions):
        record["Decisions"] = decided(decisions)
    if source:
        record["SpatialReference"] = source
    if outcome.prediction.entropy is not None:
        record["EntropyUnits"] = "nats"
        record["MeanEntropy"] = _mean_entropy(decoder, made)
    return record


def decided(decisions: Decisions) -> dict[str, str]:
    """Those of the user's answers that say where the scan lies, and so what its result is."""
    answers = {"form": decisions.form, "orientation": decisions.orientation}
    return {name: answer for name, answer in answers.items() if answer is not None}


def _mean_entropy(decoder: str, made: Labelled) -> float | None:
    """Mean entropy of all labelled voxels in nats; None where nothing is labelled.

    On record, so that it is known of thousands of scans without reading their maps.
    """
    maps, labelled = made.outcome.prediction.entropy, made.labels[decoder].data > 0
    if maps is None or not labelled.any():
        return None
    return round(float(np.mean(maps[decoder], where=labelled, dtype=np.float64)), 6)


def shared_note(note: Note, scan: Path) -> dict[str, str]:
    """A note about `scan` for a record, without the user's folders."""
    # Not `without_paths`: the name of a lab's own region may look like a path.
    message = note.message.replace(str(scan), scan.name).replace(f"{scan.parent}/", "")
    return {**note.as_dict(), "message": message}


def _model(model: Model, decoder: str) -> dict[str, Any]:
    manifest = model.manifest
    return {
        "Name": manifest.name,
        "Decoder": decoder,
        "WeightsSha256": manifest.weights_sha256,
        "Created": manifest.created,
        "Licence": manifest.licence,
    }
