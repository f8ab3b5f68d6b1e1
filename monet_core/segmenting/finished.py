"""Whether a scan was segmented already, so that work that was interrupted need not begin again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monet_core.files import read_json, sha256
from monet_core.models import Model
from monet_core.segmenting.outputs import DecoderFiles, files_of
from monet_core.segmenting.settings import SegmentSettings

_WHERE_COMPUTED = {"device", "precision"}
"""Settings that say where and how fast, not what."""


def finished_files(
    scan: Path, stem: str, model: Model, out: Path, settings: SegmentSettings
) -> dict[str, DecoderFiles] | None:
    """The results of `scan` in `out`, per decoder; None where they are not all there, or are of
    another scan, another model or other settings."""
    files = files_of(out, stem, model, settings.entropy)
    try:
        source = sha256(scan)
    except OSError:
        return None
    for each in files.values():
        if not all(path.is_file() for path in each.all):
            return None
        if not _fits(each.record, source, model, settings):
            return None
    return files


def _fits(record: Path, source: str, model: Model, settings: SegmentSettings) -> bool:
    try:
        found: dict[str, Any] = read_json(record)
        same_model = found["Model"]["WeightsSha256"] == model.manifest.weights_sha256
        same_settings = _what(found["Settings"]) == _what(settings.model_dump())
        return bool(found["SourceSha256"] == source and same_model and same_settings)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _what(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in _WHERE_COMPUTED}
