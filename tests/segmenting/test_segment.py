import json
from itertools import permutations
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from phantoms import (
    LEFT_THALAMUS,
    reoriented,
    save,
)

from monet_core.errors import NotEnoughMemoryError, OutputError, ScanError, Verdict
from monet_core.jobs import Cancel, CancelledError, Message, Phase, Progress
from monet_core.models import Model
from monet_core.protocols import load_protocol
from monet_core.segmenting import SegmentSettings, segment

SETTINGS = SegmentSettings(mirror=False, overlap=0.25, device="cpu", precision="32")
OURS = ["Reading", "Preparing", "Predicting", "Checking", "Saving"]
LESION = (-12, 14, 8)  # mm; negative x is left


def header_of(path):
    header = nib.load(path).header
    fields = ("dim", "pixdim", "qform_code", "sform_code", "srow_x", "srow_y", "srow_z")
    values = {name: np.asarray(header[name]).tolist() for name in fields}
    values["pixdim"] = values["pixdim"][:4]
    quatern = [float(header[f"quatern_{k}"]) for k in "bcd"]
    return values | {"quatern": quatern, "offset": [float(header[f"qoffset_{k}"]) for k in "xyz"]}


def test_writes_maps_tables_volumes_and_records_for_every_decoder(tmp_path, phantom, model_of):
    image, _, affine = phantom
    scan = save(tmp_path / "in" / "sub-01_T1w.nii.gz", image, affine)
    events = []
    result = segment(
        scan,
        model_of(("first", "malc")),
        tmp_path / "out",
        SETTINGS.model_copy(update={"entropy": True}),
        report=events.append,
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        f"sub-01_seg-{protocol}_{rest}"
        for protocol in ("first", "malc")
        for rest in (
            "dseg.nii.gz",
            "dseg.tsv",
            "dseg.json",
            "desc-volumes_stats.tsv",
            "desc-entropy_probseg.nii.gz",
        )
    )
    assert [e.name for e in events if isinstance(e, Phase) and e.name in OURS] == OURS
    assert any(isinstance(event, Progress) for event in events)
    for decoder, files in result.files.items():
        protocol = load_protocol(decoder)
        labels = nib.load(files.labels)
        values = np.asarray(labels.dataobj)
        assert values.dtype.kind == "i"
        assert set(np.unique(values)) <= {0, *protocol.indices}
        assert header_of(files.labels) == header_of(scan)
        assert load_protocol(files.table).indices == protocol.indices
        table = result.volumes[decoder].set_index("index")
        some = int(np.unique(values)[-1])
        assert table.loc[some, "volume_ml"] == pytest.approx((values == some).sum() / 1000)
        entropy = nib.load(files.entropy).get_fdata()
        assert entropy.max() <= np.log(protocol.n_classes) + 0.01
        assert entropy.max() > 0


def test_the_record_names_model_and_source_but_no_folder(tmp_path, phantom, model_of):
    image, _, affine = phantom
    scan = save(tmp_path / "secret-study" / "anna_T1w.nii.gz", image, affine)
    files = segment(scan, model_of(), tmp_path / "out", SETTINGS).files["first"]
    text = files.record.read_text()
    record = json.loads(text)
    assert record["Sources"] == ["anna_T1w.nii.gz"]
    assert record["Manual"] is False
    assert record["Model"]["WeightsSha256"] == "a" * 64
    assert record["Computation"]["device"] == "cpu"
    assert record["Grid"]["orientation"] == "RAS"
    assert record["Preprocessing"]["settings"]["margin_mm"] == 2.0
    assert "torch" in record["Versions"]
    assert "secret-study" not in text


def test_what_the_anatomy_check_says_is_in_result_record_messages_and_log(
    tmp_path, phantom, caplog, bright_model
):
    image, _, affine = phantom
    scan = save(tmp_path / "s_T1w.nii.gz", image, affine)
    events = []
    caplog.set_level("INFO", "monet_core")
    result = segment(scan, bright_model, tmp_path / "out", SETTINGS, report=events.append)
    (missing,) = [note for note in result.warnings if note.code == "missing-regions"]
    assert "14 of 15 regions are missing" in missing.message
    record = json.loads(result.files["first"].record.read_text())
    assert record["AnatomyCheck"] == "warnings"
    assert missing.as_dict() in record["Notes"]
    assert (str(missing), "warning") in {
        (e.text, e.level) for e in events if isinstance(e, Message)
    }
    assert missing.message in caplog.text


def lesion_centre(path) -> np.ndarray:
    """World coordinates of the middle of what is labelled."""
    image = nib.load(path)
    where = np.argwhere(np.asarray(image.dataobj) == LEFT_THALAMUS)
    assert len(where) > 20
    return nib.affines.apply_affine(image.affine, where.mean(0))


def all_orientations():
    for axes in permutations(("LR", "PA", "IS")):
        yield from (a + b + c for a in axes[0] for b in axes[1] for c in axes[2])


def test_sides_hold_in_all_48_orientations(tmp_path, phantom, bright_model):
    image, _, affine = phantom
    codes = list(all_orientations())
    assert len(set(codes)) == 48
    first = None
    for code in codes:
        scan = save(tmp_path / f"{code}_T1w.nii", *reoriented(image, affine, code))
        labels = segment(scan, bright_model, tmp_path / "out", SETTINGS).files["first"].labels
        assert header_of(labels) == header_of(scan)
        np.testing.assert_allclose(lesion_centre(labels), LESION, atol=0.5)
        back, _ = reoriented(np.asarray(nib.load(labels).dataobj), nib.load(labels).affine, "RAS")
        first = back if first is None else first
        np.testing.assert_array_equal(back, first)


def moved_copy(image, affine, rotation_deg, spacing):
    """The phantom sampled on an oblique and anisotropic grid around the same middle."""
    from scipy import ndimage
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_euler("zyx", rotation_deg, degrees=True).as_matrix()
    shape = np.ceil(np.array([100, 100, 90]) / spacing).astype(int)
    target = np.eye(4)
    target[:3, :3] = turn @ np.diag(spacing)
    target[:3, 3] = -target[:3, :3] @ ((shape - 1) / 2)
    matrix = np.linalg.inv(affine) @ target
    return ndimage.affine_transform(image, matrix, output_shape=tuple(shape), order=1), target


@pytest.mark.parametrize(
    ("rotation", "spacing"),
    [((0, 0, 0), (1, 1, 3)), ((25, 0, 0), (1, 1, 1)), ((-20, 15, 30), (0.8, 1.5, 1.2))],
)
def test_oblique_and_anisotropic_copies_are_labelled_at_the_same_place(
    tmp_path, phantom, rotation, spacing, bright_model
):
    image, _, affine = phantom
    scan = save(tmp_path / "s_T1w.nii.gz", *moved_copy(image, affine, rotation, spacing))
    labels = segment(scan, bright_model, tmp_path, SETTINGS)
    path = labels.files["first"].labels
    np.testing.assert_allclose(lesion_centre(path), LESION, atol=1.0)
    assert header_of(path) == header_of(scan)


def test_a_read_only_folder_is_refused_before_the_scan_is_read(
    tmp_path, phantom, monkeypatch, model_of
):
    def no_probe(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", no_probe)
    with pytest.raises(OutputError, match=r"Permission denied.*Choose a folder"):
        segment(tmp_path / "not-even-there.nii", model_of(), tmp_path / "out", SETTINGS)


def test_too_little_space_is_told_before_the_work(tmp_path, phantom, monkeypatch, model_of):
    image, _, affine = phantom
    scan = save(tmp_path / "s_T1w.nii.gz", image, affine)
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    events = []
    with pytest.raises(OutputError, match=r"0 MB are needed, 0 MB are free"):
        segment(scan, model_of(), tmp_path / "out", SETTINGS, report=events.append)
    assert events == []


def test_a_scan_too_large_for_the_memory_is_refused_before_it_is_read(
    tmp_path, phantom, monkeypatch, model_of
):
    image, _, affine = phantom
    scan = save(tmp_path / "s_T1w.nii.gz", image, affine)
    monkeypatch.setattr("monet_core.segmenting.single.free_bytes", lambda _: 10**8)
    events = []
    with pytest.raises(NotEnoughMemoryError, match=r"s_T1w.*0\.2 GB of memory.*0\.1 GB are free"):
        segment(scan, model_of(), tmp_path / "out", SETTINGS, report=events.append)
    assert events == []


def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path, phantom, monkeypatch, model_of):
    image, _, affine = phantom
    scan = save(tmp_path / "s_T1w.nii.gz", image, affine)

    def full(_self, _path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nib.Nifti1Image, "to_filename", full)
    with pytest.raises(OutputError, match="the disk is full"):
        segment(scan, model_of(), tmp_path / "out", SETTINGS)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("phase", ["Preparing", "Predicting", "Checking", "Saving"])
def test_cancelling_leaves_no_file(tmp_path, phantom, phase, model_of):
    image, _, affine = phantom
    scan = save(tmp_path / "s_T1w.nii.gz", image, affine)
    cancel = Cancel()

    def report(event):
        if event == Phase(phase, time=event.time):
            cancel.set()

    with pytest.raises(CancelledError):
        segment(scan, model_of(), tmp_path / "out", SETTINGS, report=report, cancel=cancel)
    assert list((tmp_path / "out").iterdir()) == []


def test_results_of_another_scan_of_the_same_name_are_not_overwritten(tmp_path, phantom, model_of):
    image, _, affine = phantom
    one = save(tmp_path / "one" / "T1w.nii.gz", image, affine)
    two = save(tmp_path / "two" / "T1w.nii.gz", image * 2, affine)
    first = segment(one, model_of(), tmp_path / "out", SETTINGS)
    kept = first.files["first"].labels.read_bytes()
    with pytest.raises(OutputError, match="belongs to another scan"):
        segment(two, model_of(), tmp_path / "out", SETTINGS)
    assert first.files["first"].labels.read_bytes() == kept
    again = segment(one, model_of(), tmp_path / "out", SETTINGS)
    assert again.files == first.files


def test_a_map_off_the_scans_grid_is_never_kept(tmp_path, phantom, monkeypatch, model_of):
    image, _, affine = phantom
    scan = save(tmp_path / "s_T1w.nii.gz", image, affine)

    def shifted(path, data, like):
        moved = like.geometry.affine.copy()
        moved[0, 3] += 1
        save(path, data.astype(np.int16), moved)

    monkeypatch.setattr("monet_core.segmenting.single.write_labels", shifted)
    with pytest.raises(OutputError, match="did not come out on the scan's grid"):
        segment(scan, model_of(), tmp_path / "out", SETTINGS)
    assert list((tmp_path / "out").iterdir()) == []


def test_notes_about_the_scan_reach_the_result(tmp_path, phantom, model_of):
    image, _, affine = phantom
    image = image.copy()
    image[36, 42, 36] = np.nan
    scan = save(tmp_path / "s_T1w.nii.gz", image, affine)
    result = segment(scan, model_of(), tmp_path / "out", SETTINGS)
    assert "not-finite" in {note.code for note in result.notes if note.verdict is Verdict.FIXED}


def test_a_missing_scan_is_a_scan_error(tmp_path, model_of):
    with pytest.raises(ScanError, match="no such file"):
        segment(Path(tmp_path / "nothing.nii.gz"), model_of(), tmp_path / "out", SETTINGS)


def test_preprocessing_this_program_does_not_know_is_refused(tmp_path, phantom, model_of):
    from monet_core.errors import ModelError

    image, _, affine = phantom
    scan = save(tmp_path / "s_T1w.nii.gz", image, affine)
    model = model_of()
    newer = model.manifest.model_copy(update={"preprocessing": {"warp": True}})
    with pytest.raises(ModelError, match=r"preprocessing of the model test.*warp"):
        segment(scan, Model(newer, model.network), tmp_path / "out", SETTINGS)


def test_two_protocols_of_one_name_are_told_apart_by_decoder(tmp_path, phantom, model_of):
    from monet_core.segmenting.outputs import files_of

    model = model_of()
    entry = model.manifest.decoders[0]
    two = [entry, entry.model_copy(update={"name": "my other"})]
    manifest = model.manifest.model_copy(update={"decoders": two})
    files = files_of(tmp_path, "s", Model(manifest, model.network), entropy=False)
    assert files["first"].labels.name == "s_seg-first_dseg.nii.gz"
    assert files["my other"].labels.name == "s_seg-myother_dseg.nii.gz"
