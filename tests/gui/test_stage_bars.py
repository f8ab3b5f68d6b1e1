"""The toolbar over the views with its keys, and the strip under them."""

from __future__ import annotations

import phantoms
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QToolButton
from stage_volumes import RIGHT_PUTAMEN_MM, volumes

from monet_app.views.strip import CursorStrip
from monet_app.views.toolbar import OWN_LEVELS, StageToolbar
from monet_core.protocols import load_protocol

FIRST = load_protocol("first")


@pytest.fixture
def dressed(qtbot, stage):
    """The stage with its bars, two segmentations on it, and the keyboard."""
    toolbar, strip = StageToolbar(stage), CursorStrip(stage)
    stage.widget.add_above(toolbar)
    stage.widget.add_below(strip)
    toolbar.add_keys(stage.widget)
    scan, labels = volumes("PIR")
    stage.show_scan(scan, "sub-01")
    stage.show_segmentation("a", labels, FIRST, "FIRST")
    stage.show_segmentation("b", labels, FIRST, "Ours")
    stage.go_to(RIGHT_PUTAMEN_MM)
    stage.widget.activateWindow()
    stage.panes.planes["axial"].overlay.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is not None)
    qtbot.wait(30)
    return stage, toolbar, strip


def press(qtbot, stage, key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.keyClick(stage.panes.planes["axial"].overlay, key, modifier)


def test_the_strip_names_the_region_in_every_segmentation(qtbot, dressed) -> None:
    stage, _, strip = dressed
    assert "R 18.5  A 4.5  S 0.5 mm   T1 560" in strip.text
    assert "FIRST: Right-Putamen (51)" in strip.text
    assert "Ours: Right-Putamen (51)" in strip.text
    stage.remove_segmentation("b")
    qtbot.waitUntil(lambda: "Ours" not in strip.text)
    stage.go_to((-25, -30, -20))
    qtbot.waitUntil(lambda: "FIRST: –" in strip.text)
    stage.show_scan(None)
    qtbot.waitUntil(lambda: "FIRST" not in strip.text)


def test_keys_change_the_overlay(qtbot, dressed) -> None:
    stage, toolbar, _ = dressed
    stage.set_visible("b", False)
    press(qtbot, stage, Qt.Key.Key_S)
    assert [on.visible for on in stage.segmentations.values()] == [False, False]
    press(qtbot, stage, Qt.Key.Key_S)
    assert [on.visible for on in stage.segmentations.values()] == [True, False]
    opacity = stage.opacity
    press(qtbot, stage, Qt.Key.Key_D)
    assert stage.opacity == pytest.approx(opacity + 0.1)
    assert toolbar.opacity.value() == round(100 * stage.opacity)
    press(qtbot, stage, Qt.Key.Key_A)
    assert stage.opacity == pytest.approx(opacity)
    press(qtbot, stage, Qt.Key.Key_O)
    assert stage.outline == 1
    press(qtbot, stage, Qt.Key.Key_O)
    assert stage.outline == 0
    press(qtbot, stage, Qt.Key.Key_L, Qt.KeyboardModifier.AltModifier)
    assert not stage.letters


def test_only_the_region_under_the_crosshair_and_back(qtbot, dressed) -> None:
    stage, _, _ = dressed
    press(qtbot, stage, Qt.Key.Key_I)
    assert stage.scene.segmentations["a"].only == {phantoms.RIGHT_PUTAMEN}
    assert stage.scene.segmentations["b"].only == {phantoms.RIGHT_PUTAMEN}
    press(qtbot, stage, Qt.Key.Key_I)
    assert stage.scene.segmentations["a"].only is None


def test_r_shows_everything_again(qtbot, dressed) -> None:
    stage, _, _ = dressed
    pane = stage.panes.planes["axial"]
    zoom = pane.lens.zoom
    stage.panes.zoom_by(pane, 3.0, pane.overlay.rect().center().toPointF())
    assert pane.lens.zoom == pytest.approx(3 * zoom)
    press(qtbot, stage, Qt.Key.Key_R)
    assert pane.lens.zoom == pytest.approx(zoom)


def test_buttons_follow_the_stage_and_change_it(qtbot, dressed) -> None:
    stage, toolbar, _ = dressed
    for layout in ("axial", "3d", "side-by-side", "four"):
        button = toolbar._layouts[layout]
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert stage.layout == layout
        assert [name for name, each in toolbar._layouts.items() if each.isChecked()] == [layout]
    qtbot.mouseClick(toolbar.sides, Qt.MouseButton.LeftButton)
    assert not stage.radiological
    assert "left is on the left" in toolbar.sides.toolTip()
    toolbar.opacity.setValue(80)
    assert stage.opacity == pytest.approx(0.8)
    outlines = []
    for _ in range(3):
        qtbot.mouseClick(toolbar.fill, Qt.MouseButton.LeftButton)
        outlines.append(stage.outline)
    assert outlines == [1, 2, 0]


def test_levels_follow_and_are_chosen(qtbot, dressed) -> None:
    stage, toolbar, _ = dressed
    assert toolbar.levels.currentText() == "Brain"
    toolbar.levels.setCurrentText("Full range")
    toolbar.levels.activated.emit(toolbar.levels.currentIndex())
    assert stage.levels == stage.levels_presets["Full range"]
    stage.set_levels(100, 200)
    assert toolbar.levels.currentText() == OWN_LEVELS
    stage.show_scan(None)
    assert not toolbar.levels.isEnabled()


def test_everything_is_reached_by_keyboard_and_named(dressed) -> None:
    _, toolbar, _ = dressed
    for button in toolbar.findChildren(QToolButton):
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert button.toolTip(), "without a word of what it does"
        assert button.accessibleName()
