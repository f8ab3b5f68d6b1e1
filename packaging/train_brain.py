"""Train the network that finds the brain in whole heads, and put it into the box.

    .venv/bin/python packaging/train_brain.py LABEL_MAPS WORK [--ship]

LABEL_MAPS: whole heads in FreeSurfer's indices, tissues outside the brain 500 and up (SynthSeg's,
Apache-2.0). T1-like heads are painted from them into WORK, the sulci of their brain masks are
closed, as stripped scans have them, and a small U-Net learns these. Run again to go on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from monet_resources import BRAIN, LABELS
from scipy import ndimage

from monet_core.jobs import Cancel, silent
from monet_core.models import Model, load_model, save_model
from monet_core.protocols import load_protocol
from monet_core.scans import Decisions, read_labels, write_labels
from monet_core.synthesis import SynthesisSettings, synthesise_dataset
from monet_core.training import TrainingRequest, TrainingSettings, recipe_settings, train

PROTOCOL = LABELS / "brain.tsv"
HEADS = {"train": 48, "validation": 4}
CLOSED_VOXELS = 4
CARD = """Finds the brain (with its sulci and ventricles) in whole heads, so that they can be given
to models that were trained on skull-stripped scans. A 3D U-Net at 2 mm, trained on heads painted
from 20 label maps of SynthSeg (Apache-2.0) in T1-like contrasts, never on a real scan.
Made by packaging/train_brain.py."""


def main() -> None:
    """Paint, close, train, ship."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("label_maps", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--ship", action="store_true", help="only ship what was trained")
    told = parser.parse_args()
    if not told.ship:
        for seed, (split, number) in enumerate(HEADS.items()):
            paint(told.label_maps, told.work, split, number, seed)
        learn(told.work)
    ship(told.work / "run")


def paint(label_maps: Path, work: Path, split: str, number: int, seed: int) -> None:
    """Heads with masks of the brain whose sulci are closed."""
    painted, heads = work / "painted" / split, work / "heads" / split
    heads.mkdir(parents=True, exist_ok=True)
    settings = SynthesisSettings(contrast="t1")
    synthesise_dataset(label_maps, painted, number, load_protocol(PROTOCOL), settings, seed)
    for scan in painted.glob("*_T1w.nii.gz"):
        place = heads / scan.name.replace("_T1w", "_dseg")
        if not place.exists():
            labels = read_labels(painted / place.name)
            write_labels(place, closed(labels.data > 0).astype(np.uint8), labels)
            (heads / scan.name).symlink_to(scan.resolve())


def closed(mask: np.ndarray) -> np.ndarray:
    """`mask` with its sulci and holes filled."""
    n = CLOSED_VOXELS
    padded = ndimage.binary_closing(np.pad(mask, n), iterations=n)
    return np.asarray(ndimage.binary_fill_holes(padded[n:-n, n:-n, n:-n]))


def learn(work: Path) -> None:
    """A small network at 2 mm in MNI space."""
    settings = recipe_settings("best", "pretrain") | {
        "protocols": {"partial": str(PROTOCOL)},
        "epochs": 20,
        "patch": 80,
        "learning_rate": 3e-3,
        "ema_decay": 0.99,
        "validate_every": 5,
        "workers": 1,
        "network": {"width": 8, "levels": 4, "thin_top": True, "deep_supervision": True},
        "preprocessing": {"spacing_mm": 2.0},
    }
    request = TrainingRequest(
        settings=TrainingSettings.model_validate(settings),
        data=work / "heads",
        out=work / "run",
        cache=work / "cache",
        resume=(work / "run" / "checkpoint.safetensors").exists(),
        decisions=Decisions(labels_as_scan=True),
    )
    train(request, silent, Cancel())


def ship(run: Path) -> None:
    """The run's best weights, in half precision, with a card."""
    trained = load_model(run)
    manifest = trained.manifest.model_copy(
        update={
            "name": "brain",
            "card": CARD,
            "licence": "Apache-2.0 (label maps: SynthSeg)",
            "preprocessing": {**trained.manifest.preprocessing, "brain_only": False},
        }
    )
    save_model(BRAIN, Model(manifest, trained.network), half=True)


if __name__ == "__main__":
    main()
