"""The Regions panel in a real window: mouse, keys, search, both segmentations."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from fake_stage import FakeStage
from phantoms import LEFT_THALAMUS, MALC_OF_FIRST, brain_phantom
from qtpy.QtCore import Qt

from monet_app.regions.items import ASYMMETRY, SHARE, VOLUME
from monet_app.regions.panel import RegionsPanel
from monet_app.session import Session, Shown
from monet_app.settings import Settings
from monet_app.threads import ThreadBackground
from monet_core.protocols import load_protocol
from monet_core.scans import Geometry, LabelMap, forms_from_affine
from monet_core.workspace import ScanEntry, SegmentationEntry

FULL, PART = "segmentation-1", "segmentation-2"
LEFT_PUTAMEN_MALC = 58


@cache
def labels_of(protocol: str) -> LabelMap:
    _, data, affine = brain_phantom()
    table = np.arange(100, dtype=np.int32)
    if protocol == "malc":
        table[list(MALC_OF_FIRST)] = list(MALC_OF_FIRST.values())
    return LabelMap(table[data], Geometry(data.shape, affine), forms_from_affine(affine))


def shown(number: int, protocol: str) -> Shown:
    entry = SegmentationEntry(number, 1, f"made-{number}", Path("x.nii.gz"), protocol, "manual")
    return Shown(entry, labels_of(protocol), load_protocol(protocol))


def put(session, *segmentations):
    for each in segmentations:
        session.shown[each.key] = each
        session.stage.show_segmentation(each.key, each.labels, each.protocol)
    session.shown_changed.emit()


@pytest.fixture
def empty(qtbot):
    session = Session(Settings(), ThreadBackground(), FakeStage())
    panel = RegionsPanel(session)
    panel.resize(340, 800)
    qtbot.addWidget(panel)
    panel.show()
    qtbot.waitExposed(panel)
    yield panel
    session.close()


@pytest.fixture
def panel(qtbot, empty, settle):
    session = empty.session
    session.current = ScanEntry(1, "sub-1", Path("sub-1.nii.gz"))
    session.current_changed.emit(session.current)
    put(session, shown(1, "malc"), shown(2, "first"))
    settle(session.background)
    return empty


def row_of(panel, *path):
    node = next(n for n in panel.tree.order.items.view.root.walk() if n.path == path)
    panel.tree.choose(node)
    return panel.tree.order.index_of(node)


def texts(panel, index):
    order = panel.tree.order
    columns = (VOLUME, ASYMMETRY, SHARE)
    return [order.index(index.row(), c, index.parent()).data() for c in columns]


def click(qtbot, panel, index, double=False, at=None):
    where = at or panel.tree.visualRect(index).center()
    mouse = qtbot.mouseDClick if double else qtbot.mouseClick
    if double:  # as a real double click: the first click comes before it
        qtbot.mouseClick(panel.tree.viewport(), Qt.MouseButton.LeftButton, pos=where)
    mouse(panel.tree.viewport(), Qt.MouseButton.LeftButton, pos=where)


def tick_of(panel, index):
    rect = panel.tree.visualRect(index)
    for x in range(rect.left(), rect.left() + 40):
        at = rect.center()
        at.setX(x + 4)
        if panel.tree._is_tick(at):
            return at
    raise AssertionError("no tick box")


PUTAMEN = ("Subcortical grey matter", "Basal ganglia", "Putamen")


def test_nothing_open_and_nothing_segmented_say_what_to_do(qtbot, empty):
    assert empty.empty.isVisible()
    assert "open a scan" in empty.empty.said.text()
    empty.session.current = ScanEntry(1, "sub-1", Path("sub-1.nii.gz"))
    empty.session.current_changed.emit(empty.session.current)
    assert "model" in empty.empty.said.text()


def test_both_segmentations_have_a_tab_with_a_tree(qtbot, panel):
    assert [panel.tabs.tabText(k) for k in range(2)] == ["Whole brain (138)", "Sub-cortical (15)"]
    assert panel.tree.order.rowCount() == 11
    assert panel.count.text() == "138 of 138 shown"
    panel.tabs.setCurrentIndex(1)
    assert panel.model.active == PART
    assert panel.count.text() == "15 of 15 shown"
    assert panel.tree.order.rowCount() == 2


def test_figures_stand_beside_the_regions_and_missing_is_not_zero(qtbot, panel):
    volume, asymmetry, share = texts(panel, row_of(panel, *PUTAMEN))
    measured = panel.model.view.measured.of((57, 58))
    assert volume == f"{measured.volume_ml:.2f}"
    assert asymmetry.startswith(("+", "-"))
    assert float(share) == pytest.approx(measured.share, abs=0.01)
    caudate = row_of(panel, "Subcortical grey matter", "Basal ganglia", "Caudate")
    assert texts(panel, caudate) == ["missing", "", ""]
    assert caudate.data(Qt.ItemDataRole.ForegroundRole) is not None, "greyed"


def test_a_click_goes_there_and_a_double_click_shows_it_alone_and_back(qtbot, panel):
    stage = panel.session.stage
    left = row_of(panel, *PUTAMEN, "Left")
    click(qtbot, panel, left)
    assert stage.cursor[0] < -10, "the left putamen"
    click(qtbot, panel, left, double=True)
    assert stage.isolated[FULL] == (LEFT_PUTAMEN_MALC,)
    assert panel.alone.isVisible()
    assert "Left Putamen" in panel.alone_said.text()
    click(qtbot, panel, left, double=True)
    assert stage.isolated[FULL] is None
    assert not panel.alone.isVisible()


def test_a_tick_hides_a_whole_branch_at_once_and_moves_nothing(qtbot, panel):
    stage = panel.session.stage
    branch = row_of(panel, "Subcortical grey matter")
    click(qtbot, panel, branch, at=tick_of(panel, branch))
    assert len(stage.called("set_hidden")) == 1
    assert len(stage.segmentations[FULL].hidden) == 18
    assert stage.called("go_to") == []
    assert panel.count.text() == "120 of 138 shown"
    click(qtbot, panel, branch, at=tick_of(panel, branch))
    assert stage.segmentations[FULL].hidden == frozenset()


def test_space_ticks_all_that_is_selected(qtbot, panel):
    panel.tree.setFocus()
    row_of(panel, *PUTAMEN, "Left")
    qtbot.keyClick(panel.tree, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert len(panel.tree.chosen()) == 2
    qtbot.keyClick(panel.tree, Qt.Key.Key_Space)
    assert panel.session.stage.segmentations[FULL].hidden == {57, 58}
    states = Qt.ItemDataRole.CheckStateRole
    branch = row_of(panel, "Subcortical grey matter")
    assert Qt.CheckState(branch.data(states)) == Qt.CheckState.PartiallyChecked


def test_searching_keeps_the_groups_and_the_tree_opens_again_as_it_was(qtbot, panel):
    row_of(panel, *PUTAMEN, "Left")
    was_open = panel.tree.open_paths()
    with qtbot.waitActive(panel):
        panel.activateWindow()
    panel.search.setFocus()
    qtbot.keyClicks(panel.search, "left hippocampus")
    order = panel.tree.order
    assert order.regions() == [48]
    assert order.rowCount() == 1
    qtbot.keyClick(panel.search, Qt.Key.Key_Escape)
    assert panel.search.text() == ""
    assert panel.tree.open_paths() == was_open
    qtbot.keyClicks(panel.search, "no such region")
    assert panel.nothing_found.isVisible()


def test_a_branch_under_a_search_is_only_what_is_found(qtbot, panel):
    panel.search.setText("left putamen")
    branch = row_of(panel, "Subcortical grey matter")
    click(qtbot, panel, branch, at=tick_of(panel, branch))
    assert panel.session.stage.segmentations[FULL].hidden == {LEFT_PUTAMEN_MALC}


def test_comma_and_point_go_through_the_regions(qtbot, panel):
    panel.tabs.setCurrentIndex(1)
    with qtbot.waitActive(panel):
        panel.activateWindow()
    panel.tree.setFocus()
    qtbot.keyClick(panel.tree, Qt.Key.Key_Period)
    assert panel.tree.chosen()[0].region.index == LEFT_THALAMUS
    qtbot.keyClick(panel.tree, Qt.Key.Key_Period)
    assert panel.tree.chosen()[0].region.name == "Right-Thalamus-Proper"
    assert panel.session.stage.cursor[0] > 0
    qtbot.keyClick(panel.tree, Qt.Key.Key_Comma)
    assert panel.session.stage.cursor[0] < 0
    qtbot.keyClicks(panel.search, "a,b")
    assert panel.search.text() == "a,b", "typing is not overtaken"


def test_a_region_picked_elsewhere_is_selected_here(qtbot, panel):
    panel.session.pick_region(PART, LEFT_THALAMUS)
    assert panel.tabs.currentIndex() == 1
    assert panel.tree.chosen()[0].region.index == LEFT_THALAMUS


def test_buttons_show_hide_and_only_this(qtbot, panel):
    stage = panel.session.stage
    panel.hide_all.click()
    assert panel.count.text() == "0 of 138 shown"
    panel.show_all.click()
    assert stage.segmentations[FULL].hidden == frozenset()
    row_of(panel, *PUTAMEN)
    panel.only_this.click()
    assert panel.count.text() == "2 of 138 shown"
    panel.in_3d.click()
    assert stage.meshes[FULL] == (57, 58)


def test_columns_sort_within_their_groups(qtbot, panel):
    panel.tree.sortByColumn(VOLUME, Qt.SortOrder.DescendingOrder)
    order = panel.tree.order
    values = [order.index(row, VOLUME).data() for row in range(order.rowCount())]
    assert values[-1] == "missing"
    found = [float(value) for value in values if value != "missing"]
    assert found == sorted(found, reverse=True)


def test_opacity_and_outline_reach_the_stage_and_follow_it(qtbot, panel):
    stage = panel.session.stage
    panel.looks.opacity.setValue(30)
    assert stage.opacity == pytest.approx(0.3)
    panel.looks.outlined.setChecked(True)
    panel.looks.width_.setValue(3)
    assert stage.outline == 3
    stage.set_opacity(0.9)
    assert panel.looks.opacity.value() == 90
    assert panel.looks.percent.text() == "90 %"
    stage.set_outline(0)
    assert not panel.looks.outlined.isChecked()


def test_painting_changes_the_figures_after_a_moment(qtbot, panel, settle):
    stage = panel.session.stage
    before = texts(panel, row_of(panel, *PUTAMEN))
    painted = stage.labels[FULL].data.copy()
    painted[:5, :5, :5] = LEFT_PUTAMEN_MALC
    stage.labels[FULL] = replace(stage.labels[FULL], data=painted)
    panel._later.setInterval(10)
    stage.edited.emit(FULL)
    qtbot.waitUntil(lambda: texts(panel, row_of(panel, *PUTAMEN)) != before, timeout=20_000)


def test_switching_every_segmentation_off_the_stage_empties_the_panel(qtbot, panel):
    for key in list(panel.session.shown):
        panel.session.hide(key)
    assert panel.empty.isVisible()
    panel.step(1)
    panel._toggle()
    panel.search.setText("x")
