"""Whole heads lose what is not brain, for models that never saw it."""

from dataclasses import replace

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


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("upper", [False, True])
def test_a_head_cut_by_the_field_of_view_is_a_head_and_a_cut_brain_is_none(
    sample: Scan, cut: Scan, axis: int, upper: bool
) -> None:
    assert is_whole_head(_two_thirds(sample, axis, upper))
    assert not is_whole_head(_two_thirds(cut, axis, upper))


def _two_thirds(scan: Scan, axis: int, upper: bool) -> Scan:
    size = scan.data.shape[axis]
    window = [slice(None)] * 3
    window[axis] = slice(size // 3, None) if upper else slice(0, size - size // 3)
    data = scan.data[tuple(window)]
    return replace(scan, data=data, geometry=Geometry(data.shape, scan.geometry.affine))


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
