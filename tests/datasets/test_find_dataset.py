import os
from pathlib import Path

import pytest

from monet_core.datasets import Dataset, Subject, find_dataset
from monet_core.errors import DatasetError


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def names(dataset: Dataset) -> list[str]:
    return [subject.name for subject in dataset.subjects]


def labels(dataset: Dataset) -> dict[str, str | None]:
    return {s.name: s.labels.name if s.labels else None for s in dataset.subjects}


class TestFlatFolder:
    def test_pairs_scans_with_labels_of_any_format(self, tmp_path: Path) -> None:
        touch(
            tmp_path / "sub-1_T1w.nii.gz",
            tmp_path / "sub-1_dseg.nii.gz",
            tmp_path / "sub-2_T1w.mgz",
            tmp_path / "sub-2_dseg.nii",
            tmp_path / "sub-3_T1w.nii",
        )
        found = find_dataset(tmp_path)
        assert labels(found) == {
            "sub-1": "sub-1_dseg.nii.gz",
            "sub-2": "sub-2_dseg.nii",
            "sub-3": None,
        }

    def test_split_folders_give_the_split(self, tmp_path: Path) -> None:
        touch(
            tmp_path / "train" / "a_T1w.nii.gz",
            tmp_path / "val" / "b_T1w.nii.gz",
            tmp_path / "test" / "c_T1w.nii.gz",
            tmp_path / "other" / "d_T1w.nii.gz",
        )
        found = find_dataset(tmp_path)
        assert {s.name: s.split for s in found.subjects} == {
            "a": "train",
            "b": "validation",
            "c": "test",
        }
        assert [s.name for s in found.of("validation")] == ["b"]

    def test_scans_of_no_stated_split_are_for_training(self, tmp_path: Path) -> None:
        touch(tmp_path / "a_T1w.nii.gz")
        found = find_dataset(tmp_path)
        assert found.subjects[0].split is None
        assert [s.name for s in found.of("train")] == ["a"]
        assert found.of("test") == []

    def test_sessions_and_runs_of_one_person_are_distinct(self, tmp_path: Path) -> None:
        for stem in ("sub-1_ses-1", "sub-1_ses-2", "sub-1_ses-2_run-2"):
            touch(tmp_path / f"{stem}_T1w.nii.gz", tmp_path / f"{stem}_dseg.nii.gz")
        assert labels(find_dataset(tmp_path)) == {
            "sub-1_ses-1": "sub-1_ses-1_dseg.nii.gz",
            "sub-1_ses-2": "sub-1_ses-2_dseg.nii.gz",
            "sub-1_ses-2_run-2": "sub-1_ses-2_run-2_dseg.nii.gz",
        }

    def test_one_name_in_two_splits_stays_two_subjects_with_their_own_labels(
        self, tmp_path: Path
    ) -> None:
        for split in ("train", "test"):
            touch(tmp_path / split / "sub-1_T1w.nii.gz", tmp_path / split / "sub-1_dseg.nii.gz")
        found = find_dataset(tmp_path)
        assert names(found) == ["sub-1_split-test", "sub-1_split-train"]
        assert all(s.labels and s.labels.parent == s.scan.parent for s in found.subjects)

    def test_unicode_and_spaces(self, tmp_path: Path) -> None:
        # The scan's ü is composed, the label map's is not, as macOS writes it.
        touch(tmp_path / "Mül ler_T1w.nii.gz", tmp_path / "Mu\u0308l ler_dseg.nii.gz")
        assert find_dataset(tmp_path).subjects[0].labels is not None

    def test_hidden_files_of_the_system_are_no_scans(self, tmp_path: Path) -> None:
        touch(tmp_path / "._a_T1w.nii.gz", tmp_path / "a_T1w.nii.gz")
        assert names(find_dataset(tmp_path)) == ["a"]


class TestWhichLabels:
    def test_seg_entity_picks_by_protocol(self, tmp_path: Path) -> None:
        touch(
            tmp_path / "sub-1_T1w.nii.gz",
            tmp_path / "sub-1_seg-malc_dseg.nii.gz",
            tmp_path / "sub-1_seg-first_desc-auto_dseg.nii.gz",
        )
        found = find_dataset(tmp_path, "first").subjects[0]
        assert found.labels
        assert found.labels.name == "sub-1_seg-first_desc-auto_dseg.nii.gz"
        assert found.protocol == "first"
        assert labels(find_dataset(tmp_path, "MALC"))["sub-1"] == "sub-1_seg-malc_dseg.nii.gz"
        assert labels(find_dataset(tmp_path, "hammers67"))["sub-1"] is None

    def test_protocol_given_as_a_table(self, tmp_path: Path) -> None:
        touch(tmp_path / "a_T1w.nii.gz", tmp_path / "a_seg-lab_dseg.nii.gz")
        assert labels(find_dataset(tmp_path, "/tables/lab_dseg.tsv"))["a"]

    def test_marked_labels_win_over_unmarked_ones(self, tmp_path: Path) -> None:
        touch(
            tmp_path / "a_T1w.nii.gz", tmp_path / "a_dseg.nii.gz", tmp_path / "a_seg-x_dseg.nii.gz"
        )
        assert labels(find_dataset(tmp_path, "x"))["a"] == "a_seg-x_dseg.nii.gz"
        assert labels(find_dataset(tmp_path, "y"))["a"] == "a_dseg.nii.gz"

    def test_ambiguous_labels_are_listed(self, tmp_path: Path) -> None:
        touch(
            tmp_path / "a_T1w.nii.gz",
            tmp_path / "a_desc-one_dseg.nii.gz",
            tmp_path / "a_desc-two_dseg.nii.gz",
        )
        with pytest.raises(DatasetError, match=r"a_desc-one_dseg.*a_desc-two_dseg") as error:
            find_dataset(tmp_path, "malc")
        assert error.value.code == "ambiguous-labels"
        assert "a_T1w.nii.gz" in str(error.value)

    def test_labels_in_another_space_do_not_belong_to_the_scan(self, tmp_path: Path) -> None:
        touch(
            tmp_path / "a_T1w.nii.gz",
            tmp_path / "a_space-MNI152_dseg.nii.gz",
            tmp_path / "a_space-orig_dseg.nii.gz",
        )
        assert labels(find_dataset(tmp_path))["a"] == "a_space-orig_dseg.nii.gz"

    def test_labels_folder_is_searched_below_and_alone(self, tmp_path: Path) -> None:
        data, partial = tmp_path / "data", tmp_path / "out" / "partial"
        touch(
            data / "train" / "sub-1_T1w.nii.gz",
            data / "train" / "sub-1_dseg.nii.gz",
            data / "train" / "sub-2_T1w.nii.gz",
            data / "train" / "sub-2_dseg.nii.gz",
            partial / "train" / "sub-1_desc-partial_dseg.nii.gz",
        )
        found = find_dataset(data, "first", labels_folder=partial)
        assert labels(found) == {"sub-1": "sub-1_desc-partial_dseg.nii.gz", "sub-2": None}
        assert found.subjects[0].protocol == "first"

    def test_missing_labels_folder(self, tmp_path: Path) -> None:
        touch(tmp_path / "a_T1w.nii.gz")
        with pytest.raises(DatasetError, match="does not exist"):
            find_dataset(tmp_path, labels_folder=tmp_path / "nowhere")


class TestBids:
    def test_sessions_and_derivatives(self, tmp_path: Path) -> None:
        derived = tmp_path / "derivatives" / "seg"
        touch(
            tmp_path / "sub-01" / "anat" / "sub-01_T1w.nii.gz",
            tmp_path / "sub-02" / "ses-a" / "anat" / "sub-02_ses-a_T1w.nii",
            tmp_path / "sub-02" / "ses-b" / "anat" / "sub-02_ses-b_T1w.nii",
            tmp_path / "sub-01" / "func" / "sub-01_task-rest_bold.nii.gz",
            derived / "sub-01" / "anat" / "sub-01_seg-malc_dseg.nii.gz",
            derived / "sub-01" / "anat" / "sub-01_desc-preproc_T1w.nii.gz",
            derived / "sub-02" / "ses-a" / "anat" / "sub-02_ses-a_seg-malc_dseg.nii.gz",
        )
        assert labels(find_dataset(tmp_path, "malc")) == {
            "sub-01": "sub-01_seg-malc_dseg.nii.gz",
            "sub-02_ses-a": "sub-02_ses-a_seg-malc_dseg.nii.gz",
            "sub-02_ses-b": None,
        }

    def test_participants_tell_the_split(self, tmp_path: Path) -> None:
        for name in ("sub-01", "sub-02", "sub-03"):
            touch(tmp_path / name / "anat" / f"{name}_T1w.nii.gz")
        (tmp_path / "participants.tsv").write_text(
            "participant_id\tage\tsplit\nsub-01\t30\ttraining\nsub-02\t40\tval\nsub-03\t50\tn/a\n"
        )
        splits = [subject.split for subject in find_dataset(tmp_path).subjects]
        assert splits == ["train", "validation", None]

    def test_links_that_loop_do_not_hang(self, tmp_path: Path) -> None:
        anat = tmp_path / "sub-01" / "anat"
        touch(anat / "sub-01_T1w.nii.gz")
        derived = tmp_path / "derivatives" / "seg"
        touch(derived / "sub-01_dseg.nii.gz")
        (derived / "again").symlink_to(tmp_path, target_is_directory=True)
        (tmp_path / "sub-02").symlink_to(tmp_path / "sub-02")
        (anat / "sub-09_T1w.nii.gz").symlink_to(anat / "sub-09_T1w.nii.gz")
        found = find_dataset(tmp_path)
        assert labels(found) == {"sub-01": "sub-01_dseg.nii.gz"}
        assert find_dataset(tmp_path, labels_folder=derived).subjects[0].labels


class TestTable:
    def write(self, folder: Path, text: str, encoding: str = "utf-8") -> Path:
        path = folder / "scans.tsv"
        path.write_bytes(text.encode(encoding))
        return path

    def test_all_columns(self, tmp_path: Path) -> None:
        table = self.write(
            tmp_path,
            "scan\tlabels\tprotocol\tsplit\n"
            "in/sub-1_T1w.nii.gz\tin/l1.nii.gz\tmalc\ttrain\n"
            "/abs/sub-2_T1w.nii.gz\tn/a\tmalc\tValidation\n",
        )
        one, two = find_dataset(table).subjects
        scan = tmp_path / "in/sub-1_T1w.nii.gz"
        assert one == Subject("sub-1", scan, tmp_path / "in/l1.nii.gz", "malc", "train")
        assert two == Subject("sub-2", Path("/abs/sub-2_T1w.nii.gz"), None, "malc", "validation")

    def test_only_the_column_scan(self, tmp_path: Path) -> None:
        table = self.write(tmp_path, "\ufeffScan\nx/a.nii\n\nx/b.mgz\n")
        assert names(find_dataset(table)) == ["a", "b"]

    def test_rows_of_other_protocols_are_left_out(self, tmp_path: Path) -> None:
        table = self.write(
            tmp_path, "scan\tlabels\tprotocol\na.nii\tf.nii\tfirst\na.nii\tm.nii\tMALC\n"
        )
        assert labels(find_dataset(table, "malc")) == {"a": "m.nii"}
        with pytest.raises(DatasetError, match="found: MALC, first"):
            find_dataset(table, "hammers67")

    def test_equal_file_names_are_told_apart_by_folder(self, tmp_path: Path) -> None:
        table = self.write(tmp_path, "scan\n01/T1.nii.gz\n02/T1.nii.gz\n")
        assert names(find_dataset(table)) == ["01_T1", "02_T1"]

    def test_one_scan_listed_twice_keeps_distinct_names(self, tmp_path: Path) -> None:
        table = self.write(tmp_path, "scan\tname\na.nii\tp\na.nii\tp\n")
        assert names(find_dataset(table)) == ["p", "p_copy-2"]

    def test_not_utf8(self, tmp_path: Path) -> None:
        table = self.write(tmp_path, "scan\nmüller_T1w.nii\n", "latin-1")
        assert names(find_dataset(table)) == ["müller"]

    def test_labels_folder_fills_the_table(self, tmp_path: Path) -> None:
        touch(tmp_path / "labels" / "sub-1_dseg.nii.gz")
        table = self.write(tmp_path, "scan\nsub-1_T1w.nii\n")
        found = find_dataset(table, "malc", tmp_path / "labels")
        assert labels(found) == {"sub-1": "sub-1_dseg.nii.gz"}

    @pytest.mark.parametrize("text", ["", "scan\n", "image\tlabels\na\tb\n"])
    def test_without_scans(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(DatasetError, match="column scan") as error:
            find_dataset(self.write(tmp_path, text))
        assert "scans.tsv" in str(error.value)

    def test_unknown_split_names_the_line(self, tmp_path: Path) -> None:
        table = self.write(tmp_path, "scan\tsplit\na\ttrain\nb\tsometimes\n")
        with pytest.raises(DatasetError, match=r"line 3: 'sometimes'"):
            find_dataset(table)


class TestNothingFound:
    def test_empty_folder_says_what_was_looked_for(self, tmp_path: Path) -> None:
        touch(tmp_path / "scan.nii.gz")
        with pytest.raises(DatasetError, match=r"_T1w\.nii.*sub-\*.*train, validation") as error:
            find_dataset(tmp_path)
        assert str(tmp_path) in str(error.value)

    def test_path_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match="does not exist"):
            find_dataset(tmp_path / "nowhere")

    def test_a_scan_is_not_a_dataset(self, tmp_path: Path) -> None:
        touch(tmp_path / "a_T1w.nii.gz")
        with pytest.raises(DatasetError, match="neither a folder nor"):
            find_dataset(tmp_path / "a_T1w.nii.gz")

    def test_very_long_path(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match="too long"):
            find_dataset(tmp_path / ("x" * 5000))

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_forbidden_folder(self, tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o000)
        try:
            with pytest.raises(DatasetError, match="cannot be read"):
                find_dataset(closed)
        finally:
            closed.chmod(0o700)
