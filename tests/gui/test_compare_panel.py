"""The Compare panel in a window: choosing, the table, flying, exports, the whole study."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fake_stage import FakeStage
from phantom_study import WRONG, phantom_study
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QDialog, QFileDialog

from monet_app.compare.choosing import AtlasDialog
from monet_app.compare.panel import ComparePanel
from monet_app.compare.table import DICE, PAIR, REGION
from monet_app.session import Session
from monet_app.settings import Settings
from monet_app.threads import ThreadBackground

Wait = Callable[[], None]


@pytest.fixture
def wait(qtbot: QtBot) -> Wait:
    """Until the background of the test's session has answered everything."""

    def settled(session: Session) -> None:
        qtbot.waitUntil(lambda: not session.background.busy, timeout=30_000)

    return settled


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path, wait: Wait) -> Iterator[Session]:
    made = Session(Settings(), ThreadBackground(), FakeStage())
    made.open_study(phantom_study(tmp_path).folder)
    wait(made)
    yield made
    made.close(let_jobs_go_on=False)


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> ComparePanel:
    made = ComparePanel(session)
    qtbot.addWidget(made)
    made.resize(370, 860)
    made.show()
    return made


@pytest.fixture
def opened(panel: ComparePanel, session: Session, wait: Wait) -> ComparePanel:
    session.open_scan(session.study.scans()[WRONG])
    wait(session)
    _, ours, other = panel.model.entries
    panel.choosing.lines[other.id].click()
    panel.choosing.lines[ours.id].click()
    return panel


@pytest.fixture
def compared(opened: ComparePanel, session: Session, wait: Wait) -> ComparePanel:
    opened.start.click()
    wait(session)
    return opened


def texts(panel: ComparePanel, column: int) -> list[str]:
    rows = panel.results.filtered
    return [rows.index(n, column).data() for n in range(rows.rowCount())]


def test_without_a_scan_the_panel_says_what_belongs_here(panel):
    assert panel._stack.currentIndex() == 0
    asked = []
    panel.session.activity_asked.connect(lambda *what: asked.append(what))
    assert "Open a scan" in panel._no_scan.said.text()


def test_fewer_than_two_offers_the_ways_out(panel, session, wait):
    scan = session.study.scans()[0]
    for entry in session.study.segmentations(scan.id)[1:]:
        session.study.remove_segmentation(entry.id)
    session.open_scan(scan)
    wait(session)
    assert panel._stack.currentIndex() == 1
    assert panel._few.text().endswith("this one has 1 segmentation: Manual.")


def test_the_coarsest_protocol_is_proposed_and_one_button_is_ready(opened):
    assert opened.choosing.target.currentText() == "Sub-cortical (15)"
    assert opened.choosing.reference.count() == 3
    assert opened.start.isEnabled()
    assert not opened.results.isVisible()


def test_the_table_is_sorted_worst_first_and_has_distances(compared):
    dice = texts(compared, DICE)
    assert dice == sorted(dice)
    assert texts(compared, REGION)[0] == "Left-Putamen"
    assert "…" not in texts(compared, DICE + 1)
    assert compared.results.table.isColumnHidden(PAIR)
    assert compared.results._summary.text().startswith("Manual – MO-Net: Dice .")


def test_sorting_and_finding(compared):
    compared.results.table.sortByColumn(REGION, Qt.SortOrder.AscendingOrder)
    names = texts(compared, REGION)
    assert names == sorted(names, key=str.casefold)
    compared.results.words.setText("thal left")
    assert texts(compared, REGION) == ["Left-Thalamus-Proper"]


def test_a_click_flies_to_the_place_and_isolates(qtbot, compared, session, wait):
    table = compared.results.table
    at = table.visualRect(compared.results.filtered.index(0, REGION)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=at)
    wait(session)
    assert sorted(filter(None, session.stage.isolated.values())) == [(12,), (58,)]
    assert session.stage.called("go_to")
    assert "the largest piece" in compared.results._place.text()
    assert len(session.stage.called("isolate")) == 2
    compared.results.all_regions.click()
    assert set(session.stage.isolated.values()) == {None}


def test_arrow_keys_go_from_region_to_region(qtbot, compared, session, wait):
    QApplication.setActiveWindow(compared)
    compared.results.table.setFocus()
    compared.results.table.selectRow(0)
    before = len(session.stage.called("go_to"))
    qtbot.keyClick(compared.results.table, Qt.Key.Key_Down)
    wait(session)
    assert compared.model.looking_at is not None
    assert len(session.stage.called("go_to")) > before


def test_the_stage_shows_columns_and_differences_only_while_compare_is_shown(compared, session):
    stage = session.stage
    assert stage.layout == "side-by-side"
    assert np.count_nonzero(stage.maps["difference"])
    compared.hide()
    assert stage.layout == "four"
    assert stage.maps == {}
    compared.show()
    assert stage.layout == "side-by-side"
    compared.results.difference.click()
    assert stage.maps == {}
    compared.results.side_by_side.click()
    assert stage.layout == "four"


def test_pairs_can_be_told_apart(opened, session, wait):
    opened.choosing.lines[opened.model.entries[2].id].click()
    opened.start.click()
    wait(session)
    view = opened.results
    assert view.pair.count() == 4
    assert not view.table.isColumnHidden(PAIR)
    view.pair.setCurrentIndex(1)
    view.pair.activated.emit(1)
    assert set(texts(opened, PAIR)) == {"Manual – MO-Net"}


def test_notes_tell_what_was_left_out(opened, session, wait):
    opened.model.set_target("malc")
    opened.start.click()
    wait(session)
    opened.results.notes.button.click()
    assert "cannot have 124 regions" in opened.results._notes.text()


def test_an_error_stays_in_the_panel_and_goes_with_the_next_try(opened, session, wait):
    ours = next(each for each in opened.model.entries if each.source == "model")
    kept = ours.path.read_bytes()
    for key in list(session.shown):
        session.hide(key)
    ours.path.write_bytes(b"nothing")
    opened.start.click()
    wait(session)
    assert opened._error.isVisible()
    assert opened._error.text()
    ours.path.write_bytes(kept)
    opened.start.click()
    wait(session)
    assert not opened._error.isVisible()


def test_cancel_leaves_the_panel_ready(opened, session, wait):
    opened.start.click()
    assert opened.cancel.isVisible()
    opened.cancel.click()
    assert opened.start.isVisible()
    wait(session)
    assert opened.model.result is None


def test_adding_a_label_file_asks_for_its_atlas(opened, session, wait, monkeypatch):
    source = opened.model.entries[0].path
    file = source.with_name("FreeSurfer.nii.gz")
    file.write_bytes(source.read_bytes())
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))

    def answer(dialog: AtlasDialog) -> int:
        dialog.choice.setCurrentIndex(dialog.choice.findData("malc"))
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(AtlasDialog, "exec", answer)
    opened.choosing.add.click()
    wait(session)
    assert opened.model.names[opened.model.chosen[-1]] == "FreeSurfer"
    assert opened.choosing.lines[opened.model.chosen[-1]].isChecked()


def test_a_segmentation_without_atlas_asks_for_it(opened, session):
    entry = opened.model.entries[0]
    opened.model.set_protocol(entry.id, "")
    assert not opened.choosing.lines[entry.id].isEnabled()
    opened.choosing._say_atlas(entry, "malc")
    assert opened.choosing.lines[entry.id].isEnabled()


def test_exports_are_written(qtbot, compared, session, wait, tmp_path, monkeypatch):
    told = []
    session.noticed.connect(told.append)
    for action in compared.results.export.menu().actions():
        suffix = action.text()[-5:-2].lower()
        file = tmp_path / f"out.{suffix}"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, f=file: (str(f), ""))
        action.trigger()
        wait(session)
        assert file.stat().st_size > 400
    assert [each.level for each in told] == ["info"] * 3


def test_the_whole_study_in_the_background(qtbot, opened, session, wait):
    opened.tabs.setCurrentIndex(1)
    study = opened.study
    assert study._what.text() == "Manual, mo-net: 3 scans of the study can be compared."
    study.start.click()
    assert study.cancel.isVisible()
    qtbot.waitUntil(lambda: not opened.over_study.running, timeout=60_000)
    wait(session)
    assert not study.picture.empty
    assert study.scans.item(0).text().endswith("sub-1")
    study.large.click()
    assert study.centre.shown  # nobody offers a place: a window of its own
    study.scans.itemActivated.emit(study.scans.item(2))
    wait(session)
    assert not study.centre.shown
    assert session.current.name != "sub-1"
    assert opened.model.result is not None


def test_everything_can_be_reached_and_is_named(compared):
    for part in (compared.choosing.target, compared.choosing.reference, compared.results.table,
                 compared.results.words, compared.start):  # fmt: skip
        assert part.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert part.accessibleName()
