"""The whole path in the real window, with the real views and workers: train with live preview,
segment, inspect, compare, rate, correct, and teach the model the correction."""

from __future__ import annotations

from pathlib import Path

import pytest
from phantoms import BRAIN_STEM, MALC_OF_FIRST, save_malc_dataset
from qtpy.QtCore import QPoint, Qt

from monet_app.atlas.teaching import teach
from monet_app.review.queue import Choice
from monet_app.segment.model import SegmentModel
from monet_app.start import make_window
from monet_app.train.kinds import SCRATCH
from monet_core.jobs.process import JobState

TINY = {
    "patch": 32, "patches_per_scan": 2, "workers": 0, "learning_rate": 0.02, "validate_every": 2,
    "epochs": 4, "network.width": 4, "network.levels": 2, "preprocessing.register": False,
}  # fmt: skip
LONG = 300_000


@pytest.fixture
def window(qtbot):
    made = make_window()
    qtbot.addWidget(made)
    made.resize(1400, 900)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()


def test_from_labels_to_a_model_that_learns_from_a_correction(window, qtbot, tmp_path) -> None:
    session = window.session
    _opens(window, qtbot, tmp_path)
    _trains(window, qtbot)
    _segments(window, qtbot)
    _inspects(window, qtbot)
    _compares(window, qtbot)
    _rates(window, qtbot)
    _corrects(window, qtbot)
    _teaches(window, qtbot)
    errors = [banner.notice.text for banner in window.banners._shown
              if banner.notice.level == "error"]  # fmt: skip
    assert not errors
    assert session.study is not None
    assert len(session.study.ratings()) == 1


def _opens(window, qtbot, folder: Path) -> None:
    session = window.session
    session.open_study(folder / "study")
    qtbot.waitUntil(lambda: session.study is not None, timeout=20_000)
    session.add_scans([save_malc_dataset(folder / "malc")], show=True)
    qtbot.waitUntil(lambda: session.current is not None, timeout=60_000)
    for entry in session.study.all_segmentations():
        session.study.set_protocol(entry.id, "malc")
    session.segmentations_changed.emit()
    assert [scan.split for scan in session.study.scans()].count("validation") == 1


def _trains(window, qtbot) -> None:
    session, panel = window.session, window.panel("train")
    panel.model.devices.known = True
    panel.model.choose_kind(SCRATCH)
    for path, value in TINY.items():
        panel.model.change(path, value)
    qtbot.waitUntil(lambda: not session.background.busy, timeout=60_000)
    assert not panel.model.problems
    panel.model.start()
    shown = lambda: any("epoch" in on.name for on in session.stage.segmentations.values())  # noqa: E731
    qtbot.waitUntil(shown, timeout=LONG)  # the live preview is on the stage
    qtbot.waitUntil(lambda: not session.jobs.active, timeout=LONG)
    assert session.jobs.jobs[0].state is JobState.DONE, session.jobs.jobs[0].error


def _segments(window, qtbot) -> None:
    session = window.session
    offers = lambda: [card for card in SegmentModel(session).cards if card.name == "scratch-1"]  # noqa: E731
    qtbot.waitUntil(lambda: bool(offers()), timeout=20_000)
    panel = window.panel("segment")
    panel.model.devices.known = True
    panel.model.choose_model(offers()[0].path)
    session.select([session.current.id])
    panel.model.start()
    made = lambda: any(one.entry.source == "model" for one in session.shown.values())  # noqa: E731
    qtbot.waitUntil(made, timeout=LONG)


def _inspects(window, qtbot) -> None:
    session = window.session
    found = session.study.segmentations(session.current.id)
    session.show(next(entry for entry in found if entry.source == "manual"))
    manual = lambda: [k for k, one in session.shown.items() if one.entry.source == "manual"]  # noqa: E731
    qtbot.waitUntil(lambda: bool(manual()), timeout=60_000)
    key = manual()[0]
    index = MALC_OF_FIRST[BRAIN_STEM]
    window.regions.model.activate(key)
    qtbot.waitUntil(lambda: window.regions.model.table() is not None, timeout=60_000)
    window.regions.model.go_to(index)
    assert session.stage.probe(session.stage.cursor).regions[key] == index


def _compares(window, qtbot) -> None:
    session, panel = window.session, window.panel("compare")
    by_source = {one.source: one.id for one in session.study.segmentations(session.current.id)}
    for source in ("manual", "model"):
        panel.model.choose(by_source[source])
    panel.model.start()
    qtbot.waitUntil(lambda: panel.model.result is not None, timeout=LONG)
    assert session.stage.layout == "side-by-side"
    assert len(panel.model.result.comparison.table) >= 3


def _rates(window, qtbot) -> None:
    session, panel = window.session, window.panel("review")
    origin = next(each for each in panel.model.origins() if each.source == "model")
    panel.model.start(Choice(origin, order="random", rater="ALR"))
    qtbot.waitUntil(lambda: panel.model.item is not None, timeout=LONG)
    qtbot.waitUntil(lambda: not session.background.busy, timeout=60_000)
    assert panel.model.rate("edit") is not None
    panel.model.stop()


def _corrects(window, qtbot) -> None:
    session, panel = window.session, window.panel("atlas")
    qtbot.waitUntil(lambda: not session.background.busy, timeout=60_000)
    session.stage.set_layout("four")
    key = next(key for key, one in session.shown.items() if one.entry.source == "model")
    panel.correcting.begin(key)
    qtbot.waitUntil(lambda: panel.correcting.shown is not None, timeout=60_000)
    panel.correcting.choose_region(MALC_OF_FIRST[BRAIN_STEM])
    panel.correcting.take("paint")
    pane = session.stage.panes.planes["axial"]
    qtbot.mouseClick(pane.overlay, Qt.MouseButton.LeftButton,
                     pos=QPoint(pane.width() // 2, pane.height() // 2))  # fmt: skip
    panel.correcting.save()
    edited = lambda: [one for one in session.study.all_segmentations() if one.source == "edited"]  # noqa: E731
    qtbot.waitUntil(lambda: bool(edited()), timeout=60_000)
    assert edited()[0].parent_id is not None
    assert edited()[0].path.with_name(edited()[0].path.name.replace(".nii.gz", ".json")).exists()


def _teaches(window, qtbot) -> None:
    session = window.session
    teach(session, next(e for e in session.study.all_segmentations() if e.source == "edited"))
    qtbot.waitUntil(lambda: window.activity == "train", timeout=60_000)
    qtbot.waitUntil(lambda: not session.background.busy, timeout=60_000)
    panel = window.panel("train")
    assert [scan.split for scan in session.study.scans()].count("train") == 3
    for path, value in {"epochs": 1, "workers": 0}.items():
        panel.model.change(path, value)
    before = len(session.jobs.jobs)
    qtbot.waitUntil(lambda: not session.background.busy, timeout=60_000)
    assert not panel.model.problems
    # A model this small misses regions: the check asks, and the user answers.
    panel.model.check()
    result = lambda: panel.model.checking.result  # noqa: E731
    qtbot.waitUntil(lambda: result() is not None, timeout=LONG)
    panel.model.decide(result().questions[0], "unannotated")
    qtbot.waitUntil(lambda: result() is not None and result().ok, timeout=LONG)
    before = len(session.jobs.jobs)
    panel.model.start()
    ended = lambda: len(session.jobs.jobs) > before and not session.jobs.active  # noqa: E731
    qtbot.waitUntil(ended, timeout=LONG)
    assert session.jobs.jobs[0].state is JobState.DONE, session.jobs.jobs[0].error
