"""An ordinary data set of painted scans, which training reads like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from monet_core.errors import DatasetError, OutputError
from monet_core.files import read_json, require_space, sha256, write_json
from monet_core.jobs import Cancel, Message, Phase, Progress, Reporter, locked, silent
from monet_core.protocols import Protocol, ProtocolMapping, find_mapping
from monet_core.scans import LabelMap, write_labels, write_volume
from monet_core.synthesis.generating import DEFAULTS, synthesise
from monet_core.synthesis.maps import find_label_maps, read_label_map
from monet_core.synthesis.settings import SynthesisSettings

RECORD = "synthesis.json"
_BYTES_PER_VOXEL = 6  # as float32 and int16, were nothing gained by packing


def synthesise_dataset(
    label_maps: Path,
    out: Path,
    number: int,
    protocol: Protocol,
    settings: SynthesisSettings = DEFAULTS,
    seed: int = 0,
    report: Reporter = silent,
    cancel: Cancel | None = None,
) -> list[Path]:
    """Write `number` scans `sub-synthNNNN_T1w.nii.gz` with labels `..._dseg.nii.gz` into `out`.

    The label maps (a file or a folder; FreeSurfer's indices) take turns. Scan n depends on its
    label map, the settings, `seed` and n alone; those that are there already are kept, so an
    interrupted call goes on and a larger `number` adds to it. Labels are written in `protocol`;
    what it has no region for is background. Returns the scans.
    Raises DatasetError and ScanError for label maps that cannot be used, ProtocolError where
    FreeSurfer's labels cannot be converted, OutputError where `out` cannot be written or holds
    scans of other settings, CancelledError.
    """
    cancel = cancel or Cancel()
    sources = find_label_maps(label_maps)
    mapping = find_mapping("freesurfer", protocol)
    for note in mapping.notes:
        report(Message(str(note), "warning"))
    scans = [Path(out) / f"sub-synth{n + 1:04d}_T1w.nii.gz" for n in range(number)]
    with locked(Path(out)):
        _keep_record(Path(out), sources, protocol, settings, seed)
        report(Phase("Painting scans"))
        missing = [n for n, scan in enumerate(scans) if not scan.exists()]
        done = number - len(missing)
        for turn, source in enumerate(sources):
            turns = [n for n in missing if n % len(sources) == turn]
            if not turns:
                continue
            labels = read_label_map(source, settings.stripped)
            for n in turns:
                cancel.check()
                report(Progress(done, number, text=scans[n].name))
                _write(scans[n], labels, mapping, settings, np.random.default_rng([seed, n]))
                done += 1
        report(Progress(done, number))
    return scans


def _write(
    scan: Path,
    source: LabelMap,
    mapping: ProtocolMapping,
    settings: SynthesisSettings,
    rng: np.random.Generator,
) -> None:
    """Labels first: where a scan is, its labels are."""
    require_space(scan.parent, source.data.size * _BYTES_PER_VOXEL)
    spacing = float(np.mean(source.geometry.spacing))
    made = synthesise(source.data, spacing, rng, settings)
    labels = mapping.apply(made.labels, "background")
    if not labels.any():
        problem = f"none of its labels is a region of the protocol {mapping.target.name}"
        remedy = "Choose a protocol that shares regions with these label maps."
        raise DatasetError("no-known-label", problem, remedy=remedy, file=source.path)
    write_labels(scan.with_name(scan.name.replace("_T1w", "_dseg")), labels, source)
    write_volume(scan, made.image, source)


def _keep_record(
    out: Path, sources: list[Path], protocol: Protocol, settings: SynthesisSettings, seed: int
) -> None:
    """Write down how the scans were made; OutputError where others are here already."""
    record: dict[str, Any] = {
        "seed": seed,
        "protocol": {"name": protocol.name, "sha256": protocol.fingerprint},
        "settings": settings.model_dump(mode="json"),
        "label_maps": {source.name: sha256(source) for source in sources},
    }
    path = out / RECORD
    try:
        before = read_json(path) if path.exists() else None
    except ValueError:
        before = {}
    if before is not None and before != record:
        raise OutputError(
            "other-settings",
            "this folder holds scans painted with other settings or label maps",
            remedy="Choose another folder, or delete these scans first.",
            file=path,
        )
    write_json(path, record)
