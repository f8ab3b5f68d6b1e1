import csv
import gzip
import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from phantoms import (
    BRAIN_STEM,
    LEFT_PUTAMEN,
    LEFT_THALAMUS,
    RIGHT_PUTAMEN,
    RIGHT_THALAMUS,
    reoriented,
    save,
    save_subject,
)

from monet_core.datasets import CheckReport, Finding, check_dataset, find_dataset
from monet_core.errors import DatasetError, DecisionNeeded, Verdict
from monet_core.jobs.events import Cancel, CancelledError, Event, Progress
from monet_core.protocols import Protocol, Region

PROTOCOL = Protocol(
    "phantom",
    (
        Region(LEFT_THALAMUS, "Left-Thalamus", hemisphere="L", pair=RIGHT_THALAMUS),
        Region(RIGHT_THALAMUS, "Right-Thalamus", hemisphere="R", pair=LEFT_THALAMUS),
        Region(LEFT_PUTAMEN, "Left-Putamen", hemisphere="L", pair=RIGHT_PUTAMEN),
        Region(RIGHT_PUTAMEN, "Right-Putamen", hemisphere="R", pair=LEFT_PUTAMEN),
        Region(BRAIN_STEM, "Brain-Stem"),
    ),
    extra=frozenset({99}),
)
# 2 mm voxels, so that the field of view is a head's.
SMALL = {"shape": (56, 64, 56), "spacing": 2.0}


@pytest.fixture(scope="session")
def seven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seven")
    for seed in range(6):
        save_subject(folder / "train", f"sub-{seed}", seed, **SMALL)
    save_subject(folder / "validation", "sub-6", 6, **SMALL)
    return folder


@pytest.fixture
def folder(seven: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(seven, tmp_path / "data"))


def check(folder: Path, **options: object) -> CheckReport:
    return check_dataset(find_dataset(folder), PROTOCOL, **options)  # type: ignore[arg-type]


def relabel(folder: Path, name: str, change: object, split: str = "train") -> None:
    """Rewrite a subject's labels as `change(data)` (in place or returned)."""
    path = folder / split / f"{name}_dseg.nii.gz"
    image = nib.load(path)
    data = np.asarray(image.dataobj).copy()
    changed = change(data)  # type: ignore[operator]
    save(path, data if changed is None else changed, image.affine)


def only(report: CheckReport, code: str) -> Finding:
    found = [finding for finding in report.findings if finding.code == code]
    assert len(found) == 1, report.text()
    return found[0]


def usable(report: CheckReport) -> list[str]:
    return [s.name for split in ("train", "validation", "test") for s in report.usable(split)]


def test_good_data_have_nothing_to_report(seven: Path) -> None:
    events: list[Event] = []
    report = check(seven, report=events.append)
    assert report.findings == ()
    assert report.ok
    report.raise_if_blocking()
    assert [s.name for s in report.usable("validation")] == ["sub-6"]
    assert len(report.usable("train")) == 6
    done = [event.done for event in events if isinstance(event, Progress)]
    assert done == list(range(8))
    assert report.text() == (
        "Usable: 6 of 6 train, 1 of 1 validation, 0 of 0 test scans. Findings: none."
    )


def test_cancel(seven: Path) -> None:
    cancel = Cancel()
    cancel.set()
    with pytest.raises(CancelledError):
        check(seven, cancel=cancel)


class TestUnreadable:
    def test_a_corrupt_scan_is_left_out_and_the_others_go_on(self, folder: Path) -> None:
        scan = folder / "train" / "sub-1_T1w.nii.gz"
        scan.write_bytes(scan.read_bytes()[:20_000])
        report = check(folder)
        finding = next(f for f in report.findings if f.subject == "sub-1")
        assert finding.verdict is Verdict.REFUSED
        assert finding.file == str(scan)
        assert "sub-1_T1w.nii.gz" in report.text()
        assert "sub-1" not in usable(report)
        assert len(usable(report)) == 6
        assert report.ok

    def test_corrupt_or_missing_labels(self, folder: Path) -> None:
        (folder / "train" / "sub-1_dseg.nii.gz").write_bytes(b"<html>404</html>")
        (folder / "train" / "sub-2_dseg.nii.gz").unlink()
        report = check(folder)
        verdicts = {f.subject: f.verdict for f in report.findings}
        assert verdicts == {"sub-1": Verdict.REFUSED, "sub-2": Verdict.WARNING}
        assert only(report, "no-labels").subject == "sub-2"
        assert set(usable(report)).isdisjoint({"sub-1", "sub-2"})

    def test_a_table_that_names_a_missing_file(self, folder: Path) -> None:
        table = folder / "scans.tsv"
        table.write_text(
            "scan\tlabels\ntrain/sub-0_T1w.nii.gz\ttrain/sub-0_dseg.nii.gz\n"
            "gone_T1w.nii.gz\tgone_dseg.nii.gz\n"
        )
        report = check(table)
        gone = [f for f in report.findings if f.subject == "gone"]
        assert {Path(f.file).name for f in gone} == {"gone_T1w.nii.gz", "gone_dseg.nii.gz"}
        assert all(f.verdict is Verdict.REFUSED for f in gone)
        assert usable(report) == ["sub-0"]

    def test_a_scan_given_as_labels(self, folder: Path) -> None:
        train = folder / "train"
        shutil.copy(train / "sub-1_T1w.nii.gz", train / "sub-1_dseg.nii.gz")
        report = check(folder)
        assert next(f for f in report.findings if f.subject == "sub-1").verdict is Verdict.REFUSED
        assert "sub-1" not in usable(report)

    def test_a_question_about_a_scan_blocks(self, folder: Path) -> None:
        path = folder / "train" / "sub-1_T1w.nii.gz"
        image = nib.load(path)
        affine = image.affine.copy()
        affine[:3, 3] += 40
        image.set_sform(affine, 1)
        nib.save(nib.Nifti1Image(image.get_fdata(dtype=np.float32), None, image.header), path)
        report = check(folder)
        assert not report.ok
        with pytest.raises(DecisionNeeded, match=r"sub-1_T1w.*--use-form"):
            report.raise_if_blocking()

    def test_a_drive_that_drops(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def dropped(path: Path) -> str:
            if path.name.startswith("sub-1"):
                raise OSError(5, "Input/output error")
            return path.name

        monkeypatch.setattr("monet_core.datasets.survey.sha256", dropped)
        report = check(folder, deep=False)
        assert "Input/output error" in only(report, "unreadable").message
        assert len(usable(report)) == 6

    def test_notes_of_the_input_gate_are_told(self, folder: Path) -> None:
        path = folder / "train" / "sub-1_T1w.nii.gz"
        path.write_bytes(gzip.decompress(path.read_bytes()))  # a plain NIfTI named .gz
        report = check(folder)
        (finding,) = report.findings
        assert (finding.subject, finding.verdict) == ("sub-1", Verdict.FIXED)
        assert str(finding).startswith("fixed: sub-1 (sub-1_T1w.nii.gz): ")
        assert len(usable(report)) == 7

    def test_nothing_left_to_train_on(self, folder: Path) -> None:
        for labels in (folder / "train").glob("*_dseg*"):
            labels.unlink()
        report = check(folder)
        assert not report.ok
        with pytest.raises(DatasetError, match=r"none of the 6 training scans.*no label map"):
            report.raise_if_blocking()


class TestGrids:
    def rewrite(self, folder: Path, change: object) -> Finding:
        path = folder / "train" / "sub-1_dseg.nii.gz"
        image = nib.load(path)
        data, affine = change(np.asarray(image.dataobj), image.affine.copy())  # type: ignore[operator]
        save(path, np.ascontiguousarray(data), affine)
        report = check(folder)
        finding = next(f for f in report.findings if f.subject == "sub-1")
        assert ("sub-1" in usable(report)) == (finding.verdict is Verdict.FIXED)
        return finding

    def test_another_shape(self, folder: Path) -> None:
        finding = self.rewrite(folder, lambda data, affine: (data[:-2], affine))
        assert finding.verdict is Verdict.REFUSED
        assert finding.code == "off-grid"
        assert "shape 54 x 64 x 56 against 56 x 64 x 56 voxels" in finding.message
        assert "Resample" in finding.remedy

    def test_half_a_voxel(self, folder: Path) -> None:
        def moved(data: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            affine[:3, 3] += (1, 0, 0)
            return data, affine

        finding = self.rewrite(folder, moved)
        assert finding.verdict is Verdict.REFUSED
        assert "first voxel 1.00 mm away (half a voxel)" in finding.message

    def test_flipped_header(self, folder: Path) -> None:
        finding = self.rewrite(folder, lambda d, a: (d, a @ np.diag([-1.0, 1, 1, 1])))
        assert finding.verdict is Verdict.REFUSED
        assert "axes run LAS against RAS (flipped?)" in finding.message

    def test_other_spacing(self, folder: Path) -> None:
        finding = self.rewrite(folder, lambda d, a: (d, a @ np.diag([1.0, 1, 1.2, 1])))
        assert "spacing 2 x 2 x 2.4 against 2 x 2 x 2 mm" in finding.message

    def test_rotated(self, folder: Path) -> None:
        c, s = np.cos(np.radians(5)), np.sin(np.radians(5))
        turn = np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
        finding = self.rewrite(folder, lambda d, a: (d, turn @ a))
        assert "rotated by 5.0 degrees" in finding.message

    def test_only_reoriented_is_taken_over(self, folder: Path) -> None:
        finding = self.rewrite(folder, lambda d, a: reoriented(d, a, "PIR"))
        assert finding.verdict is Verdict.FIXED
        assert finding.code == "labels-reoriented"
        assert "stored as PIR, the scan as RAS" in finding.message


class TestUnknownValues:
    @pytest.fixture
    def strange(self, folder: Path) -> Path:
        def change(data: np.ndarray) -> None:
            data[data == BRAIN_STEM] = 77
            data[0, 0, 0] = 300

        relabel(folder, "sub-1", change)
        relabel(folder, "sub-2", lambda d: np.where(d == BRAIN_STEM, 77, d))
        relabel(folder, "sub-3", lambda d: d.__setitem__((0, 0, 0), 99))
        return folder

    def test_ask(self, strange: Path) -> None:
        report = check(strange, missing="absent")
        with pytest.raises(DecisionNeeded, match=r"77 \(\d+ voxels\), 300 \(1 voxel\)") as error:
            report.raise_if_blocking()
        assert error.value.option == "--unknown-labels"
        assert error.value.choices == ("background", "refuse")
        assert "1 more scan alike" in str(error.value)
        assert "sub-1_dseg.nii.gz" in str(error.value)
        asked = {f.subject for f in report.findings if f.verdict is Verdict.ASK}
        assert asked == {"sub-1", "sub-2"}  # 99 is one of the protocol's own extra values

    def test_background(self, strange: Path) -> None:
        report = check(strange, unknown="background", missing="absent")
        report.raise_if_blocking()
        found = [f for f in report.findings if f.code == "unknown-labels"]
        assert {f.verdict for f in found} == {Verdict.FIXED}
        assert "read as background" in found[0].message
        assert len(usable(report)) == 7

    def test_refuse(self, strange: Path) -> None:
        report = check(strange, unknown="refuse")
        report.raise_if_blocking()
        assert set(usable(report)) == {"sub-0", "sub-3", "sub-4", "sub-5", "sub-6"}
        assert "left out" in report.text()


class TestMissingRegions:
    @pytest.fixture
    def gaps(self, folder: Path) -> Path:
        relabel(folder, "sub-1", lambda d: np.where(d == LEFT_PUTAMEN, 0, d))
        relabel(folder, "sub-2", np.zeros_like)
        return folder

    def test_ask(self, gaps: Path) -> None:
        report = check(gaps)
        assert only(report, "missing-regions").verdict is Verdict.ASK
        assert "12 Left-Putamen" in only(report, "missing-regions").message
        assert only(report, "empty-labels").verdict is Verdict.ASK
        with pytest.raises(DecisionNeeded, match="--missing-regions"):
            report.raise_if_blocking()

    def test_absent(self, gaps: Path) -> None:
        report = check(gaps, missing="absent")
        report.raise_if_blocking()
        assert report.excluded_regions == {}
        assert len(usable(report)) == 7
        assert "trained as absent" in only(report, "missing-regions").message

    def test_unannotated(self, gaps: Path) -> None:
        report = check(gaps, missing="unannotated")
        report.raise_if_blocking()
        assert report.excluded_regions == {"sub-1": (LEFT_PUTAMEN,)}
        assert "sub-2" not in usable(report)

    def test_a_region_in_no_training_scan(self, folder: Path) -> None:
        for number in range(6):
            relabel(folder, f"sub-{number}", lambda d: np.where(d == BRAIN_STEM, 0, d))
        report = check(folder, missing="absent")
        finding = only(report, "absent-regions")
        assert finding.verdict is Verdict.WARNING
        assert finding.region == BRAIN_STEM
        assert "1 of 5 regions" in finding.message
        assert "16 Brain-Stem" in finding.message


def swap_sides(data: np.ndarray) -> np.ndarray:
    changed = data.copy()
    for left, right in ((LEFT_THALAMUS, RIGHT_THALAMUS), (LEFT_PUTAMEN, RIGHT_PUTAMEN)):
        changed[data == left], changed[data == right] = right, left
    return changed


class TestSides:
    def test_exchanged_labels_are_told_but_kept(self, folder: Path) -> None:
        relabel(folder, "sub-4", swap_sides)
        report = check(folder)
        finding = only(report, "sides-exchanged")
        assert (finding.subject, finding.verdict) == ("sub-4", Verdict.WARNING)
        assert "2 of 2" in finding.message
        assert len(report.findings) == 1
        assert "sub-4" in usable(report)

    def test_storage_order_does_not_matter(self, folder: Path) -> None:
        for file in (folder / "train").glob("sub-4_*"):
            image = nib.load(file)
            save(file, *reoriented(np.asarray(image.dataobj), image.affine, "LAS"))
        assert check(folder).findings == ()


class TestFailedAnnotations:
    def test_one_structure_far_too_large(self, folder: Path) -> None:
        def swollen(data: np.ndarray) -> None:
            data[24:32, 18:28, 12:24] = BRAIN_STEM

        relabel(folder, "sub-3", swollen)
        report = check(folder)
        finding = only(report, "outlying-region")
        assert (finding.subject, finding.region) == ("sub-3", BRAIN_STEM)
        assert finding.verdict is Verdict.WARNING
        assert report.excluded_regions == {"sub-3": (BRAIN_STEM,)}
        assert "sub-3" in usable(report)

    def test_one_structure_in_the_wrong_place(self, folder: Path) -> None:
        def moved(data: np.ndarray) -> np.ndarray:
            stem = data == BRAIN_STEM
            return np.where(np.roll(stem, 7, axis=1), BRAIN_STEM, np.where(stem, 0, data))

        relabel(folder, "sub-3", moved)
        assert check(folder).excluded_regions == {"sub-3": (BRAIN_STEM,)}

    def test_most_structures_off(self, folder: Path) -> None:
        def shrunk(data: np.ndarray) -> np.ndarray:
            changed = data.copy()
            for index, step in ((LEFT_PUTAMEN, 4), (BRAIN_STEM, 5)):
                where = np.argwhere(data == index)
                changed[tuple(np.delete(where, np.s_[::step], axis=0).T)] = 0
            return changed

        relabel(folder, "sub-3", shrunk)
        report = check(folder)
        finding = only(report, "failed-annotation")
        assert "2 regions" in finding.message
        assert "left out" in finding.message
        assert "sub-3" not in usable(report)

    def test_all_structures_moved_together(self, folder: Path) -> None:
        relabel(folder, "sub-3", lambda d: np.roll(d, -14, axis=1))
        finding = only(check(folder), "failed-annotation")
        assert "mm off in the head" in finding.message
        assert check(folder, deep=False).findings == ()  # the head is not looked at

    def test_everything_too_small(self, folder: Path) -> None:
        def thinned(data: np.ndarray) -> np.ndarray:
            sparse = np.zeros_like(data)
            sparse[::2, ::2] = data[::2, ::2]
            return sparse

        relabel(folder, "sub-3", thinned)
        finding = only(check(folder), "failed-annotation")
        assert "times the other scans'" in finding.message

    def test_manual_annotations_are_only_warned_of(self, folder: Path) -> None:
        relabel(folder, "sub-3", lambda d: np.roll(d, -14, axis=1))
        relabel(folder, "sub-2", lambda d: d.__setitem__(np.s_[24:32, 18:28, 12:24], BRAIN_STEM))
        report = check(folder, automatic=False)
        assert {f.subject for f in report.findings} == {"sub-2", "sub-3"}
        assert len(usable(report)) == 7
        assert report.excluded_regions == {}

    def test_a_head_held_otherwise_is_no_failure(self, folder: Path) -> None:
        c, s = np.cos(np.radians(30)), np.sin(np.radians(30))
        pitch = np.array([[1, 0, 0, 5], [0, c, -s, 20], [0, s, c, -30], [0, 0, 0, 1]])
        for file in (folder / "train").glob("sub-3_*"):
            image = nib.load(file)
            save(file, np.asarray(image.dataobj), pitch @ image.affine)
        assert check(folder).findings == ()

    def test_a_scaled_head_is_no_failure(self, folder: Path) -> None:
        for file in (folder / "train").glob("sub-3_*"):
            image = nib.load(file)
            save(file, np.asarray(image.dataobj), np.diag([1.15, 1.15, 1.15, 1]) @ image.affine)
        assert check(folder).findings == ()

    def test_too_few_scans_to_compare(self, tmp_path: Path) -> None:
        for seed in range(4):
            save_subject(tmp_path, f"sub-{seed}", seed, **SMALL)
        path = tmp_path / "sub-3_dseg.nii.gz"
        image = nib.load(path)
        save(path, np.roll(np.asarray(image.dataobj), -14, axis=1), image.affine)
        assert [f.code for f in check(tmp_path).findings] == ["no-validation"]


class TestDuplicates:
    def test_the_same_scan_in_two_splits_however_stored(self, folder: Path) -> None:
        image = nib.load(folder / "train" / "sub-0_T1w.nii.gz")
        data, affine = reoriented(np.asarray(image.dataobj), image.affine, "LPS")
        save(folder / "test" / "sub-x_T1w.nii", np.ascontiguousarray(data), affine)
        shutil.copy(folder / "train" / "sub-0_dseg.nii.gz", folder / "test" / "sub-x_dseg.nii.gz")
        finding = only(check(folder), "duplicate-scan")
        assert finding.verdict is Verdict.WARNING
        assert "different splits: sub-0 (train), sub-x (test)" in finding.message

    def test_the_same_scan_twice_in_one_split(self, folder: Path) -> None:
        for kind in ("T1w", "dseg"):
            shutil.copy(
                folder / "train" / f"sub-0_{kind}.nii.gz", folder / "train" / f"sub-9_{kind}.nii.gz"
            )
        for deep in (True, False):
            finding = only(check(folder, deep=deep), "duplicate-scan")
            assert "more than once, also as sub-9" in finding.message

    def test_another_session_of_a_person_in_another_split(self, folder: Path) -> None:
        save_subject(folder / "test", "sub-0_ses-2", 20, **SMALL)
        finding = only(check(folder), "person-in-splits")
        assert "one person (sub-0)" in finding.message
        assert "sub-0 (train), sub-0_ses-2 (test)" in finding.message

    def test_two_sessions_in_one_split_are_fine(self, folder: Path) -> None:
        save_subject(folder / "train", "sub-0_ses-2", 20, **SMALL)
        assert check(folder).findings == ()

    def test_an_unreadable_repeat_is_told_too(self, folder: Path) -> None:
        (folder / "test").mkdir()
        (folder / "test" / "sub-0_ses-2_T1w.nii").write_bytes(b"")
        assert only(check(folder), "person-in-splits")

    def test_repeat_scans_of_malc_have_other_numbers(self, tmp_path: Path) -> None:
        save_subject(tmp_path / "train", "sub-1003", 1, **SMALL)
        save_subject(tmp_path / "test", "sub-1023", 2, **SMALL)
        assert "one person (sub-1003)" in only(check(tmp_path), "person-in-splits").message

    def test_a_study_that_happens_to_use_such_numbers(self, tmp_path: Path) -> None:
        for seed, name in enumerate(("sub-1003", "sub-x", "sub-y"), 10):
            save_subject(tmp_path / "train", name, seed, **SMALL)
        save_subject(tmp_path / "test", "sub-1023", 2, **SMALL)
        assert "person-in-splits" not in {f.code for f in check(tmp_path).findings}


class TestExtent:
    def test_one_scan_and_no_validation(self, tmp_path: Path) -> None:
        save_subject(tmp_path, "sub-0", **SMALL)
        report = check(tmp_path)
        assert {f.code: f.verdict for f in report.findings} == {
            "few-training-scans": Verdict.WARNING,
            "no-validation": Verdict.WARNING,
        }
        assert "warning: no validation scans" in report.text()
        assert "only 1 training scan" in only(report, "few-training-scans").message
        assert report.ok


class TestReport:
    @pytest.fixture
    def report(self, folder: Path) -> CheckReport:
        (folder / "train" / "sub-1_T1w.nii.gz").write_bytes(gzip.compress(b"nothing"))
        for name in ("sub-2", "sub-3", "sub-4"):
            relabel(folder, name, lambda d: np.where(d == BRAIN_STEM, 77, d))
        return check(folder, unknown="background", missing="absent")

    def test_text_is_grouped_gravest_first(self, report: CheckReport) -> None:
        lines = report.text().splitlines()
        assert lines[0].startswith("refused: sub-1 (sub-1_T1w.nii.gz): ")
        assert any("(3 scans: sub-2, sub-3, sub-4)" in line for line in lines)
        verdicts = [line.split(":")[0] for line in lines[:-1]]
        order = ["refused", "ask", "warning", "fixed"]
        assert verdicts == sorted(verdicts, key=order.index)
        assert lines[-1].startswith("Usable: 5 of 6 train, 1 of 1 validation")

    def test_tsv(self, report: CheckReport, tmp_path: Path) -> None:
        report.to_tsv(tmp_path / "out" / "check.tsv")
        with (tmp_path / "out" / "check.tsv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
        assert len(rows) == len(report.findings)
        bad = next(row for row in rows if row["verdict"] == "refused")
        assert bad["file"] == "sub-1_T1w.nii.gz"
        assert bad["region"] == "n/a"

    def test_dict_is_json_and_tells_no_paths(self, report: CheckReport, folder: Path) -> None:
        text = json.dumps(report.as_dict())
        assert str(folder) not in text
        loaded = json.loads(text)
        assert loaded["subjects"]["sub-1"] == {"split": "train", "usable": False}
        assert {f["verdict"] for f in loaded["findings"]} == {"refused", "fixed", "warning"}
