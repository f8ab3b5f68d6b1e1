"""What mouse and keys do in a plane: move the crosshair, scroll, zoom, pan, or paint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

from monet_app.views.display import AXES
from monet_app.views.pane import Pane

if TYPE_CHECKING:
    from monet_app.views.ortho import OrthoStage

NOTCH = 120
FAST = 5
ZOOM_NOTCH = 1.15
ZOOM_PIXELS = 200.0
_KEYS = {
    Qt.Key.Key_Up: (1, 1),
    Qt.Key.Key_Down: (1, -1),
    Qt.Key.Key_Right: (2, 1),
    Qt.Key.Key_Left: (2, -1),
    Qt.Key.Key_PageUp: (0, 1),
    Qt.Key.Key_PageDown: (0, -1),
}
"""Keys -> which of the plane's axes (slices, vertical, horizontal), and which way on the screen."""
_SHIFT = Qt.KeyboardModifier.ShiftModifier
_CONTROL = Qt.KeyboardModifier.ControlModifier


class Mouse:
    """Listens to one pane's overlay and tells the stage what is meant."""

    def __init__(self, pane: Pane, stage: OrthoStage) -> None:
        self.pane = pane
        self.stage = stage
        self._last = QPointF()
        self._left_over = 0
        overlay = pane.overlay
        overlay.pressed.connect(self._press)
        overlay.moved.connect(self._move)
        overlay.released.connect(self._release)
        overlay.doubled.connect(self._double)
        overlay.scrolled.connect(self._scroll)
        overlay.keyed.connect(self._key)
        overlay.left.connect(lambda: overlay.set_ring(None))

    def _press(self, event: QMouseEvent) -> None:
        self._last = event.position()
        if not self.stage.has_scan:
            return
        button = event.button()
        if self.stage.painter.active and button in (
            Qt.MouseButton.LeftButton,
            Qt.MouseButton.RightButton,
        ):
            erase = button == Qt.MouseButton.RightButton
            self.stage.painter.press(self.pane.plane, self.pane.index_at(self._last), erase)
        elif button == Qt.MouseButton.LeftButton:
            self.stage.move_to(self.pane.index_at(self._last))

    def _move(self, event: QMouseEvent) -> None:
        at, buttons = event.position(), event.buttons()
        if not self.stage.has_scan:
            return
        painter = self.stage.painter
        if painter.active:
            self.show_ring(at)
        if painter.pressed:
            painter.move(self.pane.index_at(at))
        elif buttons & Qt.MouseButton.MiddleButton:
            self.stage.panes.pan(self.pane, self._last, at)
        elif buttons & Qt.MouseButton.RightButton:
            factor = ZOOM_NOTCH ** ((self._last.y() - at.y()) / ZOOM_PIXELS * 10)
            self.stage.panes.zoom_by(self.pane, factor, QPointF(self.pane.overlay.rect().center()))
        elif buttons & Qt.MouseButton.LeftButton or event.modifiers() & _SHIFT:
            self.stage.move_to(self.pane.index_at(at))
        self._last = at

    def _release(self, _: QMouseEvent) -> None:
        if self.stage.painter.pressed:
            self.stage.painter.release()

    def _double(self, event: QMouseEvent) -> None:
        if self.stage.painter.active:
            self._press(event)
        elif event.button() == Qt.MouseButton.LeftButton:
            self.stage.maximise(self.pane.plane)

    def _scroll(self, event: QWheelEvent) -> None:
        delta = event.angleDelta().y() or event.angleDelta().x()
        if not self.stage.has_scan or not delta:
            return
        if event.modifiers() & _CONTROL:
            factor = ZOOM_NOTCH ** (delta / NOTCH)
            self.stage.panes.zoom_by(self.pane, factor, event.position())
            return
        # Touchpads send parts of a notch: they add up.
        self._left_over += delta
        notches = int(self._left_over / NOTCH)
        self._left_over -= notches * NOTCH
        if notches:
            fast = FAST if event.modifiers() & _SHIFT else 1
            self.stage.step(self.pane.plane, notches * fast)

    def _key(self, event: QKeyEvent) -> None:
        step = _KEYS.get(Qt.Key(event.key()))
        if step is None or not self.stage.has_scan or event.modifiers() & _CONTROL:
            return
        which, way = step
        if which == 2 and not self.pane.lens.rightwards:
            way = -way
        voxel = [float(each) for each in self.stage.scene.voxel]
        voxel[AXES[self.pane.plane][which]] += way * (FAST if event.modifiers() & _SHIFT else 1)
        self.stage.move_to(voxel)
        event.accept()

    def show_ring(self, at: QPointF) -> None:
        """The brush under the mouse."""
        radius = self.stage.painter.brush_mm / 2 * self.pane.lens.zoom
        ring = (at.x(), at.y(), radius, radius) if self.stage.painter.brushes else None
        self.pane.overlay.set_ring(ring)
