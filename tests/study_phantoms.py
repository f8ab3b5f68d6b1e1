"""Studies of small phantoms, and results as `monet segment` leaves them, made without a model."""

from pathlib import Path

import numpy as np
from phantoms import brain_phantom, save

from monet_core.evaluation import region_volumes, write_tsv
from monet_core.files import sha256, write_json
from monet_core.protocols import load_protocol
from monet_core.scans import read_labels
from monet_core.workspace import Study

SMALL = (40, 44, 40)


def scan_file(path: Path, seed: int = 0) -> Path:
    """A small scan at `path`."""
    image, _, affine = brain_phantom(SMALL, spacing=2.0, seed=seed)
    return save(path, image, affine)


def labels_file(path: Path, seed: int = 0) -> Path:
    """The labels (FIRST indices) of the scan of the same seed."""
    _, labels, affine = brain_phantom(SMALL, spacing=2.0, seed=seed)
    return save(path, labels, affine)


def study_of(folder: Path, names: list[str], labels: bool = False) -> Study:
    """A study with a scan per name, in folder/scans."""
    for seed, name in enumerate(names):
        scan_file(folder / "scans" / f"{name}_T1w.nii.gz", seed)
        if labels:
            labels_file(folder / "scans" / f"{name}_seg-first_dseg.nii.gz", seed)
    study = Study.open(folder)
    study.add([folder / "scans"])
    return study


def result_of(
    scan: Path, out: Path, seed: int = 0, *, created: str = "2026-01-02T03:04:05+00:00"
) -> Path:
    """Results of a scan in `out` with protocol FIRST: label map, table, volumes, record."""
    protocol = load_protocol("first")
    stem = scan.name.removesuffix(".nii.gz").removesuffix("_T1w")
    labels = labels_file(out / f"{stem}_seg-first_dseg.nii.gz", seed)
    protocol.to_tsv(out / f"{stem}_seg-first_dseg.tsv")
    read = read_labels(labels)
    table = region_volumes(read.data, read.geometry, protocol)
    write_tsv(table, out / f"{stem}_seg-first_desc-volumes_stats.tsv")
    record = {
        "Manual": False,
        "Atlas": protocol.name,
        "AtlasFingerprint": protocol.fingerprint,
        "Sources": [scan.name],
        "SourceSha256": sha256(scan),
        "GeneratedBy": [{"Name": "MO-Net Studio", "Version": "0"}],
        "Created": created,
        "Model": {"Name": "tiny", "Decoder": "full"},
    }
    write_json(out / f"{stem}_seg-first_dseg.json", record)
    return labels


def entropy_file(labels: Path, values: dict[int, float]) -> Path:
    """The entropy map of a result: a value per label."""
    read = read_labels(labels)
    data = np.zeros(read.data.shape, np.float32)
    for index, value in values.items():
        data[read.data == index] = value
    name = labels.name.replace("_dseg.nii.gz", "_desc-entropy_probseg.nii.gz")
    return save(labels.with_name(name), data, read.geometry.affine)
