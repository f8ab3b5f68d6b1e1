import itertools
import json

import nibabel as nib
import numpy as np
import pytest
from phantoms import LEFT_PUTAMEN, RIGHT_PUTAMEN, brain_phantom
from scipy.spatial.transform import Rotation

from monet_core.errors import Verdict
from monet_core.jobs.events import Phase
from monet_core.preprocessing import (
    Prepared,
    PreprocessingSettings,
    load_template,
    prepare,
    prepare_labels,
    resample,
)
from monet_core.preprocessing import preparing as module
from monet_core.preprocessing.preparing import normalise
from monet_core.preprocessing.registration import Registration
from monet_core.preprocessing.resampling import inverse
from monet_core.scans.geometry import Geometry
from monet_core.scans.scan import LabelMap, Scan, SpatialForms

UNREGISTERED = PreprocessingSettings(register=False)


def scan_of(data: np.ndarray, affine: np.ndarray) -> Scan:
    forms = SpatialForms(affine, 1, affine, 1)
    return Scan(data.astype(np.float32), Geometry(data.shape, affine), forms)


def labels_of(data: np.ndarray, affine: np.ndarray) -> LabelMap:
    forms = SpatialForms(affine, 1, affine, 1)
    return LabelMap(data.astype(np.int32), Geometry(data.shape, affine), forms)


def oblique(affine: np.ndarray, degrees: float = 25) -> np.ndarray:
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec(np.radians(degrees) * np.array([0.6, 0, 0.8])).as_matrix()
    return turn @ affine


def back_to(array: np.ndarray, prepared: Prepared, grid: Geometry, mode="label") -> np.ndarray:
    """What lies on the model's grid, on the scan's own."""
    return resample(array, prepared.geometry, grid, inverse(prepared.transform), mode)


def test_brain_has_zero_mean_and_unit_deviation() -> None:
    image, _, affine = brain_phantom()
    prepared = prepare(scan_of(image, affine), UNREGISTERED)
    inside = prepared.image[prepared.brain]
    assert prepared.image.dtype == np.float32
    assert abs(inside.mean()) < 0.01
    assert inside.std() == pytest.approx(1, abs=0.01)
    assert prepared.brain.sum() == pytest.approx((image > 0).sum(), rel=0.05)


def test_one_wild_voxel_changes_nothing() -> None:
    image, _, affine = brain_phantom()
    wild = image.copy()
    wild[36, 42, 36] = 1e9
    calm, struck = (prepare(scan_of(each, affine), UNREGISTERED) for each in (image, wild))
    for name in ("mean", "sd"):
        assert struck.record["intensity"][name] == pytest.approx(
            calm.record["intensity"][name], rel=0.01
        )
    assert struck.image.max() < 10


def test_an_offset_background_counts_as_empty() -> None:
    image, _, affine = brain_phantom()
    shifted = prepare(scan_of(image - 1000, affine), UNREGISTERED)
    plain = prepare(scan_of(image, affine), UNREGISTERED)
    assert shifted.record["intensity"]["background"] == -1000
    np.testing.assert_allclose(shifted.image, plain.image, atol=1e-3)


@pytest.mark.parametrize(("head", "kind"), [(False, "stripped"), (True, "whole")])
def test_kind_of_head_is_told(head: bool, kind: str) -> None:
    image, _, affine = brain_phantom((84, 96, 84), head=head)
    prepared = prepare(scan_of(image, affine), UNREGISTERED)
    assert prepared.record["head"] == kind
    # The scalp (900) must not be what the brain (480 to 800) is measured by.
    assert 550 < prepared.record["intensity"]["mean"] < 750


@pytest.mark.parametrize("share", [0.005, 0.05, 0.1])
def test_noise_around_a_stripped_brain_is_taken_away(share: float) -> None:
    image, _, affine = brain_phantom((84, 96, 84))
    noise = np.random.default_rng(0).normal(0, share * image[image > 0].mean(), image.shape)
    settings = UNREGISTERED.model_copy(update={"brain_only": True})
    clean, noisy = (
        prepare(scan_of(each.astype(np.float32), affine), settings)
        for each in (image, image + noise)
    )
    assert noisy.record["head"] == "stripped"
    assert [note.code for note in noisy.notes] == ["noise-around-brain"]
    means = [each.record["intensity"]["mean"] for each in (noisy, clean)]
    assert means[0] == pytest.approx(means[1], rel=0.05)
    empty = noisy.image == noisy.image.min()
    assert empty[~noisy.brain].all()
    assert noisy.brain.sum() == pytest.approx(clean.brain.sum(), rel=0.1)


def test_grid_is_aligned_cropped_and_has_its_margin() -> None:
    image, _, affine = brain_phantom((100, 100, 100))
    wide, narrow = (
        prepare(scan_of(image, oblique(affine)), PreprocessingSettings(register=False, margin_mm=m))
        for m in (12, 2)
    )
    assert wide.geometry.orientation == "RAS"
    assert wide.geometry.spacing == (1, 1, 1)
    assert np.count_nonzero(wide.geometry.affine[:3, :3]) == 3
    assert [a - b for a, b in zip(wide.geometry.shape, narrow.geometry.shape, strict=True)] == [
        20
    ] * 3
    assert wide.image.shape == wide.geometry.shape == wide.brain.shape


@pytest.mark.parametrize("spacing", [0.8, 2.0])
def test_spacing_is_the_models(spacing: float) -> None:
    image, _, affine = brain_phantom()
    settings = PreprocessingSettings(register=False, spacing_mm=spacing)
    prepared = prepare(scan_of(image, affine), settings)
    assert prepared.geometry.spacing == pytest.approx((spacing,) * 3)
    volume = prepared.brain.sum() * spacing**3
    assert volume == pytest.approx((image > 0).sum(), rel=0.1)


def test_48_orientations_give_the_same_bits() -> None:
    image, _, affine = brain_phantom((40, 46, 44))
    wanted = prepare(scan_of(image, affine), UNREGISTERED)
    for axes in itertools.permutations(range(3)):
        for flips in itertools.product((1, -1), repeat=3):
            orientation = np.array([axes, flips]).T
            stored = nib.apply_orientation(image, orientation)
            header = affine @ nib.orientations.inv_ornt_aff(orientation, image.shape)
            prepared = prepare(scan_of(stored, header), UNREGISTERED)
            assert prepared.geometry.same_grid(wanted.geometry)
            np.testing.assert_array_equal(prepared.image, wanted.image)


def test_left_stays_left() -> None:
    image, labels, affine = brain_phantom()
    header = affine.copy()
    header[0] = [-1, 0, 0, -affine[0, 3]]
    stored = labels_of(labels[::-1], header)
    prepared = prepare(scan_of(image, affine), UNREGISTERED)
    moved = prepare_labels(stored, prepared)
    for index, side in ((LEFT_PUTAMEN, -1), (RIGHT_PUTAMEN, 1)):
        world = np.argwhere(moved == index) @ prepared.geometry.affine[:3, :3].T
        assert np.sign(world.mean(0)[0] + prepared.geometry.affine[0, 3]) == side


def test_labels_come_back_unharmed_where_nothing_was_turned() -> None:
    image, labels, affine = brain_phantom()
    prepared = prepare(scan_of(image, affine), UNREGISTERED)
    there = prepare_labels(labels_of(labels, affine), prepared)
    assert there.dtype == np.int32
    back = back_to(there, prepared, Geometry(labels.shape, affine))
    np.testing.assert_array_equal(back, labels)


def test_labels_come_back_from_an_oblique_scan() -> None:
    image, labels, affine = brain_phantom()
    header = oblique(affine)
    prepared = prepare(scan_of(image, header), UNREGISTERED)
    there = prepare_labels(labels_of(labels, header), prepared)
    back = back_to(there.astype(np.uint8), prepared, Geometry(labels.shape, header))
    assert back.shape == labels.shape
    for index in np.unique(labels)[1:]:
        shared = ((back == index) & (labels == index)).sum()
        assert 2 * shared / ((back == index).sum() + (labels == index).sum()) > 0.93


def test_volume_comes_back() -> None:
    image, _, affine = brain_phantom(noise=0)
    header = oblique(affine)
    prepared = prepare(scan_of(image, header), UNREGISTERED)
    figures = prepared.record["intensity"]
    back = back_to(prepared.image, prepared, Geometry(image.shape, header), "linear")
    middle = (slice(20, 50),) * 3
    values = back[middle] * figures["sd"] + figures["mean"]
    assert np.corrcoef(values.ravel(), image[middle].ravel())[0, 1] > 0.95
    assert back.dtype == np.float32


def test_indices_lead_from_the_scans_voxels_to_the_models() -> None:
    image, _, affine = brain_phantom()
    header = oblique(affine)
    prepared = prepare(scan_of(image, header), UNREGISTERED)
    voxel = np.array([20.0, 31, 17, 1])
    there = prepared.indices(Geometry(image.shape, header)) @ voxel
    assert np.allclose(prepared.geometry.affine @ there, prepared.transform @ header @ voxel)


def test_record_is_json_and_phases_are_told() -> None:
    image, _, affine = brain_phantom()
    events: list = []
    prepared = prepare(
        scan_of(image, affine), PreprocessingSettings(register=False, n4=True), events.append
    )
    record = json.loads(json.dumps(prepared.record))
    assert PreprocessingSettings(**record["settings"]).n4
    assert np.allclose(record["transform"], np.eye(4))
    assert record["grid"]["shape"] == list(prepared.geometry.shape)
    assert [event.name for event in events if isinstance(event, Phase)] == [
        "Conforming",
        "Correcting the bias field",
        "Resampling and normalising",
    ]


def test_n4_takes_a_bias_field_away() -> None:
    image, labels, affine = brain_phantom((72, 84, 72), noise=4)
    slope = np.linspace(0.6, 1.4, 72, dtype=np.float32)[:, None, None]
    white = (labels == 0) & (image > 650) & (image < 750)

    def spread(settings: PreprocessingSettings) -> float:
        prepared = prepare(scan_of(image * slope, affine), settings)
        back = back_to(prepared.image, prepared, Geometry(image.shape, affine), "linear")
        return float((back * prepared.record["intensity"]["sd"])[white].std()) / float(
            prepared.record["intensity"]["mean"]
        )

    assert spread(PreprocessingSettings(register=False, n4=True)) < 0.5 * spread(UNREGISTERED)


def test_constant_brain_does_not_divide_by_zero() -> None:
    image, figures = normalise(np.ones((4, 4, 4), np.float32), np.ones((4, 4, 4), bool))
    assert (image == 0).all()
    assert figures["sd"] == 1


def test_failed_registration_keeps_the_header_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    shift = np.eye(4)
    shift[:3, 3] = (3, 4, 5)
    failed = Registration(shift, shift, 0.1, good=False)
    monkeypatch.setattr(module, "register", lambda *_: failed)
    image, _, affine = brain_phantom()
    prepared = prepare(scan_of(image, affine), PreprocessingSettings())
    assert [note.code for note in prepared.notes] == ["registration-failed"]
    assert prepared.record["registration"]["good"] is False
    np.testing.assert_array_equal(prepared.transform, shift)


def test_small_field_of_view_is_warned_about(monkeypatch: pytest.MonkeyPatch) -> None:
    image, _, affine = brain_phantom()
    seen = Registration(np.eye(4), np.eye(4), 0.9, good=True)
    monkeypatch.setattr(module, "register", lambda *_: seen)
    prepared = prepare(scan_of(image, affine), PreprocessingSettings())
    assert prepared.notes[0].code == "partial-coverage"
    assert "% of the brain" in str(prepared.notes[0])
    assert 0.05 < prepared.record["registration"]["coverage"] < 0.5


def test_a_model_of_stripped_scans_sees_no_scalp() -> None:
    image, _, affine = brain_phantom((88, 100, 88), head=True)
    scan = scan_of(image, affine)
    cut = prepare(scan, UNREGISTERED.model_copy(update={"brain_only": True}))
    whole = prepare(scan, UNREGISTERED)
    assert whole.record["head"] == cut.record["head"] == "whole"
    np.testing.assert_array_equal(cut.image[cut.brain], whole.image[whole.brain])
    outside = ~cut.brain
    assert (whole.image[outside] > 0).mean() > 0.2
    assert (cut.image[outside] > 0).mean() < 0.1
    (note,) = cut.notes
    assert (note.verdict, note.code) == (Verdict.WARNING, "head-not-stripped")
    assert "strip the scan first" in note.message


def test_a_stripped_scan_is_left_as_it_is_by_brain_only() -> None:
    image, _, affine = brain_phantom()
    cut = prepare(scan_of(image, affine), UNREGISTERED.model_copy(update={"brain_only": True}))
    np.testing.assert_array_equal(cut.image, prepare(scan_of(image, affine), UNREGISTERED).image)
    assert cut.notes == ()


@pytest.mark.parametrize(("degrees", "kept"), [(6, True), (20, False)])
def test_the_voxels_of_a_head_that_lies_nearly_straight_are_not_interpolated(
    degrees: float, kept: bool
) -> None:
    template, _, grid = load_template()
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec(np.radians(degrees) * np.array([0.6, 0, 0.8])).as_matrix()
    turn[:3, 3] = (3.3, -6.1, 2.7)
    header = np.array([[0, 0, -2.0, 125.5], [2, 0, 0, -160], [0, -2, 0, 130], [0, 0, 0, 1]])
    stored = Geometry((126, 126, 126), header)
    scan = scan_of(500 * resample(template, grid, stored, turn), header)
    prepared = prepare(scan, PreprocessingSettings(spacing_mm=2.0))
    assert prepared.record["registration"]["turned_deg"] == pytest.approx(degrees, abs=1)
    index = prepared.indices(stored)
    assert np.allclose(index, np.round(index), atol=1e-5) == kept
    if kept:
        there = np.argwhere(prepared.brain)[::97]
        voxels = np.round(there @ inverse(index)[:3, :3].T + inverse(index)[:3, 3]).astype(int)
        figures = prepared.record["intensity"]
        found = prepared.image[tuple(there.T)] * figures["sd"] + figures["mean"]
        wanted = scan.data[tuple(voxels.T)].clip(figures["clip_low"], figures["clip_high"])
        np.testing.assert_allclose(found, wanted, atol=0.1)
