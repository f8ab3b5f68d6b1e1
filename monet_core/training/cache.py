"""Prepared scans on disk, found again by content, so that no scan is prepared twice.

An entry is a folder named by the SHA-256 of all that decides it: the content of scan and label
files, the settings, the user's decisions, protocols and mappings. It is written under a temporary
name and renamed, holds the SHA-256 of its arrays, and is checked once per process. A lock of the
operating system per entry lets several programs share a cache.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filelock import BaseFileLock, FileLock, Timeout
from numpy.typing import NDArray

from monet_core import __version__
from monet_core.datasets.grids import compare_grids
from monet_core.errors import DatasetError, Note, ScanError, Verdict
from monet_core.files import read_json, require_space, require_writable, sha256, write_json
from monet_core.jobs import Cancel, Message, Reporter, silent
from monet_core.preprocessing import Prepared, PreprocessingSettings, prepare, prepare_labels
from monet_core.protocols import Protocol, ProtocolMapping, Unknown
from monet_core.scans import (
    Affine,
    Decisions,
    Geometry,
    LabelMap,
    Scan,
    read_labels,
    read_scan,
)
from monet_core.segmenting.stripping import stripped
from monet_core.training.patches import PreparedSubject, write_subject

log = logging.getLogger(__name__)

FORMAT_VERSION = 3
_KEY = re.compile("[0-9a-f]{64}")
_RECORD = "record.json"
_BUILDING = ".building-"


class LabelSource(NamedTuple):
    """A label file, the protocol of the classes wanted from it, and how to get there.

    Without `mapping` the file is in `protocol`; with it, in `mapping.source`.
    """

    path: Path
    protocol: Protocol
    mapping: ProtocolMapping | None = None


@dataclass(frozen=True)
class _Request:
    """One subject to prepare: all that `PreparedCache.prepare` is given."""

    name: str
    scan: Path
    labels: Mapping[str, LabelSource]
    settings: PreprocessingSettings
    decisions: Decisions
    unknown: Unknown


class PreparedCache:
    """Prepared subjects in `folder`; raises OutputError where it cannot be written to."""

    def __init__(self, folder: Path) -> None:
        self.folder = require_writable(Path(folder))
        self._checked: set[str] = set()

    def prepare(
        self,
        name: str,
        scan: Path,
        labels: Mapping[str, LabelSource],
        settings: PreprocessingSettings,
        decisions: Decisions | None = None,
        unknown: Unknown = "refuse",
        report: Reporter = silent,
        cancel: Cancel | None = None,
    ) -> PreparedSubject:
        """The subject in model space with one class map per decoder, prepared now or before.

        A damaged entry is rebuilt, and told through `report` and the subject's notes.
        Raises ScanError, ProtocolError, DecisionNeeded as reading does, DatasetError where labels
        are not on the scan's grid, OutputError where the disk is full.
        """
        request = _Request(name, scan, labels, settings, decisions or Decisions(), unknown)
        key = _key(request)
        with self._held(key, name, report, cancel):
            damage = self._damage(key)
            if damage is None:
                return self._open(key, name)
            notes: tuple[Note, ...] = ()
            if damage:
                notes = (_damage_note(name, damage),)
                log.info("%s", notes[0])
                report(Message(str(notes[0]), "warning"))
            self._build(key, request, report)
            subject = self._open(key, name)
            return replace(subject, notes=subject.notes + notes)

    def size_bytes(self) -> int:
        """Space that all entries take."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def clear(self) -> None:
        """Remove all entries and what interrupted programs left, but not what is being built."""
        names = {path.name.removeprefix(_BUILDING)[:64] for path in self.folder.iterdir()}
        for key in filter(_KEY.fullmatch, names):
            lock = FileLock(self._lock_path(key))
            try:
                with lock.acquire(timeout=0):
                    self._remove(key)
            except Timeout:
                continue
            self._lock_path(key).unlink(missing_ok=True)
        self._checked.clear()

    @contextmanager
    def _held(self, key: str, name: str, report: Reporter, cancel: Cancel | None) -> Iterator[None]:
        """Hold an entry's lock; says so while another program holds it."""
        lock = FileLock(self._lock_path(key))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            report(Message(f"{name}: another program is preparing this scan; waiting for it."))
            _wait(lock, cancel)
        try:
            yield
        finally:
            lock.release()

    def _lock_path(self, key: str) -> Path:
        return self.folder / f"{key}.lock"

    def _damage(self, key: str) -> str | None:
        """None where the entry is whole, "" where there is none, else what is wrong with it."""
        folder = self.folder / key
        if not folder.exists():
            return ""
        try:
            hashes = read_json(folder / _RECORD)["sha256"]
            if key in self._checked:
                return None
            wrong = [file for file, wanted in hashes.items() if sha256(folder / file) != wanted]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            return f"{type(error).__name__}: {error}"
        if wrong:
            return f"{', '.join(wrong)} changed"
        self._checked.add(key)
        return None

    def _open(self, key: str, name: str) -> PreparedSubject:
        folder = self.folder / key
        record = read_json(folder / _RECORD)
        x, y, z = record["shape"]
        notes = tuple(_note(values) for values in record["notes"])
        decoders = tuple(record["decoders"])
        return PreparedSubject(name, folder, (x, y, z), decoders, record["background"], notes)

    def _build(self, key: str, request: _Request, report: Reporter) -> None:
        self._checked.discard(key)
        self._remove(key)
        scan = stripped(read_scan(request.scan, request.decisions), request.settings)
        prepared = prepare(scan, request.settings, report)
        labels, notes = _label_maps(request, scan, prepared)
        arrays = [prepared.image, *labels.values()]
        require_space(self.folder, int(1.05 * sum(array.nbytes for array in arrays)))
        folder = self.folder / f"{_BUILDING}{key}"
        folder.mkdir()
        try:
            notes = scan.notes + prepared.notes + notes
            subject = write_subject(folder, request.name, prepared.image, labels, notes)
            write_json(folder / _RECORD, _record(subject, prepared))
            folder.replace(self.folder / key)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        # What was written a moment ago need not be read again to be trusted.
        self._checked.add(key)

    def _remove(self, key: str) -> None:
        """Remove an entry, and what an interrupted program left of it; needs its lock."""
        for folder in (self.folder / key, self.folder / f"{_BUILDING}{key}"):
            shutil.rmtree(folder, ignore_errors=True)


def head_of(subject: PreparedSubject) -> str:
    """The kind of head that was prepared: "whole" or "stripped"."""
    return str(read_json(subject.folder / _RECORD)["preprocessing"]["head"])


def model_space_of(subject: PreparedSubject) -> tuple[Geometry, Affine]:
    """The grid of the prepared image, and the 4x4 transform scan world mm -> model world mm."""
    record = read_json(subject.folder / _RECORD)["preprocessing"]
    affine = np.asarray(record["grid"]["affine"], np.float64)
    return Geometry(subject.shape, affine), np.asarray(record["transform"], np.float64)


def _label_maps(
    request: _Request, scan: Scan, prepared: Prepared
) -> tuple[dict[str, NDArray[np.unsignedinteger]], tuple[Note, ...]]:
    """Class maps on the prepared grid per decoder; each label file is read once."""
    moved: dict[Path, NDArray[np.int32]] = {}
    notes: tuple[Note, ...] = ()
    classes = {}
    for decoder, source in request.labels.items():
        if source.path not in moved:
            label_map = read_labels(source.path, request.decisions)
            notes += label_map.notes + _check_grid(scan, label_map)
            moved[source.path] = prepare_labels(label_map, prepared)
        classes[decoder] = _encode(moved[source.path], source, request.unknown)
    return classes, notes


def _check_grid(scan: Scan, labels: LabelMap) -> tuple[Note, ...]:
    difference = compare_grids(scan.geometry, labels.geometry)
    if difference is None:
        return ()
    verdict, text, remedy = difference
    if verdict is not Verdict.FIXED:
        raise DatasetError("grids-differ", text, remedy=remedy, file=labels.path)
    return (Note(verdict, "labels-reoriented", text, str(labels.path or "")),)


def _encode(
    labels: NDArray[np.int32], source: LabelSource, unknown: Unknown
) -> NDArray[np.unsignedinteger]:
    if source.mapping is None:
        return source.protocol.encode(labels, unknown, file=source.path)
    classes = source.mapping.source.encode(labels, unknown, file=source.path)
    return source.mapping.class_table().astype(source.protocol.class_dtype)[classes]


def _key(request: _Request) -> str:
    """SHA-256 over all that decides the entry's content; the subject's name is not among it."""
    contents: dict[Path, list[str]] = {}
    labels = {
        decoder: [
            contents.setdefault(source.path, _content(source.path)),
            source.protocol.fingerprint,
            source.mapping and [source.mapping.source.fingerprint, _table(source.mapping)],
        ]
        for decoder, source in request.labels.items()
    }
    parts = {
        "format": [FORMAT_VERSION, __version__],
        "scan": _content(request.scan),
        "labels": labels,
        "settings": request.settings.model_dump(mode="json"),
        "decisions": asdict(request.decisions),
        "unknown": request.unknown,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _table(mapping: ProtocolMapping) -> list[int]:
    return [int(value) for value in mapping.class_table()]


def _content(path: Path) -> list[str]:
    """SHA-256 of a file, and of the other half of an .hdr/.img pair."""
    halves = {".hdr": ".img", ".img": ".hdr"}
    files = [path]
    if path.suffix in halves:
        files.append(path.with_suffix(halves[path.suffix]))
    try:
        return [sha256(file) for file in files]
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise ScanError("unreadable", problem, remedy="Check the path.", file=path) from error


def _record(subject: PreparedSubject, prepared: Prepared) -> dict[str, Any]:
    return {
        "shape": list(subject.shape),
        "decoders": list(subject.decoders),
        "background": subject.background,
        "notes": [note.as_dict() for note in subject.notes],
        "preprocessing": prepared.record,
        "sha256": {path.name: sha256(path) for path in sorted(subject.folder.glob("*.npy"))},
    }


def _note(values: dict[str, str]) -> Note:
    return Note(Verdict(values["verdict"]), values["code"], values["message"], values["file"])


def _damage_note(name: str, damage: str) -> Note:
    text = f"the prepared copy of {name} was damaged ({damage}); it was made again"
    return Note(Verdict.FIXED, "cache-damaged", text)


def _wait(lock: BaseFileLock, cancel: Cancel | None) -> None:
    while True:
        if cancel is not None:
            cancel.check()
        try:
            lock.acquire(timeout=0.5)
            return
        except Timeout:
            continue
