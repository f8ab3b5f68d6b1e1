"""Slow: trainings on real MALC scans, and their results on copies of a scan on other grids."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from helpers import MALC, needs_shared

from monet_core.evaluation import dice_per_region
from monet_core.jobs import Cancel, silent
from monet_core.losses import LossSettings
from monet_core.models import load_model, shipped_model
from monet_core.networks import NetworkSettings
from monet_core.preprocessing import PreprocessingSettings, resample
from monet_core.scans import Geometry, read_labels, read_scan
from monet_core.segmenting import segment
from monet_core.training import (
    AugmentationSettings,
    TrainingRequest,
    TrainingSettings,
    recipe_settings,
    train,
)

pytestmark = [pytest.mark.slow, needs_shared]


def test_one_scan_is_learnt_by_heart(tmp_path: Path) -> None:
    """A block of 40 mm in the deep grey matter at 1 mm: mean Dice of its regions above 0.9.

    Regions of which the block's border leaves less than a tenth of a millilitre do not count.
    """
    for split in ("train", "validation"):
        (tmp_path / "data" / split).mkdir(parents=True)
        for kind in ("T1w", "dseg"):
            image = nib.load(MALC / f"train/sub-1000_{kind}.nii.gz")
            centre = np.asarray(image.shape) // 2
            block = image.slicer[tuple(slice(int(c) - 20, int(c) + 20) for c in centre)]
            nib.save(block, tmp_path / "data" / split / f"sub-1000_{kind}.nii.gz")
    settings = TrainingSettings(
        **{
            **recipe_settings("paper", "finetune"),
            "protocols": {"full": "malc", "partial": "first"},
            "epochs": 400,
            "patch": 40,
            "learning_rate": 5e-3,
            "schedule": "cosine",
            "loss": LossSettings(kind="dice_ce"),
            "augmentation": AugmentationSettings.none(),
            "network": NetworkSettings(width=16, levels=4),
            # A block without background counts as a whole head, its brain as 12 mm deep in it.
            "preprocessing": PreprocessingSettings(register=False, margin_mm=12),
            "validate_every": 400,
            "workers": 1,
        }
    )
    job = TrainingRequest(
        tmp_path / "data", tmp_path / "run", settings, missing="absent", cache=tmp_path / "cache"
    )
    train(job, silent, Cancel())
    rows = [json.loads(x) for x in (tmp_path / "run/regions.jsonl").read_text().splitlines()]
    (full,) = (row["dice"] for row in rows if row["decoder"] == "full")
    sizes = np.bincount(np.asarray(block.dataobj, int).ravel(), minlength=208)
    dice = [full[str(index)] for index in np.flatnonzero(sizes >= 100) if str(index) in full]
    assert len(dice) >= 15
    assert np.mean(dice) > 0.9


def _grids(scan_grid: Geometry) -> dict[str, Geometry]:
    """Other grids over the same head: turned by 25 degrees, and with 3 mm slices."""
    angle = np.deg2rad(25)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    centre = np.eye(4)
    centre[:3, 3] = scan_grid.centre
    affine = centre @ turn @ np.linalg.inv(centre) @ scan_grid.affine
    thick = scan_grid.affine @ np.diag([1.0, 1.0, 3.0, 1.0])
    x, y, z = scan_grid.shape
    return {"turned": Geometry((x, y, z), affine), "thick": Geometry((x, y, z // 3), thick)}


def test_results_on_other_grids_show_the_same_anatomy(tmp_path: Path) -> None:
    """A LAS scan, a rotated and an anisotropic copy: Dice between them through the world."""
    model = load_model(shipped_model())
    path = MALC / "validation/sub-1004_T1w.nii.gz"
    scan = read_scan(path)
    assert scan.geometry.orientation == "LAS"
    copies = {"original": path}
    for name, grid in _grids(scan.geometry).items():
        data = resample(scan.data, scan.geometry, grid)
        image = nib.Nifti1Image(data.astype(np.float32), grid.affine)
        image.set_qform(grid.affine, 1)
        image.set_sform(grid.affine, 1)
        copies[name] = tmp_path / f"{name}_T1w.nii.gz"
        nib.save(image, copies[name])
    found = {}
    for name, copy in copies.items():
        result = segment(copy, model, tmp_path / "out", stem=name)
        labels = read_labels(result.files["full"].labels)
        assert labels.geometry.same_grid(read_scan(copy).geometry)
        found[name] = resample(labels.data, labels.geometry, scan.geometry, mode="nearest")
    sizes = np.bincount(found["original"].ravel(), minlength=208)
    large = [index for index in model.protocol("full").indices if sizes[index] > 4000]
    assert len(large) >= 40
    for name in ("turned", "thick"):
        dice = dice_per_region(found[name], found["original"], large)
        assert np.nanmean(list(dice.values())) > 0.85, name
        # The cerebral white matter of each side lies where the original has the same side.
        assert min(dice[44], dice[45]) > 0.85, name
