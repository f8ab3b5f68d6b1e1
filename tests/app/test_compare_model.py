"""Comparing without a window: choices, results, the stage, the whole study, exports."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from fake_stage import FakeStage
from phantom_study import WRONG, phantom_study
from phantoms import LEFT_PUTAMEN

from monet_app.compare.exporting import Exporting
from monet_app.compare.model import CompareModel
from monet_app.compare.over_study import OverStudy, Wanted
from monet_app.compare.result import note_lines, summary_lines
from monet_app.origins import origin_of
from monet_app.session import Session, key_of
from monet_app.settings import Settings
from monet_core.evaluation import read_tsv
from monet_core.protocols import load_protocol


@pytest.fixture
def session(tmp_path: Path) -> Session:
    study = phantom_study(tmp_path)
    made = Session(Settings(), stage=FakeStage())
    made.open_study(study.folder)
    return made


@pytest.fixture
def model(session: Session) -> CompareModel:
    model = CompareModel(session)
    session.open_scan(session.study.scans()[WRONG])
    return model


def names(model: CompareModel) -> list[str]:
    return [each.name for each in model.chosen_entries]


def test_one_by_hand_and_the_newest_other_are_proposed(model):
    assert names(model) == ["Manual", "U-Net"]
    assert model.common.protocol.name == "malc"


def test_two_of_one_atlas_are_proposed_where_none_is_by_hand(session):
    study, scan = session.study, session.study.scans()[WRONG]
    manual, ours, _ = study.segmentations(scan.id)
    study.remove_segmentation(manual.id)
    again = shutil.copy(ours.path, ours.path.with_name("again_dseg.nii.gz"))
    study.add_segmentation(scan.id, again, "first", "model", "MO-Net 2", model="mo-net-2")
    model = CompareModel(session)
    session.open_scan(scan)
    assert names(model) == ["MO-Net", "MO-Net 2"]
    assert model.common.protocol.name == "first"


def test_the_coarsest_common_protocol_is_proposed_and_kept(model):
    model.choose(model.entries[1].id)
    assert names(model) == ["Manual", "U-Net", "MO-Net"]
    assert model.common.protocol.name == "first"
    model.set_target("quicknat27")
    model.choose(model.chosen[1], False)
    assert model.common.protocol.name == "quicknat27"  # the same atlases: the choice stays
    model.choose(model.chosen[1], False)
    assert model.common is None
    assert not model.ready


def test_no_more_than_four(model, session):
    told = []
    session.noticed.connect(told.append)
    extra = session.current.path.parent / "manual" / "sub-1_dseg.nii.gz"
    for number in range(3):
        copy = extra.with_name(f"copy{number}_dseg.nii.gz")
        copy.write_bytes(extra.read_bytes())
        model.add_file(copy, "malc")
    assert len(model.entries) == 6
    assert len(model.chosen) == 4
    assert told[-1].text == "At most 4 segmentations are compared at once."


def test_worst_first_with_distances_and_a_map_on_the_stage(model, session):
    model.choose(model.chosen[1], False)
    model.choose(model.entries[1].id)
    assert names(model) == ["Manual", "MO-Net"]
    model.start()
    assert model.busy == ""
    assert model.result.measured
    first = model.result.table.iloc[0]
    assert first["index"] == LEFT_PUTAMEN
    assert first["hd95_mm"] > 2
    assert session.stage.maps["difference"].max() == 1
    assert session.stage.columns == [key_of(each) for each in model.chosen_entries]
    (line,) = summary_lines(model.result)
    assert line.startswith("Manual – MO-Net: Dice .")
    assert "over 5 regions, HD95" in line


def test_with_a_reference_only_pairs_with_it(model):
    model.choose(model.entries[1].id)
    model.set_reference(model.entries[0].id)
    model.start()
    assert set(model.result.pairs) == {("MO-Net", "Manual"), ("U-Net", "Manual")}


def test_a_row_flies_to_the_place_and_isolates_in_every_atlas(model, session):
    model.choose(model.chosen[1], False)
    model.choose(model.entries[1].id)
    model.start()
    model.look_at(0)
    manual, ours = (key_of(each) for each in model.chosen_entries)
    assert session.stage.isolated == {manual: (58,), ours: (LEFT_PUTAMEN,)}
    labels = session.shown[manual].labels
    at = np.linalg.inv(labels.geometry.affine) @ [*session.stage.cursor, 1]
    assert labels.data[tuple(np.round(at[:3]).astype(int))] == 58
    assert model.place.volume_ml > 0.1
    shown = session.stage.maps["difference"] > 0
    whole = model.result.comparison.disagreement > 0
    assert 0 < shown.sum() <= whole.sum()  # of this region only
    assert set(np.unique(labels.data[shown])) <= {0, 58}
    model.all_regions()
    assert ((session.stage.maps["difference"] > 0) == whole).all()
    assert session.stage.isolated == {manual: None, ours: None}


def test_leaving_puts_the_stage_back(model, session):
    model.start()
    model.look_at(0)
    model.views.leave()
    assert session.stage.layout == "four"
    assert session.stage.maps == {}
    assert set(session.stage.isolated.values()) == {None}
    model.views.enter()
    assert session.stage.layout == "side-by-side"
    assert "difference" in session.stage.maps
    assert any(session.stage.isolated.values())


def test_what_cannot_be_compared_is_told_and_the_next_try_works(model):
    path = model.chosen_entries[1].path
    kept = path.read_bytes()
    path.unlink()
    model.session.shown.clear()
    model.start()
    assert "no such file" in str(model.error).lower()
    assert model.busy == ""
    path.write_bytes(kept)
    model.start()
    assert model.error is None
    assert model.result is not None


def test_what_was_left_out_is_told(model):
    model.choose(model.entries[1].id)
    model.set_target("malc")
    model.start()
    (line, *_) = note_lines(model.result)
    assert line.startswith("MO-Net cannot have 124 regions of malc: ")


def test_the_same_kinds_are_chosen_in_the_next_scan(model, session):
    model.choose(model.chosen[1], False)
    model.choose(model.entries[1].id)
    model.start_in(session.study.scans()[0])
    assert names(model) == ["Manual", "MO-Net"]
    assert model.result.table["dice"].min() == 1


def test_a_segmentation_without_atlas_waits_for_one(model, session):
    entry = model.entries[0]
    model.set_protocol(entry.id, "")
    assert entry.id not in model.protocols
    assert entry.id not in model.chosen
    model.set_protocol(entry.id, "malc")
    model.choose(entry.id)
    assert entry.id in model.chosen


def wanted_of(model: CompareModel) -> Wanted:
    origins = {origin_of(each).name: origin_of(each) for each in model.entries[:2]}
    return Wanted(origins, load_protocol("first"))


def test_over_the_study_worst_scan_first_and_cached(model, session, monkeypatch):
    over = OverStudy(session)
    assert over.scans(wanted_of(model)) == 3
    over.start(wanted_of(model))
    assert (over.done, over.running, over.failures) == (3, False, [])
    assert over.worst_scans()["scan"].iloc[0] == "sub-1"
    assert over.figure.read_bytes().startswith(b"\x89PNG")
    monkeypatch.setattr("monet_app.compare.over_study.compare", None)  # not called again
    again = OverStudy(session)
    again.start(wanted_of(model))
    assert again.failures == []
    assert np.allclose(again.worst_scans()["dice"], over.worst_scans()["dice"], atol=1e-5)


def test_a_changed_file_is_compared_again_and_a_lost_one_told(model, session):
    over = OverStudy(session)
    over.start(wanted_of(model))
    before = over.table.set_index(["scan", "index"]).loc[("sub-0", LEFT_PUTAMEN), "dice"]
    data = session.study.folder.parent / "data" / "monet"
    (data / "sub-0_dseg.nii.gz").write_bytes((data / "sub-1_dseg.nii.gz").read_bytes())
    (data / "sub-2_dseg.nii.gz").unlink()
    over.start(wanted_of(model))
    assert over.table.set_index(["scan", "index"]).loc[("sub-0", LEFT_PUTAMEN), "dice"] < before
    (failure,) = over.failures
    assert failure.startswith("sub-2: the label file of mo-net cannot be opened")


def test_cancelled_after_a_scan_what_is_done_is_kept(model, session):
    over = OverStudy(session)
    over.changed.connect(lambda: over.cancel() if over.running and over.done == 1 else None)
    over.start(wanted_of(model))
    assert not over.running
    assert len(over.worst_scans()) == 1


def test_exports(model, session, tmp_path):
    model.choose(model.entries[1].id)
    model.start()
    over = OverStudy(session)
    over.start(wanted_of(model))
    exporting = Exporting(model, over)
    for suffix in ("tsv", "png", "pdf"):
        exporting.export(tmp_path / f"out.{suffix}")
    assert len(read_tsv(tmp_path / "out.tsv")) == 15
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "out.pdf").read_bytes().startswith(b"%PDF")
    exporting.export_study(tmp_path / "study.tsv")
    assert len(read_tsv(tmp_path / "study.tsv")) == 15
