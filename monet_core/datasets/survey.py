"""Reading one subject for the check: grid, content, and the size and place of each label."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monet_core.datasets.dataset import Subject
from monet_core.datasets.findings import Finding
from monet_core.datasets.grids import compare_grids
from monet_core.errors import MonetError, Verdict
from monet_core.files import sha256
from monet_core.protocols import Protocol
from monet_core.scans import (
    Decisions,
    Geometry,
    LabelMap,
    read_geometry,
    read_labels,
    read_scan,
    to_canonical,
)


@dataclass(frozen=True, eq=False)
class Regions:
    """Values of a label map but 0: `voxels` (count), `volume` (ml), `centroid` (3,) RAS mm."""

    voxels: dict[int, int]
    volume: dict[int, float]
    centroid: dict[int, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Annotated:
    """A subject whose scan and labels can be read and lie on one grid, with what it holds.

    `offset` (3,) mm: from the middle of the scan's foreground to that of the labels; nan where
    the scan's voxels were not read or the labels are empty.
    """

    subject: Subject
    regions: Regions
    offset: NDArray[np.float64]

    def present(self, protocol: Protocol) -> set[int]:
        """The protocol's indices that occur in this label map."""
        return self.regions.voxels.keys() & set(protocol.indices)


@dataclass(frozen=True, eq=False)
class Surveyed:
    """What one subject's files hold: `annotated` is None where they cannot be used.

    `content` is a hash of the scan's voxels, "" where it cannot be read.
    """

    subject: Subject
    findings: list[Finding] = field(default_factory=list)
    content: str = ""
    annotated: Annotated | None = None


@dataclass(frozen=True, eq=False)
class _ScanFacts:
    geometry: Geometry
    content: str
    centre: NDArray[np.float64]


def survey(subject: Subject, decisions: Decisions, deep: bool) -> Surveyed:
    """Read a subject's scan and labels; what is wrong with either becomes findings.

    `deep` reads the scan's voxels through the input gate; else only its header.
    """
    findings: list[Finding] = []
    scan = _read_scan(subject, decisions, deep, findings)
    labels = _read_labels(subject, decisions, findings)
    content = scan.content if scan else ""
    if scan is None or labels is None or not _on_grid(subject, scan, labels, findings):
        return Surveyed(subject, findings, content)
    regions = measure(labels)
    offset = _centre(labels.data != 0, labels.geometry) - scan.centre
    return Surveyed(subject, findings, content, Annotated(subject, regions, offset))


def _on_grid(subject: Subject, scan: _ScanFacts, labels: LabelMap, findings: list[Finding]) -> bool:
    difference = compare_grids(scan.geometry, labels.geometry)
    if difference is None:
        return True
    verdict, message, remedy = difference
    refused = verdict is Verdict.REFUSED
    code = "off-grid" if refused else "labels-reoriented"
    file = str(subject.labels)
    findings.append(Finding(verdict, code, subject.name, message, remedy, file=file))
    return not refused


def _centre(mask: NDArray[np.bool_], geometry: Geometry) -> NDArray[np.float64]:
    """Centroid (3,) of a mask in RAS mm; nan where it is empty."""
    total = int(mask.sum())
    if not total:
        return np.full(3, np.nan)
    planes = [mask.sum(axis=tuple({0, 1, 2} - {axis})) for axis in range(3)]
    voxel = np.array([np.arange(len(plane)) @ plane / total for plane in planes])
    return geometry.affine[:3, :3] @ voxel + geometry.affine[:3, 3]


def measure(labels: LabelMap) -> Regions:
    """Size and place of every value of a label map but 0."""
    where = np.nonzero(labels.data)
    values, inverse, counts = np.unique(labels.data[where], return_inverse=True, return_counts=True)
    sums = [np.bincount(inverse, weights=axis, minlength=len(values)) for axis in where]
    voxel = np.stack(sums, axis=-1) / counts[:, None]
    world = voxel @ labels.geometry.affine[:3, :3].T + labels.geometry.affine[:3, 3]
    each = labels.geometry.voxel_volume_ml
    return Regions(
        {int(v): int(n) for v, n in zip(values, counts, strict=True)},
        {int(v): float(n * each) for v, n in zip(values, counts, strict=True)},
        {int(v): place for v, place in zip(values, world, strict=True)},
    )


def _read_scan(
    subject: Subject, decisions: Decisions, deep: bool, findings: list[Finding]
) -> _ScanFacts | None:
    try:
        if not deep:
            nowhere = np.full(3, np.nan)
            return _ScanFacts(read_geometry(subject.scan), sha256(subject.scan), nowhere)
        scan = read_scan(subject.scan, decisions)
    except MonetError as error:
        findings.append(Finding.of_error(error, subject.name))
        return None
    except OSError as error:  # the drive dropped between the header and the hash
        findings.append(_unreadable(subject, subject.scan, error))
        return None
    findings.extend(Finding.of_note(note, subject.name) for note in scan.notes)
    # The content, not the file: the same scan compressed or oriented otherwise is the same scan.
    upright = np.ascontiguousarray(to_canonical(scan.data, scan.geometry))
    content = hashlib.sha256(repr(upright.shape).encode())
    content.update(upright.data)
    centre = _centre(scan.data > scan.data.mean(), scan.geometry)
    return _ScanFacts(scan.geometry, content.hexdigest(), centre)


def _read_labels(
    subject: Subject, decisions: Decisions, findings: list[Finding]
) -> LabelMap | None:
    if subject.labels is None:
        message = "no label map belongs to this scan; it is left out."
        findings.append(
            Finding(Verdict.WARNING, "no-labels", subject.name, message, file=str(subject.scan))
        )
        return None
    try:
        labels = read_labels(subject.labels, decisions)
    except MonetError as error:
        findings.append(Finding.of_error(error, subject.name))
        return None
    findings.extend(Finding.of_note(note, subject.name) for note in labels.notes)
    return labels


def _unreadable(subject: Subject, path: Path, error: OSError) -> Finding:
    message = f"this file cannot be read ({error.strerror or error})"
    remedy = "Check the path and its rights."
    return Finding(Verdict.REFUSED, "unreadable", subject.name, message, remedy, file=str(path))
