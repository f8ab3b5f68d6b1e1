"""Reviewing without a window: order, blinding, rating, timing, flags; nothing rated is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fake_stage import FakeStage
from phantom_study import SMALL, WRONG, phantom_study
from phantoms import LEFT_PUTAMEN, save

from monet_app.origins import Origin
from monet_app.review.model import Choice, ReviewModel, left_words, rated_words
from monet_app.review.mosaics import Mosaics
from monet_app.session import Session, key_of
from monet_app.settings import Settings
from monet_core.errors import OutputError
from monet_core.evaluation import read_tsv
from monet_core.workspace import Study

OURS = Origin("model", "mo-net", "first")
SCANS = 6


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return phantom_study(tmp_path_factory.mktemp("review"), SCANS).folder


@pytest.fixture
def session(folder: Path) -> Session:
    made = Session(Settings(rater="ALR"), stage=FakeStage())
    made.open_study(folder)
    return made


@pytest.fixture
def own(tmp_path: Path) -> Session:
    """On a small study of its own, which may be changed."""
    made = Session(Settings(rater="ALR"), stage=FakeStage())
    made.open_study(phantom_study(tmp_path, 3).folder)
    return made


def started(session: Session, **how: object) -> ReviewModel:
    model = ReviewModel(session, clock=Clock())
    model.start(Choice(OURS, **{"rater": "ALR", "order": "study", **how}))
    return model


def test_what_may_be_reviewed(session):
    model = ReviewModel(session)
    assert model.origins()[OURS] == SCANS
    assert {origin.name for origin in model.origins()} == {"Manual", "mo-net", "u-net"}


def test_outliers_come_first_with_a_reason(session):
    model = started(session, order="outliers")
    assert model.items[0].name == f"sub-{WRONG}"
    assert model.items[0].reason
    assert len(model.items) == SCANS


def test_unusual_regions_with_value_and_range(session):
    model = started(session, order="outliers")
    flag = next(each for each in model.flags if each.value is not None)
    assert flag.index == LEFT_PUTAMEN
    assert flag.value < flag.low < flag.high
    assert "usual" in flag.text
    assert flag.reason in ("smaller than usual", "left and right differ more than usual")
    missing = next(each for each in model.flags if each.value is None)
    assert missing.text.startswith("missing (usual")
    model.go_to_flag(flag)
    item = model.item
    labels = session.shown[key_of(item.segmentation)].labels
    at = np.linalg.inv(labels.geometry.affine) @ [*session.stage.cursor, 1]
    assert labels.data[tuple(np.round(at[:3]).astype(int))] == LEFT_PUTAMEN


def test_only_the_segmentation_that_is_rated_is_shown(session):
    model = started(session)
    assert list(session.shown) == [key_of(model.item.segmentation)]
    assert session.current.name == "sub-0"


def test_blinded_hides_names_everywhere_the_session_tells_them(session):
    model = started(session, order="random", blinded=True, seed=3)
    names = {item.name for item in model.items}
    assert names == {f"Scan {n}" for n in range(1, SCANS + 1)}
    assert session.current.name == "Scan 1"
    (shown,) = session.shown.values()
    assert (shown.entry.name, shown.entry.model) == ("Segmentation", "")
    assert session.stage.called("show_scan")[-1] == ("Scan 1",)
    assert [item.scan.id for item in model.items] != sorted(item.scan.id for item in model.items)


def test_rating_keeps_it_at_once_with_time_note_and_tags_and_goes_on(own):
    model = started(own)
    model._clock.now += 14.25
    model.set_draft(note=" wobbly ", tags=["motion", "leak into dura"])
    first = model.item
    rating = model.rate("edit")
    kept = Study.open(own.study.folder).ratings()[-1]
    assert kept == rating
    assert (kept.scan_id, kept.segmentation_id) == (first.scan.id, first.segmentation.id)
    assert (kept.grade, kept.note, kept.rater, kept.seconds) == ("edit", "wobbly", "ALR", 14.25)
    assert kept.tags == ("leak into dura", "motion")
    assert model.item.name == "sub-1"
    assert rated_words(model.kept) == "sub-0 to edit, 14 s; saved"
    assert left_words(model) == "2 of 3"


def test_through_to_the_end_back_and_changed(own):
    model = started(own)
    model.next()
    model.rate("pass")
    model.rate("pass")
    assert model.item.name == "sub-0"  # the one that was passed over
    model.rate("fail")
    assert model.finished
    assert model.item is None
    assert left_words(model) == "All are rated."
    assert model.statistics.startswith("3 rated: 2 passed, 1 failed")
    model.previous()
    assert model.item.name == "sub-2"
    model.rate("edit")
    assert model.finished
    grades = [each.grade for each in own.study.ratings()]
    assert grades == ["pass", "pass", "fail", "edit"]
    assert "1 passed, 1 failed, 1 to edit" in model.statistics


def test_what_was_rated_is_left_out_for_this_rater_only(own):
    started(own).rate("pass")
    assert len(started(own).items) == 2
    assert len(started(own, rater="XY").items) == 3
    again = started(own, unrated_only=False)
    assert len(again.items) == 3
    assert again.item.name == "sub-1"  # begins where it was left


def test_nothing_is_rated_before_it_is_shown(own):
    model = started(own)
    own.open_scan(own.study.scans()[2])
    assert model.problem == "Something else is on the stage."
    assert model.rate("pass") is None
    assert own.study.ratings() == []
    model.back_to_item()
    assert model.rate("pass") is not None


def test_the_same_scan_opened_elsewhere_is_not_what_is_rated(own):
    """It shows other segmentations too, and in a blinded review its name."""
    model = started(own, blinded=True)
    own.open_scan(next(s for s in own.study.scans() if s.id == model.item.scan.id))
    assert model.rate("pass") is None
    model.back_to_item()
    assert model.ready
    assert own.current.name == "Scan 1"
    other = own.study.segmentations(model.item.scan.id)[0]
    own.show(other)
    model.back_to_item()
    assert list(own.shown) == [key_of(model.item.segmentation)]


def test_a_scan_that_is_gone_can_be_failed_and_the_review_goes_on(own):
    own.study.scans()[0].path.unlink()
    model = started(own)
    assert model.ready
    assert "no such file" in model.problem
    model.rate("fail")
    assert model.item.name == "sub-1"
    assert model.problem == ""


def test_a_segmentation_that_cannot_be_read_is_told(own):
    entry = next(e for e in own.study.segmentations(1) if e.model == "mo-net")
    entry.path.write_bytes(b"no image")
    model = started(own)
    assert model.problem == "The segmentation cannot be read."
    assert model.ready


def test_a_rating_that_cannot_be_kept_is_not_said_to_be(own, monkeypatch):
    told = []
    own.noticed.connect(told.append)

    def full(*_: object, **__: object) -> None:
        raise OutputError("disk-full", "the disk is full")

    model = started(own)
    monkeypatch.setattr(type(own.study), "rate", full)
    assert model.rate("pass") is None
    assert model.kept is None
    assert model.item.name == "sub-0"
    assert "disk is full" in told[-1].text


def test_notes_wait_until_they_are_rated(own):
    model = started(own)
    model.set_draft(note="look again")
    model.next()
    assert model.draft.note == ""
    model.previous()
    assert model.draft.note == "look again"


def test_the_same_contrast_from_scan_to_scan(own):
    model = started(own)
    own.stage.set_levels(*own.stage.levels_presets["Brain"])
    model.next()
    assert own.stage.levels == own.stage.levels_presets["Brain"]
    most = own.stage.levels_presets["Full range"][1]
    own.stage.set_levels(0.1 * most, 0.5 * most)
    model.next()
    most = own.stage.levels_presets["Full range"][1]
    assert own.stage.levels == pytest.approx((0.1 * most, 0.5 * most))


def test_uncertainty_is_shown_from_scan_to_scan_where_there_is_a_map(own):
    for entry in own.study.all_segmentations():
        if entry.model == "mo-net":
            data = np.random.default_rng(0).random(SMALL).astype(np.float32)
            path = entry.path.with_name(entry.path.name.replace("_dseg", "_desc-entropy_probseg"))
            save(path, data, np.diag([1.0, 1, 1, 1]))
    model = started(own)
    assert model.views.has_uncertainty
    model.views.set_uncertainty(True)
    assert "uncertainty" in own.stage.maps
    model.next()
    assert "uncertainty" in own.stage.maps
    model.views.set_uncertainty(False)
    assert own.stage.maps == {}


def test_pictures_are_made_once_and_can_be_rated_without_the_views(own):
    model = started(own)
    model.set_look("mosaic")
    assert model.rate("pass") is None  # no picture was shown yet
    mosaics = Mosaics(own)
    mosaics.wish(model.items)
    png = mosaics.png(model.item)
    assert png.startswith(b"\x89PNG")
    model.picture_shown(model.item.segmentation.id)
    opened = own.current.id
    assert model.rate("pass") is not None
    assert own.current.id == opened  # the stage stays as it is
    files = sorted((own.study.folder / ".monet" / "mosaics").iterdir())
    assert len(files) == 6
    again = Mosaics(own)
    again.wish(model.items)
    assert sorted((own.study.folder / ".monet" / "mosaics").iterdir()) == files


def test_a_picture_that_cannot_be_made_says_why(own):
    model = started(own)
    model.items[1].segmentation.path.unlink()
    mosaics = Mosaics(own)
    mosaics.wish(model.items)
    assert "cannot be opened" in mosaics.problem(model.items[1])
    assert mosaics.png(model.items[2]) is not None


def test_to_edit_offers_the_workshop(own):
    asked = []
    own.activity_asked.connect(lambda *what: asked.append(what))
    model = started(own)
    segmentation = model.item.segmentation
    model.rate("edit")
    model.correct()
    assert asked == [("atlas", segmentation)]


def test_export(own, tmp_path):
    model = started(own)
    model.rate("pass")
    model.export(tmp_path / "ratings.tsv")
    table = read_tsv(tmp_path / "ratings.tsv")
    assert table["scan"].tolist() == ["sub-0"]
    assert table["grade"].tolist() == ["pass"]


KILLED = """
import os, signal, sys
from pathlib import Path
from monet_app.origins import Origin
from monet_app.review.model import Choice, ReviewModel
from monet_app.session import Session
from monet_app.settings import Settings

session = Session(Settings(rater="ALR"))
session.open_study(Path(sys.argv[1]))
model = ReviewModel(session)
model.start(Choice(Origin("model", "mo-net", "first"), "study", rater="ALR"))
for grade in ("pass", "fail"):
    model.rate(grade)
model.set_draft(note="last")
model.rate("edit")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_nothing_rated_is_lost_when_the_program_is_killed_right_after(tmp_path):
    study = phantom_study(tmp_path, 4)
    study.close()
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data-home")}
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(study.folder)], env=environment, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    kept = Study.open(study.folder).ratings()
    assert [each.grade for each in kept] == ["pass", "fail", "edit"]
    assert kept[-1].note == "last"
    session = Session(Settings(rater="ALR"))
    session.open_study(study.folder)
    assert [item.name for item in started(session).items] == ["sub-3"]
