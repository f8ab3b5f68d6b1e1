"""The same views on napari canvases, which machines with a graphics card have."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from stage_volumes import LESION, volumes

from monet_app.stage.protocol import PLANES
from monet_app.views.ortho import OrthoStage
from monet_core.protocols import load_protocol


@pytest.fixture
def stage(qtbot) -> Iterator[OrthoStage]:
    made = OrthoStage("napari")
    made.widget.resize(900, 700)
    qtbot.addWidget(made.widget)
    made.widget.show()
    qtbot.waitExposed(made.widget)
    yield made
    made.close()


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR"])
def test_left_is_on_its_side(qtbot, stage, codes) -> None:
    scan, _ = volumes(codes)
    stage.show_scan(scan)
    stage.set_levels(900, 1000)
    stage.set_crosshair(False)
    stage.set_letters(False)
    stage.go_to(LESION)
    for plane in PLANES:
        stage.set_layout(plane)
        for radiological in (True, False):
            stage.set_radiological(radiological)
            qtbot.wait(60)
            picture = stage.screenshot()[..., :3].astype(float).sum(axis=-1)
            rows, columns = np.nonzero(picture > 300)
            right = radiological if plane != "sagittal" else False
            assert (columns.mean() > picture.shape[1] / 2) == right
            assert rows.mean() < picture.shape[0] / 2


def test_clicks_zoom_layouts_and_outlines(qtbot, stage) -> None:
    scan, labels = volumes("LIA")
    stage.show_scan(scan)
    stage.show_segmentation("a", labels, load_protocol("first"))
    qtbot.wait(60)
    pane = stage.panes.planes["coronal"]
    before = stage.cursor
    qtbot.mouseClick(pane.overlay, Qt.MouseButton.LeftButton, pos=QPoint(150, 140))
    assert stage.cursor != before
    at = stage.cursor
    x, y = pane.lens.pixel(*pane.plane_mm(stage.scene.voxel))
    assert (x, y) == pytest.approx((150, 140), abs=pane.lens.zoom)
    for outline in (1, 2, 0):
        stage.set_outline(outline)
        stage.panes.zoom_by(pane, 1.5, pane.overlay.rect().center().toPointF())
        qtbot.wait(40)
        assert stage.screenshot().shape[-1] == 4
    stage.set_side_by_side(["a"])
    stage.set_layout("axial")
    stage.show_scan(None)
    qtbot.wait(40)
    assert stage.screenshot()[..., :3].mean() < 3
    assert stage.cursor == (0.0, 0.0, 0.0) != at


@pytest.mark.filterwarnings("error::FutureWarning", "error::DeprecationWarning:monet_app")
def test_nothing_that_napari_will_remove_is_used(qtbot, stage) -> None:
    scan, labels = volumes()
    stage.show_scan(scan)
    stage.show_segmentation("a", labels, load_protocol("first"))
    for layout in ("axial", "side-by-side", "four"):
        stage.set_layout(layout)
        qtbot.wait(30)
    stage.set_outline(1)
    stage.set_mesh_regions("a", [16])
    qtbot.waitUntil(lambda: stage.panes.solid.shown, timeout=20_000)
    stage.reset_view()
    stage.screenshot()
