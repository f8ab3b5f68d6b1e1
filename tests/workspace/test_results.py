"""Segmentations: registering, results of `monet segment`, figures and tables made from them."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_phantoms import entropy_file, labels_file, result_of, scan_file, study_of

from monet_core.datasets import find_dataset
from monet_core.errors import DatasetError
from monet_core.evaluation import region_volumes
from monet_core.jobs.events import Cancel, CancelledError, Message
from monet_core.protocols import load_protocol
from monet_core.scans import LabelMap, read_labels
from monet_core.scans.geometry import Geometry
from monet_core.workspace import Study
from monet_core.workspace.counting import label_counts, volume_tables


class TestSegmentations:
    def test_added_with_a_name_and_again(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        path = labels_file(tmp_path / "l.nii.gz")
        one = study.add_segmentation(1, path, "first", "edited", "Mine", parent_id=7)
        again = study.add_segmentation(1, path, "first", "edited")
        assert (again.id, again.name, again.parent_id) == (one.id, "Mine", 7)
        assert study.segmentations(1) == [again]

    def test_names_are_told_apart(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        paths = [labels_file(tmp_path / f"{n}.nii.gz") for n in range(3)]
        names = [study.add_segmentation(1, p, "malc", "model", model="m").name for p in paths]
        assert names == ["malc, m", "malc, m 2", "malc, m 3"]

    def test_the_name_follows_the_protocol(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        path = labels_file(tmp_path / "l.nii.gz")
        added = study.add_segmentation(1, path, "", "manual")
        assert added.name == "atlas not known, manual"
        assert study.set_protocol(added.id, "first").name == "first, manual"

    def test_a_lab_table_inside_the_study_moves_with_it(self, tmp_path):
        study = study_of(tmp_path / "a", ["sub-1"])
        study.atlases.mkdir()
        table = study.atlases / "lab.tsv"
        table.write_text("index\tname\n10\tThalamus\n")
        path = labels_file(tmp_path / "a" / "l.nii.gz")
        study.add_segmentation(1, path, str(table), "manual")
        study.close()
        (tmp_path / "a").rename(tmp_path / "b")
        (moved,) = Study.open(tmp_path / "b").all_segmentations()
        assert moved.protocol == str(tmp_path / "b" / "atlases" / "lab.tsv")

    def test_removed(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"], labels=True)
        (entry,) = study.all_segmentations()
        study.remove_segmentation(entry.id)
        assert study.all_segmentations() == []
        assert entry.path.is_file()
        with pytest.raises(DatasetError):
            study.segmentation(entry.id)
        study.add([tmp_path / "scans"])  # what was taken out stays out
        assert study.all_segmentations() == []
        study.add([entry.path])  # unless it is asked for
        assert len(study.all_segmentations()) == 1


class TestResults:
    def test_are_attached_once(self, tmp_path):
        study = study_of(tmp_path, ["sub-1", "sub-2"])
        for entry in study.scans():
            result_of(entry.path, study.derivatives)
        found = study.register_results(study.derivatives)
        assert [(e.scan_id, e.protocol, e.source, e.model) for e in found] == [
            (1, "first", "model", "tiny"),
            (2, "first", "model", "tiny"),
        ]
        assert found[0].created == "2026-01-02T03:04:05+00:00"
        assert study.register_results(study.derivatives) == found
        assert study.all_segmentations() == found

    def test_of_another_scan_of_that_name_are_not_attached(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        other = scan_file(tmp_path / "other" / "sub-1_T1w.nii.gz", seed=5)
        result_of(other, tmp_path / "out")
        assert study.register_results(tmp_path / "out") == []
        study.add([other])
        (found,) = study.register_results(tmp_path / "out")
        assert study.scan(found.scan_id).path == other

    def test_of_a_scan_that_is_gone_go_by_name(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        (entry,) = study.scans()
        result_of(entry.path, tmp_path / "out")
        entry.path.unlink()
        assert len(study.register_results(tmp_path / "out")) == 1

    def test_made_again_come_back_after_removal(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        (entry,) = study.scans()
        result_of(entry.path, tmp_path / "out")
        (found,) = study.register_results(tmp_path / "out")
        study.remove_segmentation(found.id)
        assert study.register_results(tmp_path / "out") == []
        result_of(entry.path, tmp_path / "out", created="2027-01-01T00:00:00+00:00")
        (again,) = study.register_results(tmp_path / "out")
        assert (again.id, again.created[:4]) == (found.id, "2027")

    def test_damaged_and_foreign_records_are_left_out(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        out = tmp_path / "out"
        labels_file(out / "sub-1_seg-a_dseg.nii.gz")
        (out / "sub-1_seg-a_dseg.json").write_text("{half")
        labels_file(out / "sub-1_seg-b_dseg.nii.gz")
        (out / "sub-1_seg-b_dseg.json").write_text('{"GeneratedBy": [{"Name": "other"}]}')
        labels_file(out / "sub-1_seg-c_dseg.nii.gz")
        (out / "sub-1_seg-c_dseg.json").write_text('{"GeneratedBy": "odd", "Sources": 3}')
        assert study.register_results(out) == []

    def test_found_with_their_scans(self, tmp_path):
        scan = scan_file(tmp_path / "data" / "sub-1_T1w.nii.gz")
        result_of(scan, tmp_path / "data" / "derivatives" / "monet-studio")
        study = Study.open(tmp_path / "study")
        study.add([tmp_path / "data"])
        assert [(s.source, s.model) for s in study.all_segmentations()] == [("model", "tiny")]

    def test_of_an_atlas_that_is_no_shipped_one_name_their_table(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        labels = result_of(study.scans()[0].path, tmp_path / "out")
        record = labels.with_name("sub-1_seg-first_dseg.json")
        shipped = load_protocol("first").fingerprint
        record.write_text(record.read_text().replace(shipped, "0" * 64))
        (found,) = study.register_results(tmp_path / "out")
        assert found.protocol == str(tmp_path / "out" / "sub-1_seg-first_dseg.tsv")


class TestVolumes:
    def test_are_those_of_region_volumes(self, tmp_path):
        study = study_of(tmp_path, ["sub-1", "sub-2"], labels=True)
        table = study.volumes()
        assert list(table["scan"].unique()) == ["sub-1", "sub-2"]
        for entry in study.all_segmentations():
            labels = read_labels(entry.path)
            wanted = region_volumes(labels.data, labels.geometry, load_protocol("first"))
            own = table[table["segmentation_id"] == entry.id].reset_index(drop=True)
            pd.testing.assert_frame_equal(own[list(wanted.columns)], wanted, check_dtype=False)
        assert list(study.volumes(2)["scan_id"].unique()) == [2]

    def test_of_results_are_not_computed(self, tmp_path, monkeypatch):
        study = study_of(tmp_path, ["sub-1"])
        result_of(study.scans()[0].path, study.derivatives)
        study.register_results(study.derivatives)
        monkeypatch.setattr("monet_core.workspace.measuring.read_labels", _never)
        labels = read_labels(study.all_segmentations()[0].path)
        wanted = region_volumes(labels.data, labels.geometry, load_protocol("first"))
        found = study.volumes()["volume_ml"]
        np.testing.assert_allclose(found, wanted["volume_ml"], rtol=1e-5)

    def test_are_computed_again_when_the_labels_change(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        labels = result_of(study.scans()[0].path, study.derivatives)
        study.register_results(study.derivatives)
        before = study.volumes()["volume_ml"]
        labels_file(labels, seed=3)
        later = time.time() + 60
        import os

        os.utime(labels, (later, later))
        after = study.volumes()["volume_ml"]
        assert not np.allclose(before, after, equal_nan=True)

    def test_stay_when_the_drive_is_away(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"], labels=True)
        before = study.volumes()
        study.all_segmentations()[0].path.unlink()
        pd.testing.assert_frame_equal(Study.open(tmp_path).volumes(), before)

    def test_what_cannot_be_read_is_told(self, tmp_path):
        study, told = study_of(tmp_path, ["sub-1", "sub-2"], labels=True), []
        study.all_segmentations()[0].path.write_bytes(b"nonsense")
        table = study.volumes(report=told.append)
        assert list(table["scan"].unique()) == ["sub-2"]
        (message,) = [e for e in told if isinstance(e, Message)]
        assert message.text.startswith("sub-1: ")

    def test_of_nothing_have_their_columns(self, tmp_path):
        table = study_of(tmp_path, ["sub-1"]).volumes()
        assert len(table) == 0
        assert {"scan", "index", "volume_ml", "share_percent"} <= set(table.columns)

    def test_previews_and_unknown_protocols_are_left_out(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        for name, protocol, source in (("a", "first", "preview"), ("b", "", "manual")):
            path = labels_file(tmp_path / f"{name}.nii.gz")
            study.add_segmentation(1, path, protocol, source)
        assert len(study.volumes()) == 0

    def test_cancel(self, tmp_path):
        study, cancel = study_of(tmp_path, ["sub-1"], labels=True), Cancel()
        cancel.set()
        with pytest.raises(CancelledError):
            study.volumes(cancel=cancel)


def _never(*_: object) -> None:
    raise AssertionError("was opened")


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    spacing=st.floats(0.3, 4),
    extra=st.sampled_from([0, 900, 5_000_000]),
)
def test_many_label_maps_at_once_have_the_volumes_of_each_alone(seed, spacing, extra):
    protocol, rng = load_protocol("first"), np.random.default_rng(seed)
    pool = np.array([0, 0, *protocol.indices], np.int32)
    geometry = Geometry((5, 4, 3), np.diag([spacing, 1, 1, 1]))
    maps = [rng.choice(pool, (5, 4, 3)) for _ in range(3)]
    maps[0][0, 0, 0] = extra
    counted = [
        ({"scan": str(n)}, protocol, label_counts(LabelMap(m, geometry, None)))
        for n, m in enumerate(maps)
    ]
    table = volume_tables(counted, ["scan"])
    for number, data in enumerate(maps):
        wanted = region_volumes(data, geometry, protocol)
        own = table[table["scan"] == str(number)].reset_index(drop=True).drop(columns="scan")
        pd.testing.assert_frame_equal(own, wanted, check_dtype=False)


class TestEntropies:
    def test_per_region_and_remembered(self, tmp_path, monkeypatch):
        study = study_of(tmp_path, ["sub-1", "sub-2"])
        labels = result_of(study.scans()[0].path, study.derivatives)
        result_of(study.scans()[1].path, study.derivatives)
        entropy_file(labels, {10: 0.5, 49: 0.25})
        study.register_results(study.derivatives)
        table = study.entropies()
        assert set(table["scan"]) == {"sub-1"}
        by_index = table.set_index("index")["entropy"]
        assert by_index[10] == pytest.approx(0.5)
        assert by_index[16] == 0
        assert 0 < by_index[0] < 0.5
        monkeypatch.setattr("monet_core.workspace.measuring.read_labels", _never)
        pd.testing.assert_frame_equal(study.entropies(), table)


class TestTables:
    def test_train_on_what_people_made(self, tmp_path):
        study = study_of(tmp_path, ["sub-1", "sub-2", "sub-3", "sub-4"], labels=True)
        one, two, three, _ = study.scans()
        study.set_split(two.id, "validation")
        made = labels_file(tmp_path / "edited.nii.gz")
        edited = study.add_segmentation(one.id, made, "first", "edited")
        failed = study.segmentations(three.id)[0]
        study.rate(three.id, "fail", segmentation_id=failed.id)
        dataset = find_dataset(study.to_table(tmp_path / "data.tsv", "first"), "first")
        assert [(s.name, s.labels.name, s.split) for s in dataset.subjects] == [
            ("sub-1", edited.path.name, None),
            ("sub-2", "sub-2_seg-first_dseg.nii.gz", "validation"),
            ("sub-4", "sub-4_seg-first_dseg.nii.gz", None),
        ]

    def test_a_models_only_once_it_was_passed(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        result_of(study.scans()[0].path, study.derivatives)
        (made,) = study.register_results(study.derivatives)
        with pytest.raises(DatasetError, match="pass a model's in Review"):
            study.to_table(tmp_path / "data.tsv", "first")
        study.rate(1, "pass", segmentation_id=made.id)
        study.to_table(tmp_path / "data.tsv", "first")
        study.rate(1, "fail", segmentation_id=made.id)
        with pytest.raises(DatasetError):
            study.to_table(tmp_path / "data.tsv", "first")

    def test_a_table_of_the_same_regions_is_the_same_protocol(self, tmp_path):
        study = study_of(tmp_path, ["sub-1"])
        table = tmp_path / "other.tsv"
        load_protocol("first").to_tsv(table)
        path = labels_file(tmp_path / "l.nii.gz")
        study.add_segmentation(1, path, str(table), "manual")
        written = study.to_table(tmp_path / "data.tsv", "first")
        assert len(find_dataset(written).subjects) == 1
        assert Path(find_dataset(written).subjects[0].labels) == path
