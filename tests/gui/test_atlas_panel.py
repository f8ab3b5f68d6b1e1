"""The Atlas panel in a real window: mouse and keys on its three pages, in all their states."""

import shutil

import numpy as np
import pytest
from paintable_stage import PaintableStage
from phantoms import LEFT_PUTAMEN, LEFT_THALAMUS, RIGHT_THALAMUS
from qtpy.QtCore import QItemSelectionModel, QPoint, Qt
from qtpy.QtWidgets import QComboBox, QStyleOptionViewItem
from study_phantoms import entropy_file, result_of, study_of

from monet_app.atlas.choosing import CHOICES
from monet_app.atlas.mapping_table import SOURCE, TARGET
from monet_app.atlas.panel import ATLASES, CORRECT, MAPPING, AtlasPanel
from monet_app.atlas.region_table import NAME, PAIR, SIDE
from monet_app.background import Immediate
from monet_app.session import Session
from monet_app.settings import Settings
from monet_app.threads import ThreadBackground
from monet_app.train.panel import TrainPanel
from monet_app.views.ortho import OrthoStage
from monet_core.protocols import find_mapping, load_protocol
from monet_core.scans import read_labels

LAB = """index\tname\themisphere
1\tThalamus left\tL
2\tThalamus right\tR
3\tOdd one\tM
"""


@pytest.fixture(scope="module")
def segmented(tmp_path_factory):
    """A study of two scans, segmented by a model with uncertainty, and a lab's atlas."""
    folder = tmp_path_factory.mktemp("segmented") / "study"
    study = study_of(folder, ["sub-1", "sub-2"])
    for seed, scan in enumerate(study.scans()):
        labels = result_of(scan.path, study.derivatives, seed)
        entropy_file(labels, dict.fromkeys((10, 12, 16, 49, 51), (0.1, 0.7)[seed]))
    study.register_results(study.derivatives)
    study.atlases.mkdir()
    (study.atlases / "lab.tsv").write_text(LAB)
    study.close()
    return folder


@pytest.fixture
def empty(qtbot, tmp_path, segmented):
    """The panel on a study of which no scan is open."""
    shutil.copytree(segmented, tmp_path / "study")
    session = Session(Settings(), Immediate(), PaintableStage())
    session.open_study(tmp_path / "study")
    panel = AtlasPanel(session)
    panel.resize(370, 900)
    qtbot.addWidget(panel)
    panel.show()
    qtbot.waitExposed(panel)
    yield panel
    session.close(let_jobs_go_on=False)


@pytest.fixture
def panel(empty, qtbot):
    """A scan is open, with its segmentation."""
    empty.session.open_scan(empty.session.study.scans()[0])
    qtbot.waitUntil(empty.correct.begin.isVisible)
    return empty


@pytest.fixture
def painting(panel, qtbot):
    """A copy is painted in, and not saved."""
    qtbot.mouseClick(panel.correct.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(panel.correct.save.isVisible)
    panel.session.stage.paint(panel.correcting.key, (slice(0, 3), 0, 0), LEFT_PUTAMEN)
    qtbot.waitUntil(panel.correct.save.isEnabled)
    return panel


# -- correcting -------------------------------------------------------------------------------


def test_without_a_scan_it_says_what_belongs_here(empty):
    assert "Open a scan" in empty.correct._no_scan.said.text()
    assert empty.correct._no_scan.isVisible()


def test_without_a_segmentation_it_offers_to_segment(panel, qtbot):
    asked = []
    panel.session.activity_asked.connect(lambda *what: asked.append(what))
    panel.session.hide(next(iter(panel.session.shown)))
    qtbot.waitUntil(panel.correct._no_labels.isVisible)


def test_a_copy_is_begun_with_a_click_and_a_tool_is_in_the_hand(panel, qtbot):
    qtbot.mouseClick(panel.correct.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(panel.correct.save.isVisible)
    assert panel.correct.state.text() == "Nothing is painted yet."
    assert panel.session.stage.hand[1:3] == (LEFT_THALAMUS, "paint")
    assert panel.correct.region.list.currentText() == "Left-Thalamus-Proper  (10)"


def test_tools_size_and_depth(painting, qtbot):
    tool, stage = painting.correct.tool, painting.session.stage
    qtbot.mouseClick(tool.tools["erase"], Qt.MouseButton.LeftButton)
    assert stage.hand[2] == "erase"
    tool.size.setValue(7.5)
    qtbot.mouseClick(tool.ball, Qt.MouseButton.LeftButton)
    assert stage.hand[3:] == (7.5, True)
    qtbot.waitUntil(lambda: tool.slider.value() == 15 and tool.ball.isChecked())
    qtbot.mouseClick(tool.tools["erase"], Qt.MouseButton.LeftButton)
    assert stage.hand[2] is None
    qtbot.waitUntil(lambda: not any(each.isChecked() for each in tool.tools.values()))


def test_the_region_comes_from_the_list_or_from_regions(painting, qtbot):
    region = painting.correct.region
    place = region.list.findData(LEFT_PUTAMEN)
    region.list.setCurrentIndex(place)
    region.list.activated.emit(place)
    assert painting.session.stage.hand[1] == LEFT_PUTAMEN
    painting.session.pick_region(painting.correcting.key, RIGHT_THALAMUS)
    qtbot.waitUntil(lambda: "Right-Thalamus" in region.list.currentText())
    qtbot.mouseClick(region.here, Qt.MouseButton.LeftButton)
    assert painting.session.stage.hand[1] == LEFT_THALAMUS


def test_keys_undo_redo_and_save(painting, qtbot):
    stage = painting.session.stage
    painting.activateWindow()
    qtbot.waitUntil(painting.isActiveWindow)
    qtbot.keyClick(painting, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert stage.called("undo")
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(painting, Qt.Key.Key_Z, both)
    assert stage.called("redo")
    qtbot.keyClick(painting, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    entry = painting.correcting.shown.entry
    assert entry.source == "edited"
    assert (read_labels(entry.path).data[:3, 0, 0] == LEFT_PUTAMEN).all()
    qtbot.waitUntil(lambda: painting.correct.state.text() == "Everything is saved.")


def test_what_is_kept_safe_is_told(painting, qtbot):
    painting.correct._autosave.timeout.emit()
    qtbot.waitUntil(lambda: "Kept safe" in painting.correct.state.text())
    assert painting.correct._autosave.interval() == 60_000
    assert painting.correct._autosave.isActive()


def test_another_window_in_front_keeps_it_safe(painting):
    painting.correct._focus_changed(Qt.ApplicationState.ApplicationInactive)
    assert painting.correcting.kept_at is not None


@pytest.mark.parametrize("text", ["Save", "Keep for later", "Throw away", "Stay here"])
def test_another_scan_asks_what_becomes_of_it(painting, qtbot, text):
    session = painting.session
    path = painting.correcting.shown.entry.path
    session.open_scan(session.study.scans()[1])
    box = painting.correct.question
    qtbot.waitUntil(box.isVisible)
    assert session.current.name == "sub-1"
    chosen = next(each for each in box.buttons() if each.text() == text)
    qtbot.mouseClick(chosen, Qt.MouseButton.LeftButton)
    expected = "sub-1" if text == "Stay here" else "sub-2"
    qtbot.waitUntil(lambda: session.current.name == expected)
    assert path.exists() == (text != "Throw away")
    if text == "Keep for later":
        qtbot.waitUntil(painting.correct.recoveries.isVisible)
        painting.correcting.restore(painting.correcting.keeping.found[0])
        qtbot.waitUntil(painting.correct.save.isEnabled)
        assert session.current.name == "sub-1"
        assert not painting.correct.recoveries.isVisible()


def test_another_page_or_panel_puts_the_brush_down(painting):
    painting.tabs.setCurrentIndex(ATLASES)
    assert painting.session.stage.hand[2] is None
    painting.tabs.setCurrentIndex(CORRECT)
    assert painting.session.stage.hand[2] == "paint"
    painting.hide()
    assert painting.session.stage.hand[2] is None


def test_teaching_takes_two_clicks(painting, qtbot):
    asked = []
    painting.session.activity_asked.connect(lambda *what: asked.append(what))
    qtbot.mouseClick(painting.correct.teach, Qt.MouseButton.LeftButton)
    activity, subject = asked[0]
    assert activity == "train"
    assert subject["atlas"] == "first"
    assert subject["start"] is None
    assert painting.correcting.shown.entry.path.name in subject["data"].read_text()
    assert painting.session.study.scans()[0].split == "train"
    qtbot.waitUntil(lambda: painting.correct.teaching.text().startswith("1 annotated"))


def test_train_is_filled_in_with_what_was_corrected(painting, qtbot):
    session = painting.session
    train = TrainPanel(session)
    qtbot.addWidget(train)
    qtbot.mouseClick(painting.correct.teach, Qt.MouseButton.LeftButton)
    setup = train.model.setup
    assert (setup.protocol, setup.source, setup.start) == ("first", "study", None)
    assert train.model.data.number("train") == 1


def test_a_stroke_of_the_mouse_in_the_views_is_saved(qtbot, tmp_path, segmented):
    shutil.copytree(segmented, tmp_path / "study")
    stage = OrthoStage()
    qtbot.addWidget(stage.widget)
    stage.widget.resize(800, 600)
    stage.widget.show()
    session = Session(Settings(), Immediate(), stage)
    session.open_study(tmp_path / "study")
    panel = AtlasPanel(session)
    qtbot.addWidget(panel)
    panel.show()
    session.open_scan(session.study.scans()[0])
    qtbot.waitUntil(panel.correct.begin.isVisible)
    parent = next(iter(session.shown.values()))
    panel.correct.begin.click()
    panel.correcting.choose_region(LEFT_PUTAMEN)
    session.go_to((0, 20, 12))
    qtbot.wait(30)
    pane = stage.panes.planes["axial"]
    x, y = pane.lens.pixel(*pane.plane_mm(stage.scene.voxel))
    qtbot.mousePress(pane.overlay, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    qtbot.mouseRelease(pane.overlay, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    qtbot.waitUntil(panel.correct.save.isEnabled)
    panel.correct.save.click()
    saved = read_labels(panel.correcting.shown.entry.path)
    changed = np.argwhere(saved.data != parent.labels.data)
    assert len(changed) > 1
    world = (saved.geometry.affine @ [*changed.mean(axis=0), 1])[:3]
    assert np.abs(world - (0, 20, 12)).max() < 3
    panel.correcting.undo()
    assert (stage.edited_labels(panel.correcting.key) == parent.labels.data).all()
    panel.correcting.redo()
    session.close(let_jobs_go_on=False)
    stage.close()


def test_which_scan_next(panel, qtbot):
    view = panel.correct.next
    qtbot.mouseClick(view.look, Qt.MouseButton.LeftButton)
    assert view.list.item(0).text().startswith("sub-2")
    view.list.itemActivated.emit(view.list.item(0))
    assert panel.session.current.name == "sub-2"


def test_review_can_ask_for_a_correction(panel, qtbot):
    entry = panel.session.study.segmentations(panel.session.current.id)[0]
    panel.tabs.setCurrentIndex(MAPPING)
    panel.session.ask_for("atlas", entry)
    assert panel.tabs.currentIndex() == CORRECT
    assert panel.correct.choice.currentText() == entry.name


# -- atlases ----------------------------------------------------------------------------------


@pytest.fixture
def lab(empty):
    empty.tabs.setCurrentIndex(ATLASES)
    empty.library.choose(str(empty.session.study.atlases / "lab.tsv"))
    return empty


def cell(view, row, column):
    return view.proxy.index(row, column)


def test_shipped_atlases_are_only_looked_at(empty):
    empty.tabs.setCurrentIndex(ATLASES)
    view = empty.atlases
    assert view.said.isVisible()
    assert not view.save.isVisible()
    assert not cell(view, 0, NAME).flags() & Qt.ItemFlag.ItemIsEditable
    view.copy.click()
    assert empty.library.own
    assert view.save.isVisible()
    assert "malc-copy" in view.list.currentText()


def test_a_table_is_edited_in_its_cells(lab):
    view = lab.atlases
    assert view.proxy.setData(cell(view, 2, NAME), "Pineal")
    assert view.proxy.setData(cell(view, 2, SIDE), "L")
    assert not view.proxy.setData(cell(view, 2, PAIR), 1)
    assert "both left" in view.error.text()
    assert view.error.isVisible()
    assert view.proxy.setData(cell(view, 2, PAIR), 2)
    assert cell(view, 0, PAIR).data() == "–"
    view.save.click()
    assert load_protocol(lab.library.chosen).region(3).pair == 2
    assert not view.save.isEnabled()


def test_choices_of_pairs_are_of_the_other_side(lab):
    names = [text for text, _ in cell(lab.atlases, 0, PAIR).data(CHOICES)]
    assert names == ["– none", "2  Thalamus right", "3  Odd one"]


def test_a_cell_is_a_list_to_choose_from(lab, qtbot):
    view = lab.atlases.view
    index = cell(lab.atlases, 0, SIDE)
    editor = view.itemDelegate(index).createEditor(view.viewport(), QStyleOptionViewItem(), index)
    qtbot.addWidget(editor)
    assert isinstance(editor, QComboBox)
    assert [editor.itemData(i) for i in range(3)] == ["L", "R", "M"]


def test_regions_are_found_by_name(lab):
    lab.atlases.search.setText("odd")
    assert lab.atlases.proxy.rowCount() == 1


def test_notes_of_an_import_are_shown(empty, tmp_path):
    (tmp_path / "new.txt").write_text("1 Left-A 255 0 0 0\n2 Right-A 0 0 255 0\nno region\n")
    empty.tabs.setCurrentIndex(ATLASES)
    empty.library.import_file(tmp_path / "new.txt")
    assert "skipped" in empty.atlases.notes.text()


# -- mapping ----------------------------------------------------------------------------------


@pytest.fixture
def mapped(empty, qtbot):
    empty.tabs.setCurrentIndex(MAPPING)
    view = empty.map
    view.source.setCurrentIndex(view.source.findData(str(empty.session.study.atlases / "lab.tsv")))
    view.target.setCurrentIndex(view.target.findData("first"))
    qtbot.mouseClick(view.suggest, Qt.MouseButton.LeftButton)
    return view


def test_mapping_begins_empty_and_explains(empty):
    empty.tabs.setCurrentIndex(MAPPING)
    assert empty.map.empty.isVisible()
    assert not empty.map.view.isVisible()


def test_open_ones_stand_first(mapped):
    assert [mapped.proxy.index(row, SOURCE).data() for row in range(3)] == [
        "Odd one", "Thalamus left", "Thalamus right",
    ]  # fmt: skip
    assert mapped.proxy.index(0, TARGET).data() == "not said"
    assert mapped.proxy.index(1, TARGET).data() == "Left-Thalamus-Proper"


def test_rows_are_ticked_by_mouse_or_space(mapped, qtbot):
    index = mapped.proxy.index(1, SOURCE)
    mapped.view.setFocus()
    mapped.view.selectionModel().setCurrentIndex(
        index, QItemSelectionModel.SelectionFlag.ClearAndSelect
    )
    qtbot.keyClick(mapped.view, Qt.Key.Key_Space)
    assert mapped.model.mapped == 1
    qtbot.keyClick(mapped.view, Qt.Key.Key_Space)
    assert mapped.model.mapped == 0


def test_the_other_side_is_neither_offered_nor_taken(mapped):
    index = mapped.proxy.index(1, TARGET)
    offered = [value for _, value in index.data(CHOICES)]
    assert RIGHT_THALAMUS not in offered
    assert not mapped.proxy.setData(index, RIGHT_THALAMUS)
    assert "must not exchange the sides" in mapped.error.text()
    assert mapped.error.isVisible()


def test_accepting_all_and_saving(mapped):
    mapped.accept_all.click()
    assert mapped.save.isEnabled()
    mapped.save.click()
    assert not mapped.save.isEnabled()
    assert find_mapping(mapped.model.source, "first").table == {1: LEFT_THALAMUS, 2: RIGHT_THALAMUS}
    mapped.only_open.setChecked(True)
    assert mapped.proxy.rowCount() == 1


def test_the_table_can_be_had_larger(mapped, qtbot):
    mapped.large.click()
    qtbot.waitUntil(mapped._large_view.isVisible)
    assert mapped._large_view.model() is mapped.proxy
    mapped.large.click()
    assert not mapped._large_view.isVisible()


def test_it_works_with_threads_as_in_the_program(qtbot, tmp_path, segmented, settle):
    shutil.copytree(segmented, tmp_path / "study")
    session = Session(Settings(), ThreadBackground(), PaintableStage())
    session.open_study(tmp_path / "study")
    settle(session.background)
    panel = AtlasPanel(session)
    qtbot.addWidget(panel)
    panel.show()
    session.open_scan(session.study.scans()[0])
    settle(session.background)
    qtbot.waitUntil(panel.correct.begin.isVisible)
    panel.correct.begin.click()
    settle(session.background)
    session.stage.paint(panel.correcting.key, (0, 0, 0), LEFT_PUTAMEN)
    panel.correcting.save()
    settle(session.background)
    assert panel.correcting.shown.entry.source == "edited"
    session.close(let_jobs_go_on=False)
