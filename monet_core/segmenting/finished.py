"""Whether a scan was segmented already, so that work that was interrupted need not begin again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monet_core.errors import Note, Verdict
from monet_core.files import read_json, sha256
from monet_core.models import Model, ModelEntry
from monet_core.scans import Decisions
from monet_core.segmenting.outputs import DecoderFiles, files_of
from monet_core.segmenting.record import decided
from monet_core.segmenting.settings import SegmentSettings
from monet_core.segmenting.single import NO_DECISIONS, SegmentResult

_WHERE_COMPUTED = {"device", "precision"}
"""Settings that say where and how fast, not what."""


def finished_files(
    scan: Path,
    stem: str,
    model: Model | ModelEntry,
    out: Path,
    settings: SegmentSettings,
    decisions: Decisions = NO_DECISIONS,
) -> dict[str, DecoderFiles] | None:
    """The results of `scan` in `out`, per decoder; None where they are not all there, or are of
    another scan, another model, other settings or other answers of the user's."""
    files = files_of(out, stem, model, settings.entropy)
    # os.path, since pathlib's is_file fails on a path that is too long.
    if not all(os.path.isfile(path) for each in files.values() for path in each.all):  # noqa: PTH113
        return None
    sources = {_source(each.record, model, settings, decisions) for each in files.values()}
    try:
        # The scan itself is read last, since of most that are looked for there is no result.
        return files if None not in sources and sources == {sha256(scan)} else None
    except OSError:
        return None


def finished_result(
    scan: Path,
    stem: str,
    model: Model | ModelEntry,
    out: Path,
    settings: SegmentSettings,
    decisions: Decisions = NO_DECISIONS,
) -> SegmentResult | None:
    """As `finished_files`, with what the records tell about the run that made the results."""
    files = finished_files(scan, stem, model, out, settings, decisions)
    if files is None:
        return None
    records = [read_json(each.record) for each in files.values()]
    # Of each decoder's record all but the anatomy's notes are the same.
    notes = dict.fromkeys(_note(note, scan) for record in records for note in record["Notes"])
    how = records[0]["Computation"]
    return SegmentResult(
        scan=scan,
        stem=stem,
        files=files,
        notes=tuple(notes),
        device=how["device"],
        precision=how["precision"],
        patch=how["patch_voxels"],
        peak_bytes=how["predicted_peak_bytes"],
        seconds=0.0,
        skipped=True,
    )


def _note(note: Mapping[str, str], scan: Path) -> Note:
    return Note(Verdict(note["verdict"]), note["code"], note["message"], str(scan))


def _source(
    record: Path, model: Model | ModelEntry, settings: SegmentSettings, decisions: Decisions
) -> str | None:
    """The SHA-256 of the scan of which `record` tells, None where all else does not fit."""
    try:
        found: dict[str, Any] = read_json(record)
        same_model = found["Model"]["WeightsSha256"] == model.manifest.weights_sha256
        same_settings = _what(found["Settings"]) == _what(settings.model_dump())
        same_answers = found.get("Decisions", {}) == decided(decisions)
        return str(found["SourceSha256"]) if same_model and same_settings and same_answers else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _what(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in _WHERE_COMPUTED}
