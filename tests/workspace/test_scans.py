"""Adding scans to a study, and what is known of them."""

import os
import shutil
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from phantoms import brain_phantom, save, save_malc_dataset
from PIL import Image
from study_phantoms import labels_file, scan_file, study_of

from monet_core.errors import DatasetError, DecisionNeeded, OutputError
from monet_core.jobs.events import Cancel, CancelledError, Message
from monet_core.scans import Decisions
from monet_core.workspace import Study


def names_of(study: Study) -> list[str]:
    return [entry.name for entry in study.scans()]


class TestAdding:
    def test_a_folder_with_splits_and_labels(self, tmp_path):
        data = save_malc_dataset(tmp_path / "data")
        study = Study.open(tmp_path / "study")
        added = study.add([data])
        assert [(e.name, e.split, e.subject) for e in study.scans()] == [
            ("sub-0", "train", "sub-0"),
            ("sub-1", "train", "sub-1"),
            ("sub-9", "validation", "sub-9"),
        ]
        assert not any(entry.inspected for entry in added)
        (labels,) = study.segmentations(added[0].id)
        assert (labels.source, labels.protocol) == ("manual", "")
        assert labels.path == data / "train" / "sub-0_dseg.nii.gz"

    def test_again_changes_nothing(self, tmp_path):
        study = study_of(tmp_path, ["sub-1", "sub-2"], labels=True)
        first = study.scans(), study.all_segmentations()
        again = study.add([tmp_path / "scans", tmp_path / "scans" / "sub-1_T1w.nii.gz"])
        assert (study.scans(), study.all_segmentations()) == first
        assert again == first[0]

    def test_numbers_in_names_sort_by_size(self, tmp_path):
        study = study_of(tmp_path, ["sub-10", "sub-9", "sub-1"])
        assert names_of(study) == ["sub-1", "sub-9", "sub-10"]

    def test_equal_names_get_their_folders_names(self, tmp_path):
        for who in "ab":
            scan_file(tmp_path / who / "T1.nii.gz")
        study = Study.open(tmp_path / "study")
        study.add([tmp_path / "a" / "T1.nii.gz", tmp_path / "b" / "T1.nii.gz"])
        assert names_of(study) == ["a_T1", "b_T1"]
        study.add([scan_file(tmp_path / "c" / "T1.nii.gz")])
        study.add([scan_file(tmp_path / "d" / "t1.nii.gz")])
        assert names_of(study) == ["a_T1", "b_T1", "d_t1", "T1"]

    def test_a_table_says_protocol_and_split(self, tmp_path):
        scan_file(tmp_path / "x.nii.gz")
        labels_file(tmp_path / "y.nii.gz")
        table = tmp_path / "scans.tsv"
        table.write_text("scan\tlabels\tprotocol\tsplit\nx.nii.gz\ty.nii.gz\tFIRST\ttest\n")
        study = Study.open(tmp_path / "study")
        (entry,) = study.add([table])
        (labels,) = study.segmentations(entry.id)
        assert (entry.name, entry.split, labels.protocol) == ("x", "test", "first")

    def test_names_tell_the_protocol(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"], labels=True)
        (labels,) = study.all_segmentations()
        assert (labels.protocol, labels.name) == ("first", "first, manual")

    def test_a_table_beside_the_labels_or_in_the_study_is_the_protocol(self, tmp_path):
        scan_file(tmp_path / "data" / "sub-1_T1w.nii.gz")
        labels_file(tmp_path / "data" / "sub-1_seg-mylab_dseg.nii.gz")
        study = Study.open(tmp_path / "study")
        study.atlases.mkdir()
        table = study.atlases / "my-lab.tsv"
        table.write_text("index\tname\n10\tThalamus\n")
        (entry,) = study.add([tmp_path / "data"])
        (labels,) = study.segmentations(entry.id)
        assert labels.protocol == str(table)
        assert labels.name == "my-lab, manual"

    def test_a_label_map_alone_goes_to_its_scan(self, tmp_path):
        study = study_of(tmp_path, ["sub-1", "sub-2"])
        labels = labels_file(tmp_path / "elsewhere" / "sub-2_desc-new_dseg.nii.gz")
        (entry,) = study.add([labels])
        assert entry.name == "sub-2"
        assert [s.path for s in study.segmentations(entry.id)] == [labels]

    def test_a_label_map_may_come_with_its_scan(self, tmp_path):
        scan = scan_file(tmp_path / "a" / "sub-2_T1w.nii.gz")
        labels = labels_file(tmp_path / "b" / "sub-2_dseg.nii.gz")
        study = Study.open(tmp_path / "study")
        (entry,) = study.add([labels, scan])
        assert [s.source for s in study.segmentations(entry.id)] == ["import"]

    def test_a_label_map_without_scan_is_told(self, tmp_path):
        study = Study.open(tmp_path / "study")
        with pytest.raises(DatasetError, match="Add its scan first"):
            study.add([labels_file(tmp_path / "sub-7_dseg.nii.gz")])

    def test_freesurfer_subjects_are_one_scan_each(self, tmp_path):
        for who in ("bert", "anna"):
            for name in ("T1", "orig", "brain", "aparc+aseg", "aseg", "wm"):
                save(tmp_path / "fs" / who / "mri" / f"{name}.mgz", *_mgz())
        study = Study.open(tmp_path / "study")
        entries = study.add([tmp_path / "fs"])
        assert names_of(study) == ["anna", "bert"]
        assert {e.path.name for e in entries} == {"T1.mgz"}
        assert {(s.path.name, s.protocol, s.source) for s in study.all_segmentations()} == {
            ("aparc+aseg.mgz", "freesurfer", "import")
        }

    def test_what_fails_is_told_and_the_others_are_added(self, tmp_path):
        good = scan_file(tmp_path / "good_T1w.nii.gz")
        study, told = Study.open(tmp_path / "study"), []
        entries = study.add([tmp_path / "nowhere.nii", good], told.append)
        assert [e.name for e in entries] == ["good"]
        (message,) = [e for e in told if isinstance(e, Message)]
        assert "nowhere.nii" in message.text
        assert "no such file" in message.text

    @pytest.mark.parametrize("paths", [[], ["empty"], ["empty", "nowhere"]])
    def test_nothing_at_all_is_an_error(self, tmp_path, paths):
        (tmp_path / "empty").mkdir()
        with pytest.raises(DatasetError):
            Study.open(tmp_path / "study").add([tmp_path / each for each in paths])

    def test_cancel(self, tmp_path):
        cancel = Cancel()
        cancel.set()
        with pytest.raises(CancelledError):
            Study.open(tmp_path / "s").add([scan_file(tmp_path / "a_T1w.nii.gz")], cancel=cancel)

    def test_a_dicom_folder_with_several_series_asks_and_is_converted_then(
        self, tmp_path, monkeypatch
    ):
        folder = tmp_path / "dicom"
        folder.mkdir()
        (folder / "IM0001").write_bytes(bytes(128) + b"DICM")

        def convert(source, out, decisions):
            if decisions.series is None:
                raise DecisionNeeded("series", "2 series", option="--series", choices=("3", "5"))
            return scan_file(out / f"dicom_series-{decisions.series}_T1w.nii.gz")

        monkeypatch.setattr("monet_core.datasets.collecting.import_dicom", convert)
        monkeypatch.setattr("monet_core.workspace.inspecting.import_dicom", convert)
        study = Study.open(tmp_path / "study")
        (entry,) = study.add([folder])
        assert entry.question is not None
        assert entry.question.choices == ("3", "5")
        study.set_decisions(entry.id, entry.question.answered(entry.decisions, "5"))
        done = study.inspect(entry.id)
        assert done.usable
        assert done.path == study.imported / "dicom_series-5_T1w.nii.gz"
        assert len(study.scans()) == 1


def _mgz():
    image, _, affine = brain_phantom((24, 24, 24))
    return image, affine


@pytest.fixture(autouse=True)
def _save_mgz(monkeypatch):
    real = nib.save

    def save_any(image, path):
        if str(path).endswith(".mgz"):
            image = nib.MGHImage(np.asarray(image.dataobj, np.float32), image.affine)
        real(image, path)

    monkeypatch.setattr(nib, "save", save_any)


class TestNames:
    @pytest.mark.parametrize("name", ["Käthe Löwe", "患者-7", "e\u0301", "a'b\"c;--", "tab\there"])
    def test_unicode(self, tmp_path, name):
        scan = scan_file(tmp_path / "data" / f"{name}_T1w.nii.gz")
        study = Study.open(tmp_path / "Stüdy 研究")
        (entry,) = study.add([scan])
        assert entry.name == name
        assert Study.open(study.folder).scan(entry.id).path == scan
        assert study.inspect(entry.id).usable

    def test_names_that_are_no_utf8(self, tmp_path):
        scan = scan_file(tmp_path / "data" / "x_T1w.nii.gz")
        odd = Path(os.fsdecode(os.fsencode(scan.parent) + b"/M\xfcller_T1w.nii.gz"))
        scan.rename(odd)
        study = Study.open(tmp_path / "study")
        (entry,) = study.add([odd.parent])
        assert entry.name.encode("utf-8") == rb"M\udcfcller"
        assert entry.path == odd
        assert study.inspect(entry.id).usable
        study.close()
        (study.folder / ".monet" / "study.sqlite").unlink()
        assert Study.open(study.folder).scan(entry.id).path == odd

    def test_a_moved_study_finds_its_scans(self, tmp_path):
        study = study_of(tmp_path / "before", ["sub-1"], labels=True)
        outside = scan_file(tmp_path / "outside" / "sub-2_T1w.nii.gz")
        study.add([outside])
        study.close()
        shutil.move(tmp_path / "before", tmp_path / "after")
        moved = Study.open(tmp_path / "after")
        inside = tmp_path / "after" / "scans" / "sub-1_T1w.nii.gz"
        assert [e.path for e in moved.scans()] == [inside, outside]
        assert moved.all_segmentations()[0].path.is_file()
        assert moved.add([inside])[0].id == moved.scans()[0].id

    def test_a_study_reached_by_a_link_knows_its_own_files(self, tmp_path):
        study = study_of(tmp_path / "real", ["sub-1"])
        (tmp_path / "link").symlink_to(tmp_path / "real")
        linked = Study.open(tmp_path / "link")
        linked.add([tmp_path / "real" / "scans"])
        assert len(linked.scans()) == len(study.scans()) == 1


class TestChanging:
    def test_removed_and_back_with_ratings_and_segmentations(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"], labels=True)
        (entry,) = study.scans()
        study.rate(entry.id, "fail", note="motion")
        study.remove(entry.id)
        assert study.scans() == []
        assert study.all_segmentations() == []
        assert entry.path.is_file()
        with pytest.raises(DatasetError, match="no scan number"):
            study.scan(entry.id)
        (back,) = study.add([entry.path])
        assert back == entry
        assert study.latest(back.id).note == "motion"
        assert len(study.segmentations(back.id)) == 1

    def test_split(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        (entry,) = study.scans()
        assert study.set_split(entry.id, "test").split == "test"
        assert study.set_split(entry.id, None).split is None

    def test_revision_grows_with_every_change(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        before = study.revision()
        assert study.revision() == before
        Study.open(tmp_path).set_split(study.scans()[0].id, "test")
        assert study.revision() > before
        assert study.scans()[0].split == "test"


class TestInspecting:
    def test_what_is_found(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        entry = study.inspect(study.scans()[0].id)
        assert entry.usable
        assert entry.shape == (40, 44, 40)
        assert entry.spacing == pytest.approx((2.0, 2.0, 2.0))
        assert entry.orientation == "RAS"
        again = Study.open(tmp_path).scans()[0]
        assert again == entry
        assert again.thumbnail == entry.thumbnail

    def test_the_thumbnail_is_a_small_strip_that_shows_the_brain(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        (entry,) = study.scans()
        assert entry.thumbnail is None
        (tmp_path / "t.png").write_bytes(study.inspect(entry.id).thumbnail)
        picture = np.asarray(Image.open(tmp_path / "t.png"))
        assert picture.shape[0] == 96
        assert 200 < picture.shape[1] < 400
        assert (picture > 100).mean() > 0.2

    def test_a_scan_deleted_meanwhile_is_a_problem_not_an_exception(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        (entry,) = study.scans()
        study.inspect(entry.id)
        entry.path.unlink()
        gone = study.inspect(entry.id)
        assert "no such file" in gone.problem
        assert not gone.usable

    def test_a_question_and_its_answer(self, tmp_path):
        image, _, affine = brain_phantom((40, 44, 40))
        path = tmp_path / "data" / "sub-1_T1w.nii.gz"
        path.parent.mkdir()
        nifti = nib.Nifti1Image(image, affine)
        nifti.set_qform(affine, 0)
        nifti.set_sform(affine, 0)
        nib.save(nifti, path)
        study = Study.open(tmp_path / "study")
        (entry,) = study.add([path])
        asked = study.inspect(entry.id)
        assert asked.question.option == "--assume-orientation"
        assert "RAS" in asked.question.choices
        assert Study.open(study.folder).scan(entry.id).question == asked.question
        waiting = study.set_decisions(entry.id, asked.question.answered(asked.decisions, "LAS"))
        assert waiting.decisions == Decisions(orientation="LAS")
        assert not waiting.inspected
        done = study.inspect(entry.id)
        assert (done.question, done.orientation) == (None, "LAS")
        assert done.notes[0].startswith("Warning: ")

    def test_damaged_scans_are_problems(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        (entry,) = study.scans()
        entry.path.write_bytes(entry.path.read_bytes()[:5000])
        assert "Copy or download" in study.inspect(entry.id).problem


def test_ten_thousand_scans_are_listed_at_once(tmp_path):
    study = Study.open(tmp_path)
    table = tmp_path / "scans.tsv"
    rows = "".join(f"scans/sub-{n}_T1w.nii.gz\n" for n in range(10_000))
    table.write_text("scan\n" + rows)
    assert len(study.add([table])) == 10_000
    again = Study.open(tmp_path)
    began = time.process_time()
    listed = again.scans()
    assert time.process_time() - began < 0.05
    assert [e.name for e in listed[:11:10]] == ["sub-0", "sub-10"]
    study.set_split(listed[7].id, "test")
    began = time.process_time()
    assert again.scans()[7].split == "test"
    assert time.process_time() - began < 0.05


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write here"):
        Study.open(tmp_path / "file" / "study")
