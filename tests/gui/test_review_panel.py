"""The Review panel in a window: all by keys, nothing while typing, pictures, what is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_stage import FakeStage
from phantom_study import WRONG, phantom_study
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QMainWindow, QStackedWidget, QWidget

from monet_app.origins import Origin
from monet_app.review.panel import ReviewPanel
from monet_app.session import Session
from monet_app.settings import Settings
from monet_app.threads import ThreadBackground
from monet_core.workspace import Rating

OURS = Origin("model", "mo-net", "first")
SCANS = 4
Wait = Callable[[Session], None]


@pytest.fixture
def wait(qtbot: QtBot) -> Wait:
    def settled(session: Session) -> None:
        qtbot.waitUntil(lambda: not session.background.busy, timeout=30_000)

    return settled


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path, wait: Wait) -> Iterator[Session]:
    made = Session(Settings(rater="ALR"), ThreadBackground(), FakeStage())
    made.open_study(phantom_study(tmp_path, SCANS).folder)
    wait(made)
    yield made
    made.close(let_jobs_go_on=False)


class Window(QMainWindow):
    """Another field, another panel, and a place for large pictures, as in the app."""

    def __init__(self, panel: ReviewPanel) -> None:
        super().__init__()
        self.field, self.other = QLineEdit(), QWidget()
        self.panels, self.middle = QStackedWidget(), QStackedWidget()
        self.stage = QWidget()
        self.stage.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for each in (panel, self.other):
            self.panels.addWidget(each)
        self.middle.addWidget(self.stage)
        holder = QWidget()
        layout = QHBoxLayout(holder)
        self.panels.setFixedWidth(370)
        for each in (self.panels, self.middle, self.field):
            layout.addWidget(each)
        self.setCentralWidget(holder)
        panel.session.centre_asked.connect(self.show_in_centre)

    def show_in_centre(self, widget: QWidget | None) -> None:
        if widget is not None and self.middle.indexOf(widget) < 0:
            self.middle.addWidget(widget)
        self.middle.setCurrentWidget(widget or self.stage)


@pytest.fixture
def panel(session: Session) -> ReviewPanel:
    return ReviewPanel(session)


@pytest.fixture
def window(qtbot: QtBot, panel: ReviewPanel) -> Window:
    made = Window(panel)
    qtbot.addWidget(made)
    made.resize(1200, 900)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow, timeout=5000)
    return made


@pytest.fixture
def begun(window: Window, panel: ReviewPanel, session: Session, wait: Wait) -> ReviewPanel:
    setup = panel.setup
    setup.origin.setCurrentIndex(setup.origin.findText("mo-net, Sub-cortical (15): 4 scans"))
    setup.order.setCurrentIndex(setup.order.findData("study"))
    setup.start.click()
    wait(session)
    return panel


def press(qtbot: QtBot, window: Window, keys: str, on: QWidget | None = None) -> None:
    """Press letters, as with the focus on the views."""
    target = on or window.stage
    target.setFocus()
    for key in keys:
        modifier = Qt.KeyboardModifier.ShiftModifier if key.isupper() else Qt.KeyboardModifier(0)
        qtbot.keyClick(target, key.lower(), modifier)


def grades(session: Session) -> list[str]:
    return [each.grade for each in session.study.ratings()]


def test_an_empty_study_says_what_belongs_here(qtbot, tmp_path, wait):
    made = Session(Settings(), ThreadBackground(), FakeStage())
    panel = ReviewPanel(made)
    qtbot.addWidget(panel)
    panel.show()
    made.open_study(tmp_path / "empty")
    wait(made)
    assert panel._stack.currentIndex() == 0
    assert "Nothing to review yet" in panel._nothing.said.text()
    made.close()


def test_the_setup_offers_every_origin_and_counts(panel, window):
    setup = panel.setup
    texts = [setup.origin.itemText(n) for n in range(setup.origin.count())]
    assert "Manual, Whole brain (138): 4 scans" in texts
    assert setup.rater.text() == "ALR"
    assert setup._waiting.text() == "4 segmentations to rate"
    assert setup.order.currentData() == "outliers"


def test_the_rater_is_kept_in_the_settings(panel, window, session):
    panel.setup.rater.setText(" XY ")
    panel.setup.rater.editingFinished.emit()
    assert session.settings.rater == "XY"


def test_outliers_first_after_the_volumes_were_looked_at(panel, window, session, wait):
    setup = panel.setup
    setup.origin.setCurrentIndex(setup.origin.findText("mo-net, Sub-cortical (15): 4 scans"))
    setup.start.click()
    assert panel._stack.currentIndex() == 2
    wait(session)
    assert panel._stack.currentIndex() == 3
    assert panel.rating._name.text() == f"sub-{WRONG}"
    assert not panel.rating._reason.isVisible()  # the regions below say more
    rows = [panel.rating.flags.item(n).text() for n in range(panel.rating.flags.count())]
    assert any(row.startswith("Left-Putamen") and "usual" in row for row in rows)


def test_who_does_not_want_to_wait_begins_at_once(panel, window, session, wait):
    panel.setup.start.click()
    panel.model.go_on_without_volumes()
    assert panel._stack.currentIndex() == 3
    assert panel.model.item.name == "sub-0"
    wait(session)
    assert panel.model.item.name == "sub-0"


def test_a_click_on_an_unusual_region_goes_there(qtbot, begun, session, wait):
    begun.model.go(WRONG)
    wait(session)
    flags = begun.rating.flags
    row = next(n for n in range(flags.count()) if flags.item(n).text().startswith("Left-Putamen"))
    flags.itemClicked.emit(flags.item(row))
    wait(session)
    assert session.stage.called("go_to")


def test_a_whole_review_by_keys_alone(qtbot, begun, window, session, wait):
    rating = begun.rating
    for number, key in enumerate("pfep"):
        assert rating._name.text() == f"sub-{number}"
        assert rating._left.text() == f"{number + 1} of 4"
        if key == "e":
            press(qtbot, window, "24t")
            assert rating.note.hasFocus()
            qtbot.keyClicks(rating.note, "pole pff N")
            qtbot.keyClick(rating.note, Qt.Key.Key_Return)
            assert not rating.note.hasFocus()
        press(qtbot, window, key)
        assert rating._saved.text().endswith("saved")
        wait(session)
    assert grades(session) == ["pass", "fail", "edit", "pass"]
    edit = session.study.ratings()[2]
    assert edit.note == "pole pff N"
    assert edit.tags == ("missing temporal pole", "motion")
    assert edit.rater == "ALR"
    assert rating._name.text() == "Done"
    assert "2 passed, 1 failed, 1 to edit" in rating._statistics.text()


def test_next_and_previous(qtbot, begun, window, session, wait):
    press(qtbot, window, "nn")
    wait(session)
    assert begun.model.item.name == "sub-2"
    press(qtbot, window, "N")
    wait(session)
    assert begun.model.item.name == "sub-1"
    assert grades(session) == []


def test_no_key_works_while_something_is_typed(qtbot, begun, window, session):
    for field in (begun.rating.note, window.field):
        field.setFocus()
        qtbot.keyClicks(field, "pfen12PN")
        assert field.text() == "pfen12PN"
    assert grades(session) == []
    assert begun.model.item.name == "sub-0"


def test_no_key_works_in_another_activity(qtbot, begun, window, session, wait):
    window.panels.setCurrentWidget(window.other)
    press(qtbot, window, "pfen")
    assert grades(session) == []
    assert begun.model.item.name == "sub-0"
    window.panels.setCurrentWidget(begun)
    press(qtbot, window, "p")
    wait(session)
    assert grades(session) == ["pass"]


def test_keys_win_over_those_of_another_part_of_the_window(qtbot, begun, window, session, wait):
    window.panels.setCurrentWidget(window.other)
    others = []
    for keys in ("N", "P"):
        other = QShortcut(QKeySequence(keys), window)
        other.activated.connect(lambda keys=keys: others.append(keys))
    press(qtbot, window, "n")
    assert others == ["N"]
    window.panels.setCurrentWidget(begun)
    for _ in range(3):
        press(qtbot, window, "p")
        wait(session)
    press(qtbot, window, "N")
    assert grades(session) == ["pass"] * 3
    assert others == ["N"]
    window.panels.setCurrentWidget(window.other)
    press(qtbot, window, "np")
    assert others == ["N", "N", "P"]


def test_a_key_that_is_held_down_rates_once(qtbot, begun, window, session):
    """Until the next one is shown, nothing can be rated."""
    press(qtbot, window, "pp")
    assert grades(session) == ["pass"]


def test_the_time_is_that_of_looking(qtbot, begun, session, window, wait):
    qtbot.wait(1200)
    press(qtbot, window, "p")
    (rating,) = session.study.ratings()
    assert isinstance(rating, Rating)
    assert 1.0 < rating.seconds < 10


def test_a_rating_can_be_seen_and_changed(qtbot, begun, window, session, wait):
    begun.model.set_draft(note="first")
    press(qtbot, window, "f")
    wait(session)
    press(qtbot, window, "N")
    wait(session)
    assert begun.rating.grades["fail"].isChecked()
    assert begun.rating.note.text() == "first"
    press(qtbot, window, "p")
    wait(session)
    assert grades(session) == ["fail", "pass"]


def test_to_edit_offers_to_correct_it(qtbot, begun, window, session, wait):
    asked = []
    session.activity_asked.connect(lambda *what: asked.append(what))
    segmentation = begun.model.item.segmentation
    assert not begun.rating.correct.isVisible()
    press(qtbot, window, "e")
    assert begun.rating.correct.isVisible()
    begun.rating.correct.click()
    wait(session)
    assert asked == [("atlas", segmentation)]
    assert session.current.id == segmentation.scan_id


def test_blinded_no_name_is_shown(qtbot, panel, window, session, wait):
    panel.setup.blinded.click()
    panel.setup.order.setCurrentIndex(panel.setup.order.findData("random"))
    panel.setup.start.click()
    wait(session)
    assert panel.rating._name.text() == "Scan 1"
    assert session.current.name == "Scan 1"
    press(qtbot, window, "p")
    assert panel.rating._saved.text().startswith("Scan 1 passed")
    wait(session)


def test_slices_in_place_of_the_views_rated_by_the_same_keys(qtbot, begun, window, session, wait):
    press(qtbot, window, "m")
    gallery = begun.gallery
    assert window.middle.currentWidget() is gallery
    qtbot.waitUntil(lambda: begun.model.ready, timeout=20_000)
    assert not gallery.picture.empty
    press(qtbot, window, "p", on=gallery)
    qtbot.waitUntil(lambda: begun.model.ready, timeout=20_000)
    press(qtbot, window, "f", on=gallery)
    assert grades(session) == ["pass", "fail"]
    press(qtbot, window, "m", on=gallery)
    assert window.middle.currentWidget() is window.stage
    wait(session)
    assert begun.model.ready


def test_the_grid_of_the_whole_review(qtbot, begun, window, session, wait):
    press(qtbot, window, "g")
    grid = begun.gallery.grid
    assert grid.isVisible()
    assert grid.model().rowCount() == SCANS
    qtbot.waitUntil(lambda: begun.model.ready, timeout=20_000)
    press(qtbot, window, "p", on=grid)
    assert grades(session) == ["pass"]
    assert grid.currentIndex().row() == 1
    qtbot.waitUntil(lambda: all(begun.mosaics.png(i) for i in begun.model.items), timeout=30_000)
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    wait(session)
    assert begun.model.look == "views"
    assert session.current.name == "sub-1"


def test_leaving_review_brings_the_views_back(qtbot, begun, window):
    press(qtbot, window, "m")
    window.panels.setCurrentWidget(window.other)
    assert window.middle.currentWidget() is window.stage
    window.panels.setCurrentWidget(begun)
    assert window.middle.currentWidget() is begun.gallery


def test_without_a_place_in_the_window_pictures_have_their_own(qtbot, session, wait):
    panel = ReviewPanel(session)
    qtbot.addWidget(panel)
    panel.show()
    panel.setup.order.setCurrentIndex(panel.setup.order.findData("study"))
    panel.setup.start.click()
    wait(session)
    panel.model.set_look("grid")
    assert panel.gallery.isWindow()
    assert panel.gallery.isVisible()
    panel.gallery.activateWindow()
    qtbot.waitUntil(panel.gallery.isActiveWindow, timeout=5000)
    qtbot.waitUntil(lambda: panel.model.ready, timeout=20_000)
    qtbot.keyClick(panel.gallery.grid, "f")
    assert grades(session) == ["fail"]
    panel.model.set_look("views")
    assert not panel.gallery.isVisible()
    wait(session)


def test_another_scan_on_the_stage_cannot_be_rated_by_mistake(qtbot, begun, window, session, wait):
    session.open_scan(session.study.scans()[3])
    wait(session)
    assert begun.rating._problem.text() == "Something else is on the stage."
    press(qtbot, window, "p")
    assert grades(session) == []
    begun.rating.again.click()
    wait(session)
    press(qtbot, window, "p")
    assert grades(session) == ["pass"]


def test_coming_back_to_review_shows_the_item_again(qtbot, begun, window, session, wait):
    window.panels.setCurrentWidget(window.other)
    session.open_scan(session.study.scans()[3])
    wait(session)
    window.panels.setCurrentWidget(begun)
    wait(session)
    assert session.current.name == "sub-0"
    assert begun.model.ready


def test_export_and_end(qtbot, begun, window, session, wait, tmp_path, monkeypatch):
    press(qtbot, window, "p")
    file = tmp_path / "ratings.tsv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), ""))
    begun.rating._export()
    wait(session)
    assert "sub-0" in file.read_text()
    begun.model.stop()
    assert begun._stack.currentIndex() == 1
    begun.setup.origin.setCurrentIndex(
        begun.setup.origin.findText("mo-net, Sub-cortical (15): 4 scans")
    )
    assert begun.setup._waiting.text() == "3 segmentations to rate"
