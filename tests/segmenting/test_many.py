from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from phantoms import save

from monet_core.errors import OutputError, Verdict
from monet_core.jobs import Cancel, CancelledError, Message
from monet_core.segmenting import Failure, SegmentResult, SegmentSettings, find_scans, segment_many
from monet_core.segmenting.many import distinct
from monet_core.segmenting.outputs import stem_of

SETTINGS = SegmentSettings(mirror=False, overlap=0.0, device="cpu", precision="32")


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"scan")


def test_one_that_fails_is_told_and_the_others_go_on(tmp_path, phantom, model_of):
    image, _, affine = phantom
    folder = tmp_path / "in"
    good = [save(folder / f"{name}_T1w.nii.gz", image, affine) for name in ("a", "d")]
    (folder / "b_T1w.nii.gz").write_text("<html>not found</html>")
    unknown = nib.Nifti1Image(image, None)
    unknown.header.set_zooms((1, 1, 1))
    nib.save(unknown, folder / "c_T1w.nii.gz")
    events = []
    out = tmp_path / "out"
    outcomes = segment_many([folder], model_of(), out, SETTINGS, report=events.append)
    done = [one for one in outcomes if isinstance(one, SegmentResult)]
    failed = {one.scan.name: one for one in outcomes if isinstance(one, Failure)}
    assert [one.scan for one in done] == good
    assert all(one.files["first"].labels.exists() for one in done)
    assert set(failed) == {"b_T1w.nii.gz", "c_T1w.nii.gz"}
    assert "web page" in str(failed["b_T1w.nii.gz"])
    # What only the user knows is not guessed, and the option that decides is named.
    assert failed["c_T1w.nii.gz"].note.verdict is Verdict.ASK
    assert "--assume-orientation" in str(failed["c_T1w.nii.gz"])
    errors = [e.text for e in events if isinstance(e, Message) and e.level == "error"]
    assert errors[:2] == [str(failed["b_T1w.nii.gz"]), str(failed["c_T1w.nii.gz"])]
    assert errors[-1].startswith("2 of 4 scans segmented")
    assert errors[-1].endswith("failed: b_T1w.nii.gz, c_T1w.nii.gz")
    assert not [path for path in out.iterdir() if path.name.startswith(("b_", "c_", "."))]


@pytest.mark.parametrize("error", [MemoryError(), OSError(5, "Input/output error")])
def test_a_failing_drive_or_memory_is_one_readable_line(tmp_path, monkeypatch, model_of, error):
    def fail(*_args, **_kwargs):
        raise error

    monkeypatch.setattr("monet_core.segmenting.many.segment", fail)
    touch(tmp_path / "s_T1w.nii")
    (outcome,) = segment_many([tmp_path / "s_T1w.nii"], model_of(), tmp_path / "out", SETTINGS)
    assert isinstance(outcome, Failure)
    assert str(tmp_path / "s_T1w.nii") in str(outcome)
    assert "\n" not in str(outcome)


def test_cancelling_ends_the_whole_row(tmp_path, model_of):
    cancel = Cancel()
    cancel.set()
    touch(tmp_path / "s_T1w.nii")
    with pytest.raises(CancelledError):
        segment_many([tmp_path], model_of(), tmp_path / "out", SETTINGS, cancel=cancel)


def test_an_output_folder_that_cannot_be_made_stops_before_any_scan(tmp_path, model_of):
    touch(tmp_path / "s_T1w.nii", tmp_path / "file")
    with pytest.raises(OutputError):
        segment_many([tmp_path / "s_T1w.nii"], model_of(), tmp_path / "file" / "out", SETTINGS)


def test_scans_are_found_by_name_and_else_by_ending(tmp_path):
    named, other = tmp_path / "bids", tmp_path / "other"
    wanted = [
        named / "sub-1" / "anat" / "sub-1_T1w.nii.gz",
        named / "sub-2" / "anat" / "sub-2_t1W.mgz",
    ]
    touch(*wanted, named / "sub-1" / "anat" / "sub-1_T2w.nii.gz", named / ".x" / "a_T1w.nii")
    touch(named / "sub-1" / "anat" / "._sub-1_T1w.nii.gz")
    assert find_scans([named], tmp_path / "out") == (wanted, [])
    touch(other / "b.nii", other / "a.MGZ", other / "a_seg-malc_dseg.nii.gz", other / "x.txt")
    touch(other / "a_desc-entropy_probseg.nii.gz")
    assert find_scans([other], tmp_path / "out")[0] == [other / "a.MGZ", other / "b.nii"]


def test_a_scan_given_twice_is_done_once_and_a_folder_without_scans_fails(tmp_path):
    scan, empty = tmp_path / "in" / "a_T1w.nii", tmp_path / "empty"
    touch(scan, empty / "readme.txt")
    scans, (failure,) = find_scans([scan, scan.parent, empty], tmp_path / "out")
    assert scans == [scan]
    assert failure.scan == empty
    assert "no scan was found" in str(failure)


def test_a_dicom_folder_is_converted(tmp_path, monkeypatch):
    folder = tmp_path / "dicom"
    folder.mkdir()
    (folder / "IM0001").write_bytes(bytes(128) + b"DICM")
    seen = []

    def converted(source, out, decisions):
        seen.append((source, out))
        return out / "dicom_T1w.nii.gz"

    monkeypatch.setattr("monet_core.datasets.collecting.import_dicom", converted)
    assert find_scans([folder], tmp_path / "out")[0] == [tmp_path / "out" / "dicom_T1w.nii.gz"]
    assert seen == [(folder, tmp_path / "out")]


def test_results_of_equal_names_are_told_apart_by_folder():
    scans = [Path(p) for p in ("/s/a/mri/T1.mgz", "/s/b/mri/T1.mgz", "/s/c/sub-3_T1w.nii.gz")]
    assert [item.stem for item in distinct(scans)] == ["a_mri_T1", "b_mri_T1", "sub-3"]
    # The same folder, two endings: no folder tells them apart.
    same = [Path("/s/x.nii"), Path("/s/x.nii.gz"), Path("/s/X.mgz")]
    stems = [item.stem for item in distinct(same)]
    assert len({stem.casefold() for stem in stems}) == 3


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("sub-01_ses-2_T1w.nii.gz", "sub-01_ses-2"),
        ("orig.mgz", "orig"),
        ("a.b_T1w.NII", "a.b"),
        ("Björn Ö_t1w.nii", "Björn Ö"),
        ("_T1w.nii.gz", "_T1w"),
        ("scan.hdr", "scan"),
        ("noending", "noending"),
    ],
)
def test_stems(name, stem):
    assert stem_of(Path("folder") / name) == stem


def test_equal_names_in_two_folders_both_get_their_results(tmp_path, phantom, model_of):
    image, _, affine = phantom
    scans = [
        save(tmp_path / k / "T1w.nii.gz", np.roll(image, n), affine) for n, k in enumerate("ab")
    ]
    outcomes = segment_many(scans, model_of(), tmp_path / "out", SETTINGS)
    names = [one.files["first"].labels.name for one in outcomes]
    assert names == ["a_T1w_seg-first_dseg.nii.gz", "b_T1w_seg-first_dseg.nii.gz"]
