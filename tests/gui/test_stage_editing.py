"""Painting in the views with the mouse: seen in all of them, taken back, told."""

from __future__ import annotations

import numpy as np
import phantoms
import pytest
from qtpy.QtCore import QPoint, Qt
from stage_volumes import RIGHT_PUTAMEN_MM, labels_of, volumes

from monet_app.stage.protocol import PLANES
from monet_app.views.ortho import OrthoStage
from monet_core.protocols import load_protocol

FIRST = load_protocol("first")
SPOT = (-14.0, -20.0, 12.0)
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


@pytest.fixture
def painting(qtbot, stage):
    """A stage with a segmentation, the cross-hair where there is no region."""
    scan, labels = volumes("LIA")
    stage.show_scan(scan)
    stage.show_segmentation("a", labels, FIRST)
    stage.go_to(SPOT)
    qtbot.wait(30)
    return stage, labels


def at_cross(stage: OrthoStage, plane: str) -> QPoint:
    pane = stage.panes.planes[plane]
    x, y = pane.lens.pixel(*pane.plane_mm(stage.scene.voxel))
    return QPoint(round(x), round(y))


def stroke(qtbot, stage: OrthoStage, plane: str, button=LEFT, by: int = 0) -> None:
    overlay, start = stage.panes.planes[plane].overlay, at_cross(stage, plane)
    qtbot.mousePress(overlay, button, pos=start)
    if by:
        qtbot.mouseMove(overlay, start + QPoint(by, 0))
    qtbot.mouseRelease(overlay, button, pos=start + QPoint(by, 0))


@pytest.mark.parametrize("plane", PLANES)
def test_a_dab_in_one_view_is_seen_in_all_and_taken_back(qtbot, painting, plane) -> None:
    stage, labels = painting
    told = []
    stage.edited.connect(told.append)
    stage.set_crosshair(False)
    before = stage.screenshot()
    stage.edit("a", phantoms.LEFT_THALAMUS, "paint", brush_mm=5.0)
    stroke(qtbot, stage, plane)
    assert told == ["a"]
    assert stage.probe(stage.cursor).regions["a"] == phantoms.LEFT_THALAMUS
    painted = stage.edited_labels("a")
    assert 12 < (painted != labels.data).sum() < 30
    assert stage.cursor == pytest.approx(SPOT, abs=0.5), "a tool does not move the cross-hair"
    stage.edit(None)
    after = stage.screenshot()
    differs = (before != after).any(axis=-1)
    for each in PLANES:
        pane = stage.panes.planes[each]
        corner = pane.mapTo(stage.panes, QPoint(0, 0))
        rows = slice(corner.y(), corner.y() + pane.height())
        assert differs[rows, corner.x() : corner.x() + pane.width()].any(), each
    stage.set_layout("axial" if plane != "axial" else "coronal")
    stage.undo()
    assert (stage.edited_labels("a") == labels.data).all()
    stage.redo()
    assert (stage.edited_labels("a") == painted).all()


def test_a_stroke_is_one_edit_and_the_other_button_takes_away(qtbot, painting) -> None:
    stage, labels = painting
    told = []
    stage.edited.connect(told.append)
    stage.edit("a", phantoms.LEFT_THALAMUS, "paint", brush_mm=3.0)
    stroke(qtbot, stage, "axial", by=40)
    drawn = (stage.edited_labels("a") != labels.data).sum()
    assert told == ["a"]
    stroke(qtbot, stage, "axial", button=RIGHT, by=40)
    assert (stage.edited_labels("a") != labels.data).sum() < drawn / 4
    stage.undo()
    stage.undo()
    assert (stage.edited_labels("a") == labels.data).all()
    assert told == ["a"] * 4


def test_while_painting_the_wheel_moves_on_and_the_brush_is_seen(qtbot, painting) -> None:
    stage, _ = painting
    overlay = stage.panes.planes["axial"].overlay
    assert overlay.ring is None
    stage.edit("a", phantoms.LEFT_THALAMUS, "paint", brush_mm=6.0)
    qtbot.mouseMove(overlay, QPoint(50, 60))
    qtbot.waitUntil(lambda: overlay.ring is not None)
    zoom = stage.panes.planes["axial"].lens.zoom
    assert overlay.ring == pytest.approx((50, 60, 3 * zoom, 3 * zoom))
    assert overlay.cursor().shape() == Qt.CursorShape.BlankCursor
    stage.edit("a", phantoms.LEFT_THALAMUS, "fill")
    assert overlay.ring is None
    assert overlay.cursor().shape() == Qt.CursorShape.CrossCursor
    stage.edit(None)
    qtbot.mouseClick(overlay, LEFT, pos=QPoint(150, 150))
    assert stage.cursor != pytest.approx(SPOT, abs=0.5)


def test_picking_tells_the_region(qtbot, painting) -> None:
    stage, _ = painting
    picked = []
    stage.picked.connect(lambda *each: picked.append(each))
    stage.go_to(RIGHT_PUTAMEN_MM)
    stage.edit("a", 0, "pick")
    stroke(qtbot, stage, "coronal")
    assert picked == [("a", phantoms.RIGHT_PUTAMEN)]


def test_a_segmentation_that_leaves_takes_the_tool_along(qtbot, painting) -> None:
    stage, labels = painting
    stage.edit("a", phantoms.LEFT_THALAMUS, "paint")
    stroke(qtbot, stage, "axial")
    stage.show_segmentation("a", labels, FIRST)
    assert (stage.edited_labels("a") == labels.data).all()
    stage.undo()
    stage.remove_segmentation("a")
    stroke(qtbot, stage, "axial")
    with pytest.raises(KeyError):
        stage.edited_labels("a")


def test_a_shape_is_filled_in_between_slices(stage) -> None:
    scan, labels = volumes()
    k = 40
    data = np.zeros_like(labels.data)
    data[30:40, 30:40, k] = data[32:38, 32:38, k + 4] = 10
    stage.show_scan(scan)
    stage.show_segmentation("a", labels_of(data, labels.geometry.affine), FIRST)
    assert stage.interpolate("a", 10, "axial") > 0
    filled = stage.edited_labels("a")
    sizes = [int((filled[..., k + step] == 10).sum()) for step in range(5)]
    assert sizes == sorted(sizes, reverse=True)
    assert all(sizes)
    stage.undo()
    assert (stage.edited_labels("a") == data).all()
