"""Whole heads lose what is not brain, for models that never saw it."""

import numpy as np
import pytest
from monet_resources import SAMPLE
from phantoms import brain_phantom

from monet_core.errors import Verdict
from monet_core.preprocessing import PreprocessingSettings, is_whole_head, prepare
from monet_core.scans import Scan, read_scan
from monet_core.scans.geometry import Geometry
from monet_core.scans.scan import SpatialForms
from monet_core.segmenting import stripping

WANTED = PreprocessingSettings(brain_only=True)


@pytest.fixture(scope="module")
def sample() -> Scan:
    return read_scan(SAMPLE)


@pytest.fixture(scope="module")
def cut(sample: Scan) -> Scan:
    return stripping.stripped(sample, WANTED, device="cpu")


def test_the_sample_is_a_head_and_becomes_a_brain(sample: Scan, cut: Scan) -> None:
    assert is_whole_head(sample)
    assert not is_whole_head(cut)
    kept = cut.data != 0
    np.testing.assert_array_equal(cut.data[kept], sample.data[kept])
    volume = kept.sum() * sample.geometry.voxel_volume_ml
    assert 1200 < volume < 2300  # Colin27 is scaled to a template
    assert [(note.verdict, note.code) for note in cut.notes] == [(Verdict.FIXED, "head-stripped")]
    assert "its brain" in cut.notes[0].message


def test_it_agrees_with_the_brain_that_registration_finds(sample: Scan, cut: Scan) -> None:
    by_registration = prepare(sample, PreprocessingSettings(spacing_mm=2)).brain
    found = prepare(cut, PreprocessingSettings(spacing_mm=2)).brain
    small = min(by_registration.sum(), found.sum())
    assert small / max(by_registration.sum(), found.sum()) > 0.85


def test_where_no_brain_is_found_the_scan_stays(
    sample: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripping, "_PLAUSIBLE_ML", (5000.0, 6000.0))
    assert stripping.stripped(sample, WANTED, device="cpu") is sample


def test_models_of_whole_heads_and_stripped_scans_get_them_as_they_are(sample: Scan) -> None:
    assert stripping.stripped(sample, PreprocessingSettings()) is sample
    image, _, affine = brain_phantom()
    scan = Scan(image, Geometry(image.shape, affine), SpatialForms(affine, 1, affine, 1))
    assert stripping.stripped(scan, WANTED) is scan
