"""The Scans panel in a real window on a real study of phantoms: table, keys, segmentations."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from fake_stage import FakeStage
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton, QStackedWidget
from study_phantoms import labels_file, scan_file

from monet_app.scans.atlas_question import AtlasQuestion
from monet_app.scans.panel import EMPTY, LOADING, NOTHING, TABLE, ScansPanel
from monet_app.scans.rows import Column, Row
from monet_app.session import Session
from monet_app.settings import Settings
from monet_app.threads import ThreadBackground
from monet_core.protocols import load_protocol
from monet_core.workspace import ScanEntry


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two scans with labels of no told atlas, one of FIRST, one without."""
    folder = tmp_path / "data"
    for seed, name in enumerate(("sub-1", "sub-2", "sub-3", "sub-10")):
        scan_file(folder / f"{name}_T1w.nii.gz", seed)
    labels_file(folder / "sub-1_dseg.nii.gz", 0)
    labels_file(folder / "sub-2_dseg.nii.gz", 1)
    labels_file(folder / "sub-3_seg-first_dseg.nii.gz", 2)
    return folder


@pytest.fixture
def empty(qtbot, tmp_path, settle):
    """A panel on a new study."""
    session = Session(Settings(), ThreadBackground(), FakeStage())
    panel = ScansPanel(session)
    panel.resize(380, 860)
    qtbot.addWidget(panel)
    panel.show()
    qtbot.waitExposed(panel)
    session.open_study(tmp_path / "study")
    settle(session.background)
    yield panel
    session.close(let_jobs_go_on=False)


@pytest.fixture
def panel(qtbot, empty, data, settle):
    empty._asked = set(range(100))  # nothing is asked unless a test wants it
    empty.model.add([data])
    settle(empty.session.background)
    qtbot.waitUntil(lambda: empty.model.to_inspect == 0, timeout=20_000)
    settle(empty.session.background)
    return empty


def id_of(panel, name: str) -> int:
    return next(row.entry.id for row in panel.model.rows.values() if row.entry.name == name)


def names(panel) -> list[str]:
    table = panel.view.table
    return [table.index(row, Column.NAME).data() for row in range(table.rowCount())]


def point(panel, name: str):
    place = panel.model.place_of(id_of(panel, name))
    return panel.view.visualRect(panel.view.table.index(place, Column.NAME)).center()


def test_an_empty_study_offers_the_three_ways_to_begin(qtbot, empty):
    assert empty._stack.currentIndex() == EMPTY
    texts = [each.text() for each in empty._stack.currentWidget().findChildren(type(empty.segment))]
    assert texts == ["Add scans…", "Add a folder or BIDS data set…", "Import DICOM…"]


def test_reading_says_so(qtbot, empty):
    empty.model.loading = True
    empty.model.progressed.emit()
    assert empty._stack.currentIndex() == LOADING


def test_scans_are_listed_and_read_in_the_background(qtbot, panel):
    assert panel._stack.currentIndex() == TABLE
    assert names(panel) == ["sub-1", "sub-2", "sub-3", "sub-10"]
    assert panel.count.text() == "4 scans"
    first = panel.model.shown[0]
    assert first.entry.spacing == (2.0, 2.0, 2.0)
    assert not panel.view.table.picture(first).isNull()
    assert panel.session.current.name == "sub-1"
    assert "2 mm" in panel.details.file.text()


def test_wide_tables_have_columns_for_voxel_and_size(qtbot, panel):
    assert panel.view.isColumnHidden(Column.SHAPE)
    panel.resize(900, 860)
    qtbot.waitUntil(lambda: not panel.view.isColumnHidden(Column.SHAPE))
    assert panel.view.table.index(0, Column.SHAPE).data() == "40 × 44 × 40"


def test_double_click_and_enter_open(qtbot, panel, settle):
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=point(panel, "sub-2"))
    qtbot.mouseDClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=point(panel, "sub-2"))
    settle(panel.session.background)
    assert panel.session.current.name == "sub-2"
    qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    qtbot.keyClick(panel.view, Qt.Key.Key_Return)
    settle(panel.session.background)
    assert panel.session.current.name == "sub-3"


def test_n_and_shift_n_go_on_and_back(qtbot, panel, settle):
    with qtbot.waitActive(panel):
        panel.activateWindow()
    panel.view.setFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_N)
    settle(panel.session.background)
    assert panel.session.current.name == "sub-2"
    assert panel.view.current_id == panel.session.current.id
    qtbot.keyClick(panel.view, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    settle(panel.session.background)
    assert panel.session.current.name == "sub-1"


def test_the_selection_is_the_sessions(qtbot: QtBot, panel, settle):
    panel.view.selectAll()
    qtbot.waitUntil(lambda: len(panel.session.selected) == 4)
    assert panel.chosen.text() == "4 selected"
    panel.split.activated.emit(1)
    settle(panel.session.background)
    assert [row.entry.split for row in panel.model.shown] == ["train"] * 4
    assert len(panel.view.chosen_ids()) == 4, "kept when the rows are read anew"
    panel.session.select([id_of(panel, "sub-3")])
    assert panel.view.chosen_ids() == [id_of(panel, "sub-3")]
    asked = []
    panel.session.activity_asked.connect(lambda *each: asked.append(each))
    panel.segment.click()
    assert asked == [("segment", None)]


def test_finding_filtering_and_sorting(qtbot, panel):
    qtbot.keyClicks(panel.search, "sub-1")
    assert names(panel) == ["sub-1", "sub-10"]
    panel.search.setText("zzz")
    assert panel._stack.currentIndex() == NOTHING
    panel._show_all()
    assert len(names(panel)) == 4
    panel.filter.setCurrentIndex(panel.filter.findData("unknown"))
    assert names(panel) == ["sub-1", "sub-2"]
    panel.filter.setCurrentIndex(0)
    panel.view.sortByColumn(Column.NAME, Qt.SortOrder.DescendingOrder)
    assert names(panel) == ["sub-10", "sub-3", "sub-2", "sub-1"]


def test_a_deleted_scan_says_so_in_its_row_and_below(qtbot, panel, data):
    (data / "sub-2_T1w.nii.gz").unlink()
    panel.view.look()
    scan_id = id_of(panel, "sub-2")
    qtbot.waitUntil(lambda: panel.model.rows[scan_id].gone, timeout=10_000)
    panel.view.choose([scan_id], scan_id)
    assert "not there any more" in panel.details.trouble.text()
    assert panel.details.again.isVisible()
    place = panel.model.place_of(scan_id)
    tip = panel.view.table.index(place, Column.STATE).data(Qt.ItemDataRole.ToolTipRole)
    assert "remove the scan" in tip
    qtbot.waitUntil(lambda: "1 needs a look" in panel.count.text())


def test_removing_from_the_study_keeps_the_file(qtbot, panel, data, settle):
    panel.view.choose([id_of(panel, "sub-10")], id_of(panel, "sub-10"))
    qtbot.keyClick(panel.view, Qt.Key.Key_Delete)
    settle(panel.session.background)
    assert names(panel) == ["sub-1", "sub-2", "sub-3"]
    assert (data / "sub-10_T1w.nii.gz").exists()


def test_the_menu_of_one_and_of_several(qtbot, panel):
    one = panel.menu([id_of(panel, "sub-1")])
    texts = [action.text() for action in one.actions() if action.text()]
    assert texts == [
        "Open", "Segment…", "Use for", "Choose atlas of labels…", "Read again", "Show in folder",
        "Remove from the study (no file is deleted)",
    ]  # fmt: skip
    several = panel.menu([id_of(panel, "sub-1"), id_of(panel, "sub-2")])
    enabled = {action.text(): action.isEnabled() for action in several.actions()}
    assert not enabled["Open"]
    assert enabled["Segment…"]


def test_segmentations_are_shown_and_hidden_by_their_eyes(qtbot, panel, settle):
    session = panel.session
    panel.model.open(id_of(panel, "sub-3"))
    settle(session.background)
    ((key, shown),) = session.shown.items()
    row = panel.segmentations.rows[shown.entry.id]
    assert row.eye.isChecked()
    qtbot.mouseClick(row.eye, Qt.MouseButton.LeftButton)
    assert not session.shown[key].visible
    assert not session.stage.segmentations[key].visible
    qtbot.mouseClick(row.eye, Qt.MouseButton.LeftButton)
    assert session.shown[key].visible
    assert "Sub-cortical (15)" in row.text.text()
    row.remove.click()
    settle(session.background)
    assert session.shown == {}
    assert shown.entry.path.exists()
    assert panel.segmentations.rows == {}


def test_labels_of_no_known_atlas_are_asked_about_once(qtbot, panel, settle):
    session = panel.session
    panel._asked.clear()
    panel.model.open(id_of(panel, "sub-2"))
    settle(session.background)
    (dialog,) = panel.findChildren(AtlasQuestion)
    settle(session.background)
    assert dialog.isVisible()
    assert dialog.choice == "", "five values of fifteen are no proof"
    assert not dialog.accept_.isEnabled()
    first = next(k for k in range(dialog.list.count())
                 if dialog.list.item(k).data(Qt.ItemDataRole.UserRole) == "first")  # fmt: skip
    dialog.list.setCurrentRow(first)
    assert dialog.others.isVisible()
    dialog.accept_.click()
    settle(session.background)
    assert [shown.protocol.name for shown in session.shown.values()] == ["first"]
    assert panel.model.rows[id_of(panel, "sub-1")].badges == ("15",), "the other one too"


def test_leaving_the_atlas_open_is_possible_and_not_asked_again(qtbot, panel, settle):
    panel._asked.clear()
    for _ in range(2):
        panel.model.open(id_of(panel, "sub-2"))
        settle(panel.session.background)
        for dialog in panel.findChildren(AtlasQuestion):
            dialog.reject()
    assert panel.model.rows[id_of(panel, "sub-2")].badges == ("?",)
    row = next(iter(panel.segmentations.rows.values()))
    qtbot.waitUntil(row.atlas.isVisible, timeout=5000)  # rows are shown with the next event
    qtbot.mouseClick(row.eye, Qt.MouseButton.LeftButton)
    assert any(each.isVisible() for each in panel.findChildren(AtlasQuestion)), "asked by the eye"


def test_a_table_from_elsewhere_is_copied_into_the_study(qtbot, panel, settle, tmp_path):
    session = panel.session
    load_protocol("first").to_tsv(tmp_path / "lab_dseg.tsv")
    entry = panel.model.rows[id_of(panel, "sub-1")].labels[0]
    panel.ask_atlas(entry)
    settle(session.background)
    (dialog,) = panel.findChildren(AtlasQuestion)
    dialog.add_table(tmp_path / "nothing.tsv")
    assert "nothing.tsv" in dialog.said.text()
    dialog.add_table(tmp_path / "lab_dseg.tsv")
    dialog.others.setChecked(False)
    dialog.accept_.click()
    settle(session.background)
    kept = session.study.segmentation(entry.id).protocol
    assert Path(kept) == session.study.atlases / "lab.tsv"
    assert panel.model.rows[id_of(panel, "sub-1")].badges == ("own",)
    assert panel.model.rows[id_of(panel, "sub-2")].badges == ("?",)


def test_ten_thousand_scans_stay_quick(qtbot, empty):
    base = ScanEntry(0, "", Path("/data/x_T1w.nii.gz"), (1.0, 1.0, 1.0), (9, 9, 9), inspected=True)
    rows = [Row(replace(base, id=k, name=f"sub-{k:05}"), place=k) for k in range(10_000)]
    empty.model._take(rows)
    empty.view.grab()
    took = {}
    for what, act in {
        "scroll": lambda: empty.view.verticalScrollBar().setValue(5000),
        "find": lambda: empty.search.setText("sub-01"),
        "sort": lambda: empty.view.sortByColumn(Column.LABELS, Qt.SortOrder.DescendingOrder),
        "one row": lambda: empty.model._replace(empty.model.shown[0]),
    }.items():
        start = time.perf_counter()
        act()
        empty.view.grab()
        took[what] = time.perf_counter() - start
    assert max(took.values()) < 1.0, took
    assert took["scroll"] < 0.3, took


def test_choosing_many_rows_at_once(qtbot, empty):
    base = ScanEntry(0, "", Path("/data/x_T1w.nii.gz"), inspected=True)
    empty.model._take([Row(replace(base, id=k, name=f"s{k}"), place=k) for k in range(30)])
    empty.view.choose([3, 4, 5, 9, 99], 4)
    assert empty.view.chosen_ids() == [3, 4, 5, 9]
    assert empty.view.current_id == 4


def test_n_works_while_another_panel_is_shown(qtbot, panel, settle):
    window, other = QStackedWidget(), QPushButton("Segment")
    qtbot.addWidget(window)
    window.addWidget(panel)
    window.addWidget(other)
    window.show()
    qtbot.waitExposed(window)
    panel._keys.clear()  # it was a window of its own before
    panel.hide()
    panel.show()
    window.setCurrentWidget(other)
    with qtbot.waitActive(window):
        window.activateWindow()
    other.setFocus()
    qtbot.keyClick(other, Qt.Key.Key_N)
    settle(panel.session.background)
    assert panel.session.current.name == "sub-2"
    window.removeWidget(panel)
    panel.setParent(None)
