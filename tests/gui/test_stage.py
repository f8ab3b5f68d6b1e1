"""The views, driven as users drive them: what is on which side, clicked, laid over, arranged."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import phantoms
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from stage_volumes import LESION, RIGHT_PUTAMEN_MM, labels_of, scan_of, volumes

from monet_app.stage.protocol import PLANES
from monet_app.views.ortho import OrthoStage
from monet_core.protocols import load_protocol

FIRST = load_protocol("first")


def turned(**degrees: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = nib.eulerangles.euler2mat(**{k: np.radians(v) for k, v in degrees.items()})
    return matrix


def brightness(qtbot, stage: OrthoStage) -> np.ndarray:
    """What is shown (H, W), without the marks."""
    stage.set_crosshair(False)
    stage.set_letters(False)
    qtbot.wait(60)
    return stage.screenshot()[..., :3].astype(float).sum(axis=-1)


def click(qtbot, pane, at) -> None:
    at = QPoint(round(at[0]), round(at[1]))
    qtbot.mouseClick(pane.overlay, Qt.MouseButton.LeftButton, pos=at)


def cross_of(stage: OrthoStage, plane: str) -> tuple[float, float]:
    pane = stage.panes.planes[plane]
    return pane.lens.pixel(*pane.plane_mm(stage.scene.voxel))


# -- left is left ---------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [{}, {"z": 8, "x": -5}], ids=["straight", "oblique"])
@pytest.mark.parametrize("codes", ["RAS", "LAS", "LPS", "PIR", "LIA", "ASL"])
def test_left_is_on_its_side_however_the_file_is_stored(qtbot, stage, codes, turn) -> None:
    matrix = turned(**turn) if turn else np.eye(4)
    scan, _ = volumes(codes, turn=matrix)
    stage.show_scan(scan, codes)
    stage.set_levels(900, 1000)  # nothing but the lesion is this bright
    stage.go_to((matrix @ [*LESION, 1])[:3])
    for plane in ("axial", "coronal"):
        stage.set_layout(plane)
        for radiological in (True, False):
            stage.set_radiological(radiological)
            picture = brightness(qtbot, stage)
            rows, columns = np.nonzero(picture > 300)
            assert len(columns), "the lesion is not in this slice"
            assert (columns.mean() > picture.shape[1] / 2) == radiological
            assert rows.mean() < picture.shape[0] / 2  # in front (axial), above (coronal)


def test_napari_and_painted_canvases_show_the_same(qtbot) -> None:
    scan, labels = volumes("PIR", turn=turned(z=8))
    pictures = []
    for kind in ("napari", "painted"):
        made = OrthoStage(kind)
        qtbot.addWidget(made.widget)
        made.widget.resize(801, 703)
        made.widget.show()
        qtbot.waitExposed(made.widget)
        made.show_scan(scan)
        made.show_segmentation("a", labels, FIRST)
        made.set_radiological(False)
        made.set_layout("coronal")
        made.go_to(LESION)
        pictures.append(brightness(qtbot, made))
        made.set_layout("side-by-side")
        made.set_radiological(True)
        made.set_outline(1)
        pictures.append(brightness(qtbot, made))
        made.close()
    for napari, painted in zip(pictures[:2], pictures[2:], strict=True):
        differs = np.abs(napari - painted) > 60
        assert (painted > 100).mean() > 0.05
        assert differs.mean() < 0.03, "but for the last pixel of a voxel"


def test_letters_stand_at_the_edges(qtbot, stage) -> None:
    scan, _ = volumes("LIA")
    stage.show_scan(scan)
    expected = {"axial": "APRL", "coronal": "SIRL", "sagittal": "SIAP"}
    for radiological in (True, False):
        stage.set_radiological(radiological)
        stage.draw()
        for plane, text in expected.items():
            if plane != "sagittal" and not radiological:
                text = text[:2] + text[:1:-1]
            shown = stage.panes.planes[plane].overlay.letters
            assert (shown.top, shown.bottom, shown.left, shown.right) == tuple(text)
    stage.set_letters(False)
    stage.draw()
    assert stage.panes.planes["axial"].overlay.letters is None


def test_the_lesion_is_in_front_in_a_sagittal_view(qtbot, stage) -> None:
    scan, _ = volumes("PIR")
    stage.show_scan(scan)
    stage.set_levels(900, 1000)
    stage.go_to(LESION)
    stage.set_layout("sagittal")
    for radiological in (True, False):
        stage.set_radiological(radiological)
        picture = brightness(qtbot, stage)
        rows, columns = np.nonzero(picture > 300)
        assert columns.mean() < picture.shape[1] / 2  # the face is at the left
        assert rows.mean() < picture.shape[0] / 2


# -- where ----------------------------------------------------------------------------------


@pytest.mark.parametrize("radiological", [True, False])
@pytest.mark.parametrize("plane", PLANES)
def test_a_click_moves_the_crosshair_to_what_was_clicked(qtbot, stage, plane, radiological) -> None:
    scan, labels = volumes("PIR")
    stage.show_scan(scan)
    stage.show_segmentation("a", labels, FIRST, "FIRST")
    stage.set_radiological(radiological)
    stage.go_to(RIGHT_PUTAMEN_MM)
    there = stage.cursor
    at = cross_of(stage, plane)
    axis = {"axial": 2, "coronal": 1, "sagittal": 0}[plane]
    away = [0.0, 0.0, 0.0]
    away[axis] = there[axis]
    stage.go_to(away)
    assert stage.cursor != there
    click(qtbot, stage.panes.planes[plane], at)
    assert stage.cursor == there
    assert stage.probe(stage.cursor).regions == {"a": phantoms.RIGHT_PUTAMEN}


def test_dragging_shift_and_the_wheel_move_the_crosshair(qtbot, stage) -> None:
    scan, _ = volumes()
    stage.show_scan(scan)
    moved = []
    stage.cursorMoved.connect(moved.append)
    pane = stage.panes.planes["axial"]
    start = stage.cursor
    at = cross_of(stage, "axial")
    right = QPoint(round(at[0]) + 40, round(at[1]))
    qtbot.mousePress(pane.overlay, Qt.MouseButton.LeftButton, pos=QPoint(*map(round, at)))
    qtbot.mouseMove(pane.overlay, right)
    qtbot.mouseRelease(pane.overlay, Qt.MouseButton.LeftButton, pos=right)
    qtbot.waitUntil(lambda: stage.cursor != start)
    assert stage.cursor[0] < start[0] - 5, "radiological: to the right is to the left"
    assert stage.cursor[1:] == pytest.approx(start[1:], abs=1)
    qtbot.waitUntil(lambda: bool(moved))
    assert moved[-1] == stage.cursor
    for turned_by, shift, expected in ((120, False, 1), (-120, True, -5), (60, False, 0),
                                       (60, False, 1)):  # fmt: skip
        before = stage.cursor[2]
        scroll(pane, turned_by, shift)
        assert stage.cursor[2] - before == pytest.approx(expected)


def scroll(pane, angle: int, shift: bool = False, control: bool = False) -> None:
    modifiers = Qt.KeyboardModifier(0)
    modifiers |= Qt.KeyboardModifier.ShiftModifier if shift else modifiers
    modifiers |= Qt.KeyboardModifier.ControlModifier if control else modifiers
    at = QPointF(pane.overlay.rect().center())
    event = QWheelEvent(
        at, pane.overlay.mapToGlobal(at), QPoint(0, 0), QPoint(0, angle), Qt.MouseButton(0),
        modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(pane.overlay, event)


def test_arrow_keys_move_on_the_screen_and_pages_through_slices(qtbot, stage) -> None:
    scan, _ = volumes()
    stage.show_scan(scan)
    for radiological, way in ((True, -1), (False, 1)):
        stage.set_radiological(radiological)
        stage.go_to((0, 0, 0))
        start = stage.cursor
        overlay = stage.panes.planes["coronal"].overlay
        qtbot.keyClick(overlay, Qt.Key.Key_Right)
        assert np.subtract(stage.cursor, start).tolist() == [way, 0, 0]
        qtbot.keyClick(overlay, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
        qtbot.keyClick(overlay, Qt.Key.Key_PageUp)
        assert np.subtract(stage.cursor, start).tolist() == [way, 1, 5]


def test_the_crosshair_stays_inside(stage) -> None:
    scan, _ = volumes("LPS")
    stage.show_scan(scan)
    stage.go_to((1e5, -1e5, 1e5))
    assert stage.probe(stage.cursor).intensity is not None
    edge = stage.cursor
    stage.step("axial", 3)
    assert stage.cursor == edge


def test_the_cursor_of_an_oblique_scan_is_exact(stage) -> None:
    matrix = turned(x=12, y=-7, z=20)
    scan, _ = volumes("AIL", turn=matrix)
    stage.show_scan(scan)
    voxel = (30, 40, 50)
    there = (scan.geometry.affine @ [*voxel, 1])[:3]
    stage.go_to(there)
    assert stage.cursor == pytest.approx(tuple(there))
    assert stage.probe(there).intensity == scan.data[voxel]


def test_zooming_keeps_the_point_under_the_mouse_and_magnifies_all_views(qtbot, stage) -> None:
    scan, _ = volumes()
    stage.show_scan(scan)
    qtbot.wait(30)
    pane = stage.panes.planes["axial"]
    middle = pane.overlay.rect().center()
    before, zoom = pane.index_at(QPointF(middle)), pane.lens.zoom
    scroll(pane, 240, control=True)
    assert pane.index_at(QPointF(middle)) == pytest.approx(before)
    assert pane.lens.zoom == pytest.approx(zoom * 1.15**2)
    assert stage.panes.planes["sagittal"].lens.zoom == pane.lens.zoom
    stage.reset_view()
    assert pane.lens.zoom == pytest.approx(zoom)


def test_the_other_buttons_pan_and_zoom_and_shift_follows(qtbot, stage) -> None:
    scan, _ = volumes()
    stage.show_scan(scan)
    qtbot.wait(30)
    pane = stage.panes.planes["axial"]
    start, stop = QPoint(200, 150), QPoint(230, 130)
    under = pane.index_at(QPointF(start))
    cursor = stage.cursor
    drag(pane.overlay, Qt.MouseButton.MiddleButton, start, stop)
    assert pane.index_at(QPointF(stop)) == pytest.approx(under)
    zoom = pane.lens.zoom
    drag(pane.overlay, Qt.MouseButton.RightButton, start, stop)
    assert pane.lens.zoom > zoom
    assert stage.cursor == cursor
    move = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(start), pane.overlay.mapToGlobal(QPointF(start)),
        Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.ShiftModifier,
    )  # fmt: skip
    expected = pane.index_at(QPointF(start))
    QApplication.sendEvent(pane.overlay, move)
    assert stage.scene.voxel == tuple(round(each) for each in expected)


def drag(widget, button, start: QPoint, stop: QPoint) -> None:
    QTest.mousePress(widget, button, pos=start)
    event = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(stop), widget.mapToGlobal(QPointF(stop)),
        Qt.MouseButton.NoButton, button, Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
    QTest.mouseRelease(widget, button, pos=stop)


def test_double_click_makes_one_view_large_and_goes_back(qtbot, stage) -> None:
    scan, _ = volumes()
    stage.show_scan(scan)
    told = []
    stage.layoutChanged.connect(told.append)
    pane = stage.panes.planes["coronal"]
    qtbot.mouseDClick(pane.overlay, Qt.MouseButton.LeftButton)
    assert stage.layout == "coronal"
    assert list(stage.panes.shown()) == [pane]
    qtbot.mouseDClick(pane.overlay, Qt.MouseButton.LeftButton)
    assert stage.layout == "four"
    assert told == ["coronal", "four"]


# -- what -----------------------------------------------------------------------------------


def test_labels_on_another_grid_lie_over_the_same_anatomy(stage) -> None:
    scan, _ = volumes("LPS")
    _, other = volumes("PIR")
    stage.show_scan(scan)
    stage.show_segmentation("same axes", other, FIRST)
    turn = turned(z=12, x=7)
    turned_labels = labels_of(other.data, turn @ other.geometry.affine)
    stage.show_segmentation("turned", turned_labels, FIRST)
    assert stage.probe(RIGHT_PUTAMEN_MM).regions["same axes"] == phantoms.RIGHT_PUTAMEN
    there = (turn @ [*RIGHT_PUTAMEN_MM, 1])[:3]
    assert stage.probe(there).regions["turned"] == phantoms.RIGHT_PUTAMEN
    assert (stage.edited_labels("turned") == turned_labels.data).all()
    assert (stage.edited_labels("same axes") == other.data).all()


def test_hidden_and_unknown_regions(qtbot, stage) -> None:
    scan, labels = volumes()
    strange = labels.data.copy()
    strange[strange == phantoms.RIGHT_PUTAMEN] = 777
    stage.show_scan(scan)
    stage.show_segmentation("a", labels_of(strange, labels.geometry.affine), FIRST)
    stage.set_opacity(1.0)
    stage.set_layout("axial")
    stage.go_to(RIGHT_PUTAMEN_MM)
    brightness(qtbot, stage)
    magenta = (stage.screenshot()[..., :3] == (255, 0, 255)).all(-1)
    assert magenta.sum() > 50
    assert stage.probe(RIGHT_PUTAMEN_MM).regions == {"a": 777}
    stage.set_hidden("a", FIRST.indices)
    assert (stage.screenshot()[..., :3] == (255, 0, 255)).all(-1).sum() == magenta.sum()
    stage.isolate("a", [phantoms.LEFT_PUTAMEN])
    qtbot.wait(30)
    picture = stage.screenshot()[..., :3].astype(int)
    assert not (picture == (255, 0, 255)).all(-1).any()
    coloured = np.ptp(picture, axis=-1) > 30
    assert np.nonzero(coloured)[1].mean() > picture.shape[1] / 2  # the left one, on the right
    stage.isolate("a", None)
    assert stage.segmentations["a"].hidden == frozenset(FIRST.indices)


def test_a_new_version_of_a_segmentation_keeps_what_was_switched(stage) -> None:
    scan, labels = volumes()
    stage.show_scan(scan)
    stage.show_segmentation("a", labels, FIRST, "epoch 5")
    stage.set_visible("a", False)
    stage.set_hidden("a", [phantoms.BRAIN_STEM])
    stage.show_segmentation("a", labels, FIRST, "epoch 10")
    on = stage.segmentations["a"]
    assert (on.name, on.visible, on.hidden) == ("epoch 10", False, {phantoms.BRAIN_STEM})


def test_a_map_is_added_and_read(qtbot, stage) -> None:
    scan, _ = volumes("PIR")
    _, other = volumes("LAS")
    stage.show_scan(scan)
    dark = brightness(qtbot, stage).sum()
    entropy = (other.data == phantoms.RIGHT_PUTAMEN).astype(np.float32)
    stage.show_map("entropy", entropy, other.geometry, colormap="magma", limits=(0, 1))
    stage.go_to(RIGHT_PUTAMEN_MM)
    assert stage.probe(RIGHT_PUTAMEN_MM).maps == {"entropy": 1.0}
    with_map = brightness(qtbot, stage).sum()
    stage.remove_map("entropy")
    assert with_map > brightness(qtbot, stage).sum()
    assert dark > 0


def test_another_scan_takes_everything_along(stage) -> None:
    scan, labels = volumes()
    stage.show_scan(scan)
    stage.show_segmentation("a", labels, FIRST)
    stage.show_map("m", np.ones(scan.data.shape, np.float32), scan.geometry)
    other, _ = volumes("PIR", seed=3)
    stage.show_scan(other)
    assert not stage.segmentations
    assert stage.probe((0, 0, 0)).maps == {}
    stage.show_scan(None)
    assert stage.probe((0, 0, 0)).intensity is None
    assert stage.screenshot().shape[-1] == 4
    with pytest.raises(ValueError, match="needs a scan"):
        stage.show_segmentation("a", labels, FIRST)


def test_a_scan_of_the_same_shape_elsewhere_is_in_the_middle(qtbot, stage) -> None:
    scan, _ = volumes()
    stage.show_scan(scan)
    first = brightness(qtbot, stage)
    away = scan.geometry.affine.copy()
    away[:3, 3] += (500, -300, 100)
    stage.show_scan(scan_of(scan.data, away))
    assert np.abs(brightness(qtbot, stage) - first).mean() < 1


def test_strange_scans_are_shown(qtbot, stage) -> None:
    for data in (np.zeros((5, 6, 7)), np.full((9, 1, 4), -3.0), np.ones((1, 1, 1))):
        stage.show_scan(scan_of(data, np.diag([1.0, 2, 3, 1])))
        for layout in (*PLANES, "four"):
            stage.set_layout(layout)
            stage.step("axial", 1)
            stage.draw()
        assert all(high > low for low, high in stage.levels_presets.values())


# -- arrangement ----------------------------------------------------------------------------


def test_side_by_side_has_a_column_each_and_goes_away(qtbot, stage) -> None:
    scan, labels = volumes()
    stage.show_scan(scan)
    for key in ("a", "b", "c", "d"):
        stage.show_segmentation(key, labels, FIRST, f"by {key}")
    stage.set_visible("c", False)
    stage.set_side_by_side(["a", "c"], "coronal")
    assert stage.layout == "side-by-side"
    assert [pane.title for pane in stage.panes.columns] == ["by a", "by c"]
    assert all(pane.plane == "coronal" for pane in stage.panes.columns)
    stage.go_to(RIGHT_PUTAMEN_MM)
    places = [pane.lens.pixel(*pane.plane_mm(stage.scene.voxel)) for pane in stage.panes.columns]
    assert np.allclose(*places, atol=1.5)
    stage.panes.zoom_by(stage.panes.made[0], 2.0, QPointF(10, 10))
    stage.set_side_by_side(["a", "b", "c", "d"], "coronal")
    assert len(stage.panes.columns) == 4
    places = [pane.lens.pixel(*pane.plane_mm(stage.scene.voxel)) for pane in stage.panes.columns]
    assert np.ptp(places, axis=0).max() < 2, "the same place is in the same spot of each column"
    widths = [pane.width() for pane in stage.panes.columns]
    assert max(widths) - min(widths) <= 1
    stage.remove_segmentation("d")
    assert [pane.title for pane in stage.panes.columns] == ["by a", "by b", "by c"]
    stage.set_layout("four")
    assert not stage.panes.columns
    assert [pane.plane for pane in stage.panes.shown()] == list(PLANES)


def test_columns_show_their_own_segmentation_alone(qtbot, stage) -> None:
    scan, labels = volumes()
    stage.show_scan(scan)
    stage.show_segmentation("left", labels, FIRST)
    stage.show_segmentation("right", labels, FIRST)
    stage.isolate("left", [phantoms.LEFT_PUTAMEN])
    stage.isolate("right", [phantoms.RIGHT_PUTAMEN])
    stage.set_opacity(1)
    stage.set_side_by_side(["left", "right"])
    stage.go_to(RIGHT_PUTAMEN_MM)
    brightness(qtbot, stage)
    picture = stage.screenshot()[..., :3].astype(int)
    coloured = np.ptp(picture, axis=-1) > 30
    half = picture.shape[1] // 2
    columns = [np.nonzero(part)[1].mean() for part in (coloured[:, :half], coloured[:, half:])]
    assert columns[0] > half / 2 > columns[1]  # radiological: the left putamen is at the right


def test_three_d_is_drawn_when_asked_for(qtbot, stage) -> None:
    scan, labels = volumes()
    stage.show_scan(scan)
    stage.show_segmentation("a", labels, FIRST)
    solid = stage.panes.solid
    assert not solid.shown
    qtbot.mouseClick(solid.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: solid.shown, timeout=20_000)
    stage.set_layout("3d")
    qtbot.wait(200)
    picture = stage.screenshot()[..., :3]
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 10
    stage.remove_segmentation("a")
    assert not solid.shown


def test_three_d_is_not_mirrored(qtbot, stage) -> None:
    scan, labels = volumes("LIA")
    stage.show_scan(scan)
    stage.show_segmentation("a", labels, FIRST)
    stage.set_layout("3d")
    stage.set_mesh_regions("a", [phantoms.LEFT_PUTAMEN, phantoms.RIGHT_PUTAMEN,
                                 phantoms.BRAIN_STEM])  # fmt: skip
    solid = stage.panes.solid
    qtbot.waitUntil(lambda: solid.shown, timeout=20_000)
    both = solid_pixels(qtbot, stage)
    stage.set_mesh_regions("a", [phantoms.LEFT_PUTAMEN, phantoms.BRAIN_STEM])
    vertices = len(solid.vertices)
    qtbot.waitUntil(lambda: len(solid.vertices) != vertices, timeout=20_000)
    left = solid_pixels(qtbot, stage)
    missing = np.nonzero(both & ~left)[1].mean()
    # Seen from the front, the patient's right side is at the left of the screen.
    assert missing < both.shape[1] / 2


def solid_pixels(qtbot, stage: OrthoStage) -> np.ndarray:
    solid = stage.panes.solid
    solid.model.reset_view(reset_camera_angle=False)
    solid.model.scene.camera.center = (0, 0, 0)
    solid.model.scene.camera.zoom = 4.0
    qtbot.wait(150)
    return stage.screenshot()[..., :3].max(axis=-1) > 40


def test_no_region_in_three_d_is_said(qtbot, stage) -> None:
    scan, labels = volumes()
    stage.show_scan(scan)
    stage.show_segmentation("a", labels, FIRST)
    stage.set_mesh_regions("a", [])
    qtbot.waitUntil(lambda: "No region" in stage.panes.solid.words.text(), timeout=10_000)
    assert not stage.panes.solid.shown


def test_being_busy_is_said_over_the_old_picture(qtbot, stage) -> None:
    scan, _ = volumes()
    stage.show_scan(scan)
    stage.set_busy("Loading sub-02…")
    assert stage.panes.busy.isVisible()
    assert stage.panes.busy.text() == "Loading sub-02…"
    stage.show_scan(scan)
    assert not stage.panes.busy.isVisible()
