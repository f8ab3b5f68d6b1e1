"""The views, driven as users drive them: what is on which side, clicked, painted, laid over."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import phantoms
import pytest
from qtpy.QtCore import QPoint, Qt

from monet_app.views.ortho import OrthoStage
from monet_core.protocols import load_protocol
from monet_core.scans import Geometry, LabelMap, Scan, forms_from_affine

LESION = (-14.0, 20.0, 12.0)
"""Bright and on the left only (tests/phantoms.py)."""
RIGHT_PUTAMEN_MM = (19.0, 5.0, 1.0)


def volumes(codes: str = "RAS", seed: int = 0) -> tuple[Scan, LabelMap]:
    image, labels, affine = phantoms.brain_phantom(seed=seed, noise=0.0)
    stored, there = phantoms.reoriented(image, affine, codes)
    indices, _ = phantoms.reoriented(labels, affine, codes)
    geometry = Geometry(stored.shape, there)
    forms = forms_from_affine(there)
    scan = Scan(np.ascontiguousarray(stored), geometry, forms)
    return scan, LabelMap(indices.astype(np.int32), geometry, forms)


@pytest.fixture
def stage(qtbot):
    made = OrthoStage()
    made.widget.resize(900, 700)
    qtbot.addWidget(made.widget)
    made.widget.show()
    qtbot.waitExposed(made.widget)
    yield made
    made.close()


def look(qtbot, stage: OrthoStage) -> np.ndarray:
    """Brightness (H, W) of all that is shown, without the marks."""
    stage.set_crosshair(False)
    stage.set_letters(False)
    qtbot.wait(60)
    return stage.screenshot()[..., :3].astype(float).sum(axis=-1)


@pytest.mark.parametrize("codes", ["RAS", "LAS", "LPS", "PIR", "LIA", "ASL"])
@pytest.mark.parametrize("plane", ["axial", "coronal"])
def test_left_is_on_its_side_however_the_file_is_stored(qtbot, stage, codes, plane) -> None:
    scan, _ = volumes(codes)
    stage.show_scan(scan, codes)
    stage.set_layout(plane)
    stage.set_levels(900, 1000)  # nothing but the lesion is this bright
    stage.go_to(LESION)
    for radiological in (True, False):
        stage.set_radiological(radiological)
        picture = look(qtbot, stage)
        rows, columns = np.nonzero(picture > 300)
        assert len(columns), "the lesion is not in this slice"
        on_the_right = columns.mean() > picture.shape[1] / 2
        assert on_the_right == radiological
        assert rows.mean() < picture.shape[0] / 2  # in front (axial), above (coronal)
        letters = stage.panes.planes[plane].marks().letters
        assert not any(letters)
        stage.set_letters(True)
        left, right = stage.panes.planes[plane].marks().letters[2:]
        assert (left, right) == (("R", "L") if radiological else ("L", "R"))


def test_a_click_moves_the_crosshair_to_what_was_clicked(qtbot, stage) -> None:
    scan, labels = volumes("PIR")
    stage.show_scan(scan)
    stage.show_segmentation("a", labels, load_protocol("first"), "FIRST")
    stage.go_to(RIGHT_PUTAMEN_MM)
    for plane, pane in stage.panes.planes.items():
        stage.go_to(RIGHT_PUTAMEN_MM)
        where = pane.marks().cross
        stage.go_to((0, 0, 0))
        if plane == "sagittal":
            stage.go_to((RIGHT_PUTAMEN_MM[0], 0, 0))
        elif plane == "coronal":
            stage.go_to((0, RIGHT_PUTAMEN_MM[1], 0))
        else:
            stage.go_to((0, 0, RIGHT_PUTAMEN_MM[2]))
        at = QPoint(round(where[0]), round(where[1]))
        qtbot.mouseClick(pane.view.canvas.native, Qt.MouseButton.LeftButton, pos=at)
        qtbot.waitUntil(lambda: np.allclose(stage.cursor, RIGHT_PUTAMEN_MM, atol=1.0))
        assert stage.probe(stage.cursor).regions == {"a": phantoms.RIGHT_PUTAMEN}


def test_labels_on_another_grid_lie_over_the_same_anatomy(stage) -> None:
    scan, _ = volumes("LPS")
    _, other = volumes("PIR")
    stage.show_scan(scan)
    stage.show_segmentation("same axes", other, load_protocol("first"))
    turn = np.eye(4)
    turn[:3, :3] = nib.eulerangles.euler2mat(z=np.radians(12), x=np.radians(7))
    turned = LabelMap(
        other.data, Geometry(other.geometry.shape, turn @ other.geometry.affine), other.forms
    )
    stage.show_segmentation("turned", turned, load_protocol("first"))
    assert stage.probe(RIGHT_PUTAMEN_MM).regions["same axes"] == phantoms.RIGHT_PUTAMEN
    there = (turn @ [*RIGHT_PUTAMEN_MM, 1])[:3]
    assert stage.probe(there).regions["turned"] == phantoms.RIGHT_PUTAMEN
    assert (stage.edited_labels("turned") == turned.data).all()
    assert (stage.edited_labels("same axes") == other.data).all()


def test_painting_in_one_view_is_seen_in_the_others_and_undone(qtbot, stage) -> None:
    scan, labels = volumes("LIA")
    stage.show_scan(scan)
    stage.show_segmentation("a", labels, load_protocol("first"))
    changed = []
    stage.edited.connect(changed.append)
    spot = (-14.0, -20.0, 12.0)
    stage.go_to(spot)
    assert stage.probe(spot).regions["a"] == 0
    stage.edit("a", phantoms.LEFT_THALAMUS, "paint", brush_mm=4.0)
    pane = stage.panes.planes["coronal"]
    x, y = pane.marks().cross
    native = pane.view.canvas.native
    qtbot.mousePress(native, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    qtbot.mouseRelease(native, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    qtbot.waitUntil(lambda: bool(changed))
    assert stage.probe(spot).regions["a"] == phantoms.LEFT_THALAMUS
    painted = stage.edited_labels("a")
    assert painted.shape == labels.data.shape
    assert 4 < (painted != labels.data).sum() < 40
    stage.edit(None)
    stage.set_layout("axial")
    stage.undo()
    assert (stage.edited_labels("a") == labels.data).all()
    stage.redo()
    assert (stage.edited_labels("a") == painted).all()


def test_a_shape_is_filled_in_between_slices(stage) -> None:
    scan, labels = volumes()
    k = 40
    data = np.zeros_like(labels.data)
    data[30:40, 30:40, k] = data[32:38, 32:38, k + 4] = 10
    stage.show_scan(scan)
    stage.show_segmentation("a", LabelMap(data, labels.geometry, labels.forms),
                            load_protocol("first"))  # fmt: skip
    assert stage.interpolate("a", 10, "axial") > 0
    filled = stage.edited_labels("a")
    sizes = [int((filled[..., k + step] == 10).sum()) for step in range(5)]
    assert sizes == sorted(sizes, reverse=True)
    assert all(sizes)
    stage.undo()
    assert (stage.edited_labels("a") == data).all()


def test_side_by_side_has_a_column_each_and_goes_away(qtbot, stage) -> None:
    scan, labels = volumes()
    first = load_protocol("first")
    stage.show_scan(scan)
    for key in ("a", "b", "c"):
        stage.show_segmentation(key, labels, first, f"by {key}")
    stage.set_side_by_side(["a", "c"], "coronal")
    assert stage.layout == "side-by-side"
    assert [pane.title for pane in stage.panes.columns] == ["by a", "by c"]
    stage.go_to(RIGHT_PUTAMEN_MM)
    crosses = [pane.marks().cross for pane in stage.panes.columns]
    assert np.allclose(*crosses, atol=1.5)
    stage.set_layout("four")
    assert not stage.panes.columns
    assert all(len(held.views) == 3 for held in stage._held.values())


def test_three_d_is_drawn_when_asked_for(qtbot, stage) -> None:
    scan, labels = volumes()
    stage.show_scan(scan)
    stage.show_segmentation("a", labels, load_protocol("first"))
    assert not stage.panes.solid.shown
    qtbot.mouseClick(stage.panes.solid.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: stage.panes.solid.shown, timeout=20_000)
    stage.set_layout("3d")
    qtbot.wait(200)
    picture = stage.screenshot()[..., :3]
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 10


def test_hidden_and_unknown_regions(qtbot, stage) -> None:
    scan, labels = volumes()
    strange = labels.data.copy()
    strange[strange == phantoms.RIGHT_PUTAMEN] = 777
    stage.show_scan(scan)
    stage.show_segmentation("a", LabelMap(strange, labels.geometry, labels.forms),
                            load_protocol("first"))  # fmt: skip
    stage.set_opacity(1.0)
    stage.set_layout("axial")
    stage.go_to(RIGHT_PUTAMEN_MM)
    look(qtbot, stage)
    magenta = (np.abs(stage.screenshot()[..., :3].astype(int) - [255, 0, 255]) < 30).all(-1)
    assert magenta.sum() > 50
    stage.set_hidden("a", load_protocol("first").indices)
    stage.isolate("a", [phantoms.LEFT_PUTAMEN])
    qtbot.wait(60)
    picture = stage.screenshot()[..., :3].astype(int)
    assert not (np.abs(picture - [255, 0, 255]) < 30).all(-1).any()
    coloured = np.ptp(picture, axis=-1) > 30
    assert coloured.any()
    assert np.nonzero(coloured)[1].mean() > picture.shape[1] / 2  # the left one, on the right


def test_another_scan_takes_everything_along(stage) -> None:
    scan, labels = volumes()
    stage.show_scan(scan)
    stage.show_segmentation("a", labels, load_protocol("first"))
    stage.show_map("m", np.ones(scan.data.shape, np.float32), scan.geometry)
    other, _ = volumes("PIR", seed=3)
    stage.show_scan(other)
    assert not stage.segmentations
    assert stage.probe((0, 0, 0)).maps == {}
    stage.show_scan(None)
    assert stage.probe((0, 0, 0)).intensity is None
    with pytest.raises(ValueError, match="needs a scan"):
        stage.show_segmentation("a", labels, load_protocol("first"))
