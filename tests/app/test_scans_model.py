"""What the Scans panel does to a real study, without Qt and at once."""

from pathlib import Path

import pytest
from fake_stage import FakeStage
from phantoms import brain_phantom, save
from study_phantoms import labels_file, scan_file

from monet_app.background import Immediate
from monet_app.scans.atlas_guess import guesses, set_atlas, suggested, values_of
from monet_app.scans.model import ScansModel
from monet_app.scans.rows import Column, State, read_rows
from monet_app.session import Session
from monet_core.protocols import load_protocol, shipped_protocols
from monet_core.scans import Decisions


class Held(Immediate):
    """Keeps calls back until `go()`: the order in which they were asked for is seen."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def run(self, function, *args, done=None, failed=None, key="", **kwargs):
        self.calls.append((function, args, done, failed, key))

    def go(self) -> None:
        while self.calls:
            function, args, done, failed, key = self.calls.pop(0)
            super().run(function, *args, done=done, failed=failed, key=key)


@pytest.fixture
def session(tmp_path):
    for seed, name in enumerate(("sub-1", "sub-2", "sub-10")):
        scan_file(tmp_path / "data" / f"{name}_T1w.nii.gz", seed)
    labels_file(tmp_path / "data" / "sub-1_dseg.nii.gz", 0)
    labels_file(tmp_path / "data" / "sub-2_dseg.nii.gz", 1)
    made = Session(stage=FakeStage())
    made.open_study(tmp_path / "study")
    yield made
    made.close(let_jobs_go_on=False)


@pytest.fixture
def model(session, tmp_path):
    made = ScansModel(session)
    made.add([tmp_path / "data"])
    return made


def named(model: ScansModel, name: str) -> int:
    return next(row.entry.id for row in model.rows.values() if row.entry.name == name)


def test_added_scans_are_listed_read_and_the_first_is_shown(session, model):
    assert [row.entry.name for row in model.shown] == ["sub-1", "sub-2", "sub-10"]
    assert all(row.entry.inspected for row in model.shown), "in the background"
    assert [row.badges for row in model.shown] == [("?",), ("?",), ()]
    assert session.current is not None
    assert session.current.name == "sub-1"
    assert model.to_inspect == 0
    assert not model.adding


def test_what_is_on_the_screen_is_read_first(session, tmp_path):
    session.study.add([tmp_path / "data"])
    session.background = Held()
    model = ScansModel(session)
    session.background.calls.pop(0)
    model._take(read_rows(session.study))
    assert model.to_inspect == 3
    last = named(model, "sub-10")
    model.look_at([last])
    inspected = [call[1][0] for call in session.background.calls
                 if call[0] == session.study.inspect]  # fmt: skip
    assert inspected == [named(model, "sub-1")], "one at a time, the first had begun"
    function, args, done, *_ = session.background.calls.pop(0)
    done(function(*args))
    inspected = [call[1][0] for call in session.background.calls
                 if call[0] == session.study.inspect]  # fmt: skip
    assert inspected == [last]
    session.background.go()
    assert model.to_inspect == 0


def test_next_and_previous_follow_the_order_shown(session, model):
    model.sort(Column.NAME, descending=True)
    assert session.current.name == "sub-1"
    assert model.step(1) is None, "it is the last"
    model.step(-1)
    assert session.current.name == "sub-2"
    model.find("sub-1")
    assert [row.entry.name for row in model.shown] == ["sub-10", "sub-1"]
    model.step(1)
    assert session.current.name == "sub-10", "the current one is not listed: from the top"


def test_a_scan_deleted_meanwhile_says_so_and_comes_back(session, model, tmp_path):
    path = tmp_path / "data" / "sub-2_T1w.nii.gz"
    kept = path.read_bytes()
    path.unlink()
    scan_id = named(model, "sub-2")
    changed = []
    model.row_changed.connect(changed.append)
    model.look_at([scan_id])
    assert model.rows[scan_id].gone
    assert model.rows[scan_id].state is State.PROBLEM
    assert changed == [model.place_of(scan_id)]
    told = []
    session.noticed.connect(told.append)
    model.open(scan_id)
    assert told[0].level == "error"
    assert session.current.name == "sub-1", "what was open stays"
    path.write_bytes(kept)
    model.read_again([scan_id])
    assert model.rows[scan_id].state is not State.PROBLEM
    assert model.rows[scan_id].entry.spacing == (2.0, 2.0, 2.0)


def test_splits_are_set_for_many_and_kept(session, model):
    chosen = [named(model, "sub-1"), named(model, "sub-10")]
    model.set_split(chosen, "validation")
    assert [row.entry.split for row in model.shown] == ["validation", None, "validation"]
    model.set_split(chosen[:1], None)
    assert session.study.scan(chosen[0]).split is None


def test_removing_deletes_no_file(session, model, tmp_path):
    scan_id = named(model, "sub-1")
    session.select([scan_id, named(model, "sub-2")])
    model.remove([scan_id])
    assert [row.entry.name for row in model.shown] == ["sub-2", "sub-10"]
    assert (tmp_path / "data" / "sub-1_T1w.nii.gz").exists()
    assert session.current is None, "it was on the stage"
    assert session.stage.scan is None
    assert session.selected == (named(model, "sub-2"),)


def test_changes_of_another_window_are_seen(session, model):
    study = session.study
    study.rate(named(model, "sub-2"), "fail")
    assert model.rows[named(model, "sub-2")].grade == ""
    model.look_around()
    assert model.rows[named(model, "sub-2")].grade == "fail"


def test_what_cannot_be_added_is_told(session, model, tmp_path):
    told = []
    session.noticed.connect(told.append)
    model.add([tmp_path / "nowhere.nii.gz"])
    assert told[-1].level == "error"
    assert not model.adding
    scan_file(tmp_path / "more" / "sub-7_T1w.nii.gz")
    model.add([tmp_path / "more" / "sub-7_T1w.nii.gz", tmp_path / "nowhere.nii.gz"])
    assert any("nowhere" in notice.text for notice in told[1:]), "the part that failed"
    assert "sub-7" in [row.entry.name for row in model.shown]


def test_an_index_that_cannot_be_written_stops_reading_and_is_told_once(
    session, tmp_path, monkeypatch
):
    from monet_core.errors import OutputError

    session.study.add([tmp_path / "data"])
    told = []
    session.noticed.connect(told.append)

    def fail(_: int) -> None:
        raise OutputError("no", "the disk is full", remedy="Free some space.")

    monkeypatch.setattr(session.study, "inspect", fail)
    model = ScansModel(session)
    assert len(told) == 1
    assert model.to_inspect == 0


def test_another_study_has_other_rows(session, model, tmp_path):
    session.open_study(tmp_path / "other")
    assert model.rows == {}
    assert not model.loading


class TestAtlases:
    def test_values_point_to_the_atlas(self, tmp_path):
        path = labels_file(tmp_path / "x_dseg.nii.gz")
        values = values_of(path, Decisions())
        assert values == {10, 12, 16, 49, 51}
        found = guesses(values, shipped_protocols())
        assert found[0].protocol == "first"
        assert found[0].fits
        assert suggested(found) is None, "a third of its regions is no proof"
        whole = set(load_protocol("first").indices)
        best = suggested(guesses(whole, shipped_protocols()))
        assert best is not None
        assert best.protocol == "first"
        malc = suggested(guesses(set(load_protocol("malc").indices), shipped_protocols()))
        assert malc is not None
        assert malc.protocol == "malc"

    def test_strange_values_are_named(self):
        (guess,) = guesses({10, 9999}, ["first"])
        assert not guess.fits
        assert guess.strange == (9999,)
        assert "9999" in guess.words

    def test_an_answer_may_be_for_all_that_fit(self, session, model, tmp_path):
        study = session.study
        image, _, affine = brain_phantom((40, 44, 40), spacing=2.0)
        odd = (image[...] > 0).astype("int16") * 2035
        save(tmp_path / "odd" / "sub-10_dseg.nii.gz", odd, affine)
        study.add_segmentation(
            named(model, "sub-10"), tmp_path / "odd" / "sub-10_dseg.nii.gz", "", "import"
        )
        (first,) = study.segmentations(named(model, "sub-1"))
        assert set_atlas(study, first, "first", others=True) == (2, 1)
        protocols = {each.scan_id: each.protocol for each in study.all_segmentations()}
        assert protocols == {
            named(model, "sub-1"): "first",
            named(model, "sub-2"): "first",
            named(model, "sub-10"): "",
        }

    def test_unreadable_tables_are_left_out(self, tmp_path):
        (tmp_path / "bad.tsv").write_text("nothing\n")
        assert guesses({1}, [str(tmp_path / "bad.tsv"), str(tmp_path / "gone.tsv")]) == []


def test_the_labels_beside_a_scan_are_where_they_were(model, tmp_path):
    assert Path(model.shown[0].labels[0].path) == tmp_path / "data" / "sub-1_dseg.nii.gz"
