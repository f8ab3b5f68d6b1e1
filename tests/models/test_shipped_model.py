"""The model in the box: whole, small, honest about itself, and at work on the sample scan."""

import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from monet_resources import MODELS, SAMPLE
from typer.testing import CliRunner

from monet_core.cli.main import app
from monet_core.models import load_model, shipped_model


def test_the_shipped_model_fits_the_box_and_says_what_it_is() -> None:
    folder = shipped_model()
    assert folder.parent == MODELS
    assert sum(path.stat().st_size for path in folder.iterdir()) < 40e6
    model = load_model(folder)
    assert model.decoders == {"full": 139, "partial": 16}
    assert "Non-commercial" in model.manifest.licence
    assert "OASIS" in model.manifest.licence
    assert model.manifest.preprocessing["brain_only"] is True
    assert 0 < model.manifest.scores["validation/dice/full"] < 1
    text = (folder / "manifest.json").read_text()
    assert not re.search(r"/(work|home|root|tmp|Users)/", text)


@pytest.mark.parametrize(
    "model", ["malc-2mm", pytest.param("", marks=pytest.mark.slow, id="the default")]
)
def test_the_sample_command_segments_a_whole_head(tmp_path: Path, model: str) -> None:
    words = ["sample", "--out", str(tmp_path), *(["--model", model] if model else [])]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    sample = nib.load(SAMPLE)
    full = nib.load(tmp_path / "sub-colin27_seg-malc_dseg.nii.gz")
    assert full.shape == sample.shape
    np.testing.assert_array_equal(full.affine, sample.affine)
    labels = np.asarray(full.dataobj)
    ml = np.bincount(labels.ravel(), minlength=208) * abs(np.linalg.det(full.affine[:3, :3])) / 1000
    assert 900 < ml[1:].sum() < 2000
    assert (ml > 0).sum() > 100
    left, right = (np.argwhere(labels == index)[:, 0].mean() for index in (60, 59))
    assert left < right  # thalamus: the file's first axis runs to the person's right
    partial = np.asarray(nib.load(tmp_path / "sub-colin27_seg-first_dseg.nii.gz").dataobj)
    assert len(np.unique(partial)) == 16
    assert (tmp_path / "sub-colin27_overlay.png").stat().st_size > 10_000
