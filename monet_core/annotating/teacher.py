"""An older model of ours as the teacher: its labels of a protocol are a new one's annotations."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from monet_core.annotating.batch import Annotator
from monet_core.errors import ProtocolError
from monet_core.jobs import Cancel, Reporter
from monet_core.models import Model
from monet_core.protocols import Protocol, ProtocolMapping, find_mapping
from monet_core.scans import Decisions, LabelMap, Scan, read_labels
from monet_core.segmenting import SegmentSettings, segment


def teacher(
    model: Model,
    protocol: Protocol,
    settings: SegmentSettings | None = None,
    decisions: Decisions | None = None,
) -> Annotator:
    """Segments with `model` and keeps the labels of `protocol`.

    They are those of the decoder of that protocol, else extracted from another one's. Raises
    ProtocolError where no decoder of the model knows them.
    """
    decoder, mapping = _decoder_for(model, protocol)
    settings, decided = settings or SegmentSettings(), decisions or Decisions()

    def label(scan: Scan, report: Reporter, cancel: Cancel) -> LabelMap:
        if scan.path is None:
            raise ValueError("a teacher needs the scan's file")
        with tempfile.TemporaryDirectory(prefix="monet-teacher-") as folder:
            made = segment(scan.path, model, Path(folder), settings, decided, report, cancel)
            labels = read_labels(made.files[decoder].labels, decided)
        return replace(labels, data=mapping.apply(labels.data, "refuse"), notes=made.notes)

    weights = model.manifest.weights_sha256[:12]
    return Annotator(f"model {model.manifest.name} ({weights})", protocol, label)


def _decoder_for(model: Model, protocol: Protocol) -> tuple[str, ProtocolMapping]:
    """The decoder whose mapping covers most of the protocol; its own is an identity."""
    found: dict[str, ProtocolMapping] = {}
    problem = None
    for decoder, source in model.protocols.items():
        if source.fingerprint == protocol.fingerprint:
            return decoder, find_mapping(source, protocol)
        try:
            found[decoder] = find_mapping(source, protocol)
        except ProtocolError as error:
            problem = error
    if not found and problem is not None:
        raise problem
    best = max(found, key=lambda decoder: len(found[decoder].covered))
    return best, found[best]
