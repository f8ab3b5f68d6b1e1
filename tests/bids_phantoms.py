"""BIDS data sets of phantoms, and results for them that no network made."""

import json
from pathlib import Path

import numpy as np
from phantoms import brain_phantom, save

from monet_core.evaluation import region_volumes, write_tsv
from monet_core.files import write_json
from monet_core.protocols import load_protocol
from monet_core.scans import read_labels

FIRST = load_protocol("first")
SMALL = {"shape": (40, 44, 40), "spacing": 1.8}


def save_raw(root: Path, *names: str, title: str = "People") -> Path:
    """A data set with a phantom per name, such as "sub-01_ses-a_run-1"."""
    for seed, name in enumerate(names):
        image, _, affine = brain_phantom(seed=seed, **SMALL)
        save(place(root, name) / f"{name}_T1w.nii.gz", image, affine)
    write_json(root / "dataset_description.json", {"Name": title, "BIDSVersion": "1.10.0"})
    return root


def place(root: Path, name: str) -> Path:
    """The folder of a scan."""
    return root.joinpath(*[p for p in name.split("_") if p[:4] in ("sub-", "ses-")], "anat")


def save_result(
    out: Path, name: str, seed: int = 0, warning: str = "", without: tuple[int, ...] = (), **record
) -> Path:
    """Label map, tables and record of FIRST's regions, as the participant level writes them."""
    _, labels, affine = brain_phantom(seed=seed, **SMALL)
    labels[np.isin(labels, without)] = 0
    base = place(out, name) / f"{name}_seg-first"
    path = save(base.with_name(f"{base.name}_dseg.nii.gz"), labels, affine)
    geometry = read_labels(path).geometry
    FIRST.to_tsv(base.with_name(f"{base.name}_dseg.tsv"))
    volumes = region_volumes(labels, geometry, FIRST)
    write_tsv(volumes, base.with_name(f"{base.name}_desc-volumes_stats.tsv"))
    note = {"verdict": "warning", "code": "odd", "message": warning, "file": ""}
    made = {
        "Manual": False,
        "Atlas": "first",
        "AtlasFingerprint": FIRST.fingerprint,
        "Sources": [f"bids:raw:{place(Path(), name).as_posix()}/{name}_T1w.nii.gz"],
        "GeneratedBy": [{"Name": "MO-Net Studio", "Version": "0"}],
        "Model": {"Name": "tiny", "Decoder": "first", "WeightsSha256": "a" * 64},
        "Notes": [note] if warning else [],
    }
    write_json(base.with_name(f"{base.name}_dseg.json"), made | record)
    return path


def save_outcome(out: Path, name: str, outcome: str, message: str, code: str = "truncated") -> None:
    """One more line of `outcomes.jsonl`."""
    notes = [{"verdict": "refused", "code": code, "message": message, "file": f"{name}_T1w.nii.gz"}]
    line = {"scan": f"{name}_T1w.nii.gz", "outcome": outcome, "notes": notes}
    out.mkdir(parents=True, exist_ok=True)
    with (out / "outcomes.jsonl").open("a") as stream:
        stream.write(json.dumps(line) + "\n")
