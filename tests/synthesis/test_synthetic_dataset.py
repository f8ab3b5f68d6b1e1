from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from helpers import SHARED, needs_shared
from label_heads import LEFT_PUTAMEN, LEFT_THALAMUS, RIGHT_THALAMUS, head, save_map
from phantoms import brain_phantom, save

from monet_core.augmentation import AugmentationSettings
from monet_core.datasets import check_dataset, find_dataset
from monet_core.errors import DatasetError, MonetError, OutputError, ScanError
from monet_core.jobs import Cancel, CancelledError
from monet_core.protocols import load_protocol
from monet_core.scans import read_geometry, read_labels, read_scan
from monet_core.synthesis import (
    SynthesisSettings,
    find_label_maps,
    outside,
    read_label_map,
    synthesise_dataset,
)

FIRST = load_protocol("first")


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    labels, affine = head()
    save_map(tmp_path / "maps/a.nii.gz", labels, affine)
    save_map(tmp_path / "maps/b.nii", labels.astype(np.float32), affine, "RAS")
    return tmp_path / "maps"


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_the_result_is_a_data_set_that_passes_the_integrity_report(maps, tmp_path):
    scans = synthesise_dataset(maps, tmp_path / "out", 5, FIRST)
    assert len(scans) == 5
    assert files(tmp_path / "out") == sorted(
        [f"sub-synth000{n}_{kind}.nii.gz" for n in range(1, 6) for kind in ("T1w", "dseg")]
        + ["synthesis.json"]
    )
    dataset = find_dataset(tmp_path / "out", "first")
    assert all(subject.labels for subject in dataset.subjects)
    report = check_dataset(dataset, FIRST, missing="absent")
    assert report.ok, report.text()
    for subject in dataset.subjects:
        assert set(np.unique(read_labels(subject.labels).data)) <= {0, *FIRST.indices}
        assert read_geometry(subject.labels).same_grid(read_geometry(subject.scan))
        assert read_scan(subject.scan).data.std() > 0


def test_labels_are_converted_exactly_and_lie_where_they_lay(maps, tmp_path):
    still = SynthesisSettings(augmentation=AugmentationSettings.none())
    scan = synthesise_dataset(maps, tmp_path / "out", 1, FIRST, still)[0]
    made = nib.load(scan.with_name("sub-synth0001_dseg.nii.gz"))
    labels, affine = head()
    for index in (LEFT_THALAMUS, RIGHT_THALAMUS, LEFT_PUTAMEN):
        want = nib.affines.apply_affine(affine, np.argwhere(labels == index))
        got = nib.affines.apply_affine(made.affine, np.argwhere(np.asarray(made.dataobj) == index))
        np.testing.assert_allclose(np.sort(got, 0), np.sort(want, 0), atol=1e-3)
    assert set(np.unique(made.dataobj)) == {0, LEFT_THALAMUS, RIGHT_THALAMUS, LEFT_PUTAMEN}


def test_a_scan_depends_on_seed_and_number_only(maps, tmp_path):
    few = synthesise_dataset(maps, tmp_path / "few", 1, FIRST, seed=3)
    many = synthesise_dataset(maps, tmp_path / "many", 3, FIRST, seed=3)
    other = synthesise_dataset(maps, tmp_path / "other", 1, FIRST, seed=4)
    assert few[0].read_bytes() == many[0].read_bytes()
    assert few[0].read_bytes() != other[0].read_bytes()


def test_a_second_call_adds_what_is_missing_and_keeps_the_rest(maps, tmp_path):
    first = synthesise_dataset(maps, tmp_path / "out", 2, FIRST)
    before = [scan.stat().st_mtime_ns for scan in first]
    more = synthesise_dataset(maps, tmp_path / "out", 3, FIRST)
    assert [scan.stat().st_mtime_ns for scan in more[:2]] == before
    assert more[2].exists()
    with pytest.raises(OutputError, match="other settings"):
        synthesise_dataset(maps, tmp_path / "out", 3, FIRST, seed=1)
    (tmp_path / "out/synthesis.json").write_text("no json")
    with pytest.raises(OutputError, match="other settings"):
        synthesise_dataset(maps, tmp_path / "out", 3, FIRST)


def test_cancelling_leaves_whole_pairs_only(maps, tmp_path):
    cancel = Cancel()
    seen = []

    def report(event):
        seen.append(event)
        if getattr(event, "done", 0) == 1:
            cancel.set()

    with pytest.raises(CancelledError):
        synthesise_dataset(maps, tmp_path / "out", 4, FIRST, report=report, cancel=cancel)
    whole = [name for name in files(tmp_path / "out") if name.endswith("_T1w.nii.gz")]
    assert len(whole) == 2  # the one under way was finished
    assert len(files(tmp_path / "out")) == 5
    assert not list((tmp_path / "out").glob(".writing-*"))


def test_freesurfers_own_labels_lose_what_is_outside_the_brain(maps, tmp_path):
    still = SynthesisSettings(augmentation=AugmentationSettings.none())
    protocol = load_protocol("freesurfer")
    synthesise_dataset(maps, tmp_path / "out", 1, protocol, still)
    made = read_labels(tmp_path / "out/sub-synth0001_dseg.nii.gz").data
    assert set(np.unique(made)) == {0, 2, 3, 10, 12, 24, 41, 42, 49}


def test_a_label_map_is_read_with_ras_axes_and_cut_to_the_head(tmp_path):
    labels, affine = head(spacing=2.0)
    wide = np.pad(labels, 20)
    placed = affine.copy()
    placed[:3, 3] -= 40
    path = save_map(tmp_path / "a.nii.gz", wide, placed)
    read, brain = read_label_map(path), read_label_map(path, brain_only=True)
    assert read.geometry.orientation == "RAS"
    assert max(read.data.shape) < 32 + 2 * 11
    assert np.prod(brain.data.shape) < np.prod(read.data.shape)
    where = np.argwhere(read.data == LEFT_PUTAMEN).mean(axis=0)
    want = nib.affines.apply_affine(affine, np.argwhere(labels == LEFT_PUTAMEN).mean(axis=0))
    np.testing.assert_allclose(nib.affines.apply_affine(read.geometry.affine, where), want)


def bad_map(kind: str, folder: Path) -> Path:
    labels, affine = head(24)
    if kind == "scan":
        image, _, affine = brain_phantom()
        return save(folder / "map.nii.gz", image, affine)
    if kind == "fractions":
        labels = labels * 0.5
    elif kind == "outside only":
        labels = np.where(labels > 0, 507, 0).astype(np.int16)
    elif kind == "empty":
        labels = np.zeros_like(labels)
    elif kind == "flat voxels":
        affine[:3, 2] *= 2
    elif kind == "huge":
        labels = labels.astype(np.int32) + 70000
    return save_map(folder / "map.nii.gz", labels, affine)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("scan", "scan, not a label map"),
        ("fractions", "whole numbers"),
        ("outside only", "no label here is a region of the brain"),
        ("empty", "no label here"),
        ("flat voxels", "4 x 4 x 8 mm|4 x 8 x 4 mm"),
        ("huge", "largest label is 7"),
    ],
)
def test_what_cannot_be_painted_from_is_refused_with_its_name(kind, words, tmp_path):
    path = bad_map(kind, tmp_path)
    with pytest.raises((ScanError, DatasetError), match=words) as caught:
        synthesise_dataset(path, tmp_path / "out", 1, FIRST)
    assert path.name in str(caught.value)
    assert not list((tmp_path / "out").glob("*_T1w*"))


def test_a_protocol_without_these_labels_is_told(maps, tmp_path):
    labels, affine = head(24)
    only_cortex = np.where(np.isin(labels, (3, 42)), labels, 0).astype(np.int16)
    path = save_map(tmp_path / "cortex.nii.gz", only_cortex, affine)
    with pytest.raises(DatasetError, match="none of its labels"):
        synthesise_dataset(path, tmp_path / "out", 1, FIRST)


def test_places_without_label_maps_are_told(tmp_path):
    (tmp_path / "sub-1_T1w.nii.gz").touch()
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(MonetError, match="no "):
            find_label_maps(path)


@needs_shared
def test_a_real_label_map_keeps_its_brain():
    path = SHARED / "data/label_maps/training_seg_01.nii.gz"
    read = read_label_map(path, brain_only=True).data
    stored = read_labels(path).data
    inside = np.bincount(stored[~outside()[stored]])
    kept = np.bincount(read[read > 0], minlength=len(inside))
    assert 0.5 * inside[24] < kept[24] < inside[24]  # fluid goes on down the spine
    kept[24] = inside[24]
    assert np.array_equal(kept, inside)
    assert read.size < stored.size / 2
