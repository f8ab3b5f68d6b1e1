"""One scan, one model: label maps on the scan's own grid, with volumes and a record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from monet_core.errors import Note, NotEnoughMemoryError, OutputError, Verdict
from monet_core.evaluation import read_tsv, region_volumes, write_tsv
from monet_core.files import require_space, require_writable, sha256, write_json
from monet_core.jobs.events import Cancel, Phase, Reporter, silent
from monet_core.models import Model
from monet_core.preprocessing import Prepared, prepare
from monet_core.scans import (
    Decisions,
    LabelMap,
    read_geometry,
    read_scan,
    write_labels,
    write_volume,
)
from monet_core.segmenting.labelling import Labelled, label, tell
from monet_core.segmenting.memory import free_bytes, handling_peak_bytes
from monet_core.segmenting.outputs import (
    DecoderFiles,
    files_of,
    refuse_other_scans,
    staged,
    stem_of,
)
from monet_core.segmenting.preprocessing import preprocessing_of
from monet_core.segmenting.record import record_of
from monet_core.segmenting.settings import SegmentSettings
from monet_core.segmenting.stripping import stripped

DEFAULTS = SegmentSettings()
NO_DECISIONS = Decisions()
LABEL_BYTES = 1.0  # per voxel of a label map as gzip leaves it, with plenty to spare
ENTROPY_BYTES = 4.0


@dataclass(frozen=True, eq=False, slots=True)
class SegmentResult:
    """What became of one scan: small, since there may be forty thousand.

    `files` per decoder; `notes` are all verdicts from reading to the anatomy check; `peak_bytes`
    is the memory predicted to be taken on top of program and model; `skipped`: an earlier run
    had finished the scan, and nothing was done.
    """

    scan: Path
    stem: str
    files: dict[str, DecoderFiles]
    notes: tuple[Note, ...]
    device: str
    precision: str
    patch: int
    peak_bytes: int
    seconds: float
    skipped: bool = False

    @property
    def volumes(self) -> dict[str, pd.DataFrame]:
        """Per decoder the table of `region_volumes`, read from its file."""
        return {decoder: read_tsv(files.volumes) for decoder, files in self.files.items()}

    @property
    def warnings(self) -> tuple[Note, ...]:
        """Those notes that ask for a look at the result."""
        return tuple(note for note in self.notes if note.verdict is Verdict.WARNING)


def segment(
    scan_path: Path,
    model: Model,
    out: Path,
    settings: SegmentSettings = DEFAULTS,
    decisions: Decisions = NO_DECISIONS,
    report: Reporter = silent,
    cancel: Cancel | None = None,
    *,
    stem: str | None = None,
    source: str = "",
) -> SegmentResult:
    """Segment the scan with every decoder of `model` and write the results to folder `out`.

    `stem` begins the files' names (the scan's name without "_T1w" and ending if None), `source` is
    the scan's BIDS URI for the record. All files appear at once at the end, or none. Raises what
    `read_scan` does, OutputError, ModelError, NotEnoughMemoryError, CancelledError.
    """
    began, cancel = time.monotonic(), cancel or Cancel()
    scan_path, out = Path(scan_path), require_writable(Path(out))
    stem = stem or stem_of(scan_path)
    files = files_of(out, stem, model, settings.entropy)
    shape = read_geometry(scan_path, decisions).shape
    require_space(out, int(prod(shape) * _bytes_per_voxel(len(files), settings)))
    handling = _require_memory(shape, len(files), scan_path)
    digest = sha256(scan_path)
    refuse_other_scans(files, scan_path, digest)
    grid, prepared = read_and_prepare(scan_path, model, settings, decisions, report, cancel)
    made = label(grid, prepared, model, settings, report, cancel)
    report(Phase("Saving"))
    volumes = {
        decoder: region_volumes(labels.data, labels.geometry, model.protocol(decoder))
        for decoder, labels in made.labels.items()
    }
    with staged(out, stem) as folder:
        for decoder, target in files_of(folder, stem, model, settings.entropy).items():
            cancel.check()
            _write(target, decoder, model, made, volumes[decoder], decisions)
            made_from = (scan_path, digest, settings, decisions)
            record = record_of(decoder, model, *made_from, made, source)
            write_json(target.record, record)
    peak = max(handling, made.outcome.peak_bytes)
    return _result(scan_path, stem, files, made, peak, time.monotonic() - began)


def read_and_prepare(
    path: Path,
    model: Model,
    settings: SegmentSettings,
    decisions: Decisions,
    report: Reporter,
    cancel: Cancel,
) -> tuple[LabelMap, Prepared]:
    """The scan in model space, and its own grid as a label map without voxels.

    The scan's values are let go, since a large scan's would stay beside the prediction's memory.
    """
    report(Phase("Reading"))
    preprocessing = preprocessing_of(model.manifest)
    scan = stripped(read_scan(path, decisions), preprocessing, report, cancel, settings.device)
    tell(scan.notes, report)
    cancel.check()
    report(Phase("Preparing"))
    prepared = prepare(scan, preprocessing, report)
    tell(prepared.notes, report)
    cancel.check()
    nothing = np.empty((0, 0, 0), np.int32)
    return LabelMap(nothing, scan.geometry, scan.forms, path, scan.notes), prepared


def _require_memory(shape: Sequence[int], decoders: int, scan_path: Path) -> int:
    """Bytes that handling a scan of `shape` takes; NotEnoughMemoryError where they are not free."""
    needed, free = handling_peak_bytes(shape, decoders), free_bytes(torch.device("cpu"))
    if needed > free:
        raise NotEnoughMemoryError(
            "not-enough-memory",
            f"about {needed / 1e9:.1f} GB of memory are needed and {free / 1e9:.1f} GB are free",
            remedy="Close other programs, or use a machine with more memory.",
            file=scan_path,
        )
    return needed


def _bytes_per_voxel(decoders: int, settings: SegmentSettings) -> float:
    return decoders * (LABEL_BYTES + (ENTROPY_BYTES if settings.entropy else 0.0))


def _write(
    target: DecoderFiles,
    decoder: str,
    model: Model,
    made: Labelled,
    volumes: pd.DataFrame,
    decisions: Decisions,
) -> None:
    labels = made.labels[decoder]
    write_labels(target.labels, labels.data, labels)
    _require_same_grid(target.labels, labels, decisions)
    model.protocol(decoder).to_tsv(target.table)
    write_tsv(volumes, target.volumes)
    entropy = made.entropy(decoder)
    if target.entropy is not None and entropy is not None:
        write_volume(target.entropy, entropy, labels)


def _require_same_grid(written: Path, labels: LabelMap, decisions: Decisions) -> None:
    """Read back where the map lies: promise 1 is checked, not assumed."""
    if not read_geometry(written, decisions).same_grid(labels.geometry):
        raise OutputError(
            "grid-changed",
            "the label map did not come out on the scan's grid",
            remedy="Nothing was kept; please report this scan's header.",
            file=labels.path,
        )


def _result(
    scan_path: Path,
    stem: str,
    files: dict[str, DecoderFiles],
    made: Labelled,
    peak_bytes: int,
    seconds: float,
) -> SegmentResult:
    anatomy = tuple(note for found in made.anatomy.values() for note in found)
    return SegmentResult(
        scan=scan_path,
        stem=stem,
        files=files,
        notes=made.notes + anatomy,
        device=made.outcome.device,
        precision=made.outcome.precision,
        patch=made.outcome.patch,
        peak_bytes=peak_bytes,
        seconds=seconds,
    )
