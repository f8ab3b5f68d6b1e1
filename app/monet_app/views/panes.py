"""`Panes`: the planes and the 3-D view beside each other; their arrangement and common zoom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from qtpy.QtCore import QPointF, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from monet_app.stage.protocol import PLANES, Layout, Plane
from monet_app.views.canvas import Kind
from monet_app.views.pane import Pane
from monet_app.views.scene import Scene
from monet_app.views.solid import SolidPane

LEAST, MOST = 0.4, 40.0
GAP = 2


class Panes(QWidget):
    """Arranges panes, which have one zoom, so that lengths compare between them.

    `pane_made` is called with each pane, the fourth being made when columns first need it.
    """

    rezoomed = Signal()

    def __init__(
        self, scene: Scene, pane_made: Callable[[Pane], None], kind: Kind = "auto"
    ) -> None:
        super().__init__()
        self.setObjectName("views")
        self.scene = scene
        self.magnification = 1.0
        self.made: list[Pane] = []
        self._pane_made, self._kind = pane_made, kind
        self._columns = 0
        self.solid = SolidPane()
        self.busy = QLabel(self)
        self.busy.setObjectName("notice")
        self.busy.hide()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP)
        for part in (*(self._make(plane) for plane in PLANES), self.solid):
            part.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setFocusProxy(self.made[0])
        self.arrange("four")

    def _make(self, plane: Plane) -> Pane:
        pane = Pane(self.scene, plane, self._kind)
        pane.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        pane.resized.connect(self.fit_sizes)
        self.made.append(pane)
        self._pane_made(pane)
        return pane

    @property
    def planes(self) -> dict[Plane, Pane]:
        """The panes of the three planes."""
        return dict(zip(PLANES, self.made, strict=False))

    @property
    def columns(self) -> list[Pane]:
        """The panes that are side by side, if they are."""
        return self.made[: self._columns]

    # -- arrangement ------------------------------------------------------------------------

    def arrange(self, layout: Layout) -> None:
        """Four views, or one; for columns see `arrange_columns`."""
        self._columns = 0
        for view, plane in zip(self.made, PLANES, strict=False):
            self._show(view, plane)
        if layout == "four":
            self._place([[*self.made[:2]], [self.made[2], self.solid]])
        elif layout == "3d":
            self._place([[self.solid]])
        else:
            self._place([[view for view in self.made[:3] if view.plane == layout]])

    def arrange_columns(self, plane: Plane, columns: Sequence[tuple[str, str]]) -> None:
        """One view of `plane` per segmentation (key, title)."""
        self._columns = len(columns)
        while len(self.made) < len(columns):
            self._make(plane)
        for view, (key, title) in zip(self.made, columns, strict=False):
            self._show(view, plane, key, title)
        self._keep_together(self.made[0])
        self._place([self.made[: len(columns)]])

    def _show(self, view: Pane, plane: Plane, key: str | None = None, title: str = "") -> None:
        """What a pane shows; another plane than before starts in the middle of the scan."""
        another = view.plane != plane
        view.set_plane(plane, key or None, title)
        if another and self.scene.volume is not None:
            view.look(replace(view.lens, centre=view.middle()))

    def _place(self, rows: Sequence[Sequence[QWidget]]) -> None:
        placed = [view for row in rows for view in row]
        for view in (*self.made, self.solid):
            self._grid.removeWidget(view)
            if view not in placed:
                view.hide()
        for row in range(2):
            self._grid.setRowStretch(row, int(row < len(rows)))
        for column in range(len(self.made) + 1):
            self._grid.setColumnStretch(column, int(column < len(rows[0])))
        for row, views in enumerate(rows):
            for column, view in enumerate(views):
                self._grid.addWidget(view, row, column)
                view.show()
        self.busy.raise_()
        self.fit_sizes()

    def shown(self) -> Iterator[Pane]:
        """The plane views that are on the screen."""
        return (view for view in self.made if not view.isHidden())

    # -- zoom -------------------------------------------------------------------------------

    def reset(self) -> None:
        """The whole scan in every view."""
        self.magnification = 1.0
        if self.scene.volume is not None:
            for view in self.made:
                view.look(replace(view.lens, centre=view.middle()))
        self.fit_sizes()
        self.solid.reset()

    def show_scan(self) -> None:
        """Another scan: wherever it is, it is in the middle."""
        self.magnification = 1.0
        self._centre()
        self.fit_sizes()

    def _centre(self) -> None:
        if self.scene.volume is not None:
            for view in self.made:
                view.look(replace(view.lens, centre=view.middle()))

    def fit_sizes(self) -> None:
        """Zoom as the sizes of the views ask for; the magnification stays."""
        shown = list(self.shown())
        if self.scene.volume is None or not shown:
            return
        zoom = self.magnification * min(view.best_zoom() for view in shown)
        for view in shown:
            view.look(replace(view.lens, zoom=zoom))
        self.rezoomed.emit()

    def zoom_by(self, view: Pane, factor: float, at: QPointF) -> None:
        """Magnify all views: `view` around a point of it, the others around the crosshair."""
        new = min(max(self.magnification * factor, LEAST), MOST)
        factor, self.magnification = new / self.magnification, new
        for each in self.made:
            fixed = (
                each.lens.mm(at.x(), at.y()) if each is view else each.plane_mm(each.scene.voxel)
            )
            vertical, horizontal = (
                still - (still - centre) / factor
                for still, centre in zip(fixed, each.lens.centre, strict=True)
            )
            each.look(replace(each.lens, centre=(vertical, horizontal)))
        self._keep_together(view)
        self.fit_sizes()

    def pan(self, view: Pane, start: QPointF, stop: QPointF) -> None:
        """Move the picture of one view with the mouse."""
        was, now = (view.lens.mm(at.x(), at.y()) for at in (start, stop))
        centre = view.lens.centre
        moved = (centre[0] + was[0] - now[0], centre[1] + was[1] - now[1])
        view.look(replace(view.lens, centre=moved))
        self._keep_together(view)
        self.rezoomed.emit()

    def _keep_together(self, view: Pane) -> None:
        """Columns show the same part of their plane."""
        for each in self.columns:
            each.look(replace(each.lens, centre=view.lens.centre))

    # -- being busy -------------------------------------------------------------------------

    def set_busy(self, text: str) -> None:
        """Words in the middle of the top; the picture stays."""
        self.busy.setText(text)
        self.busy.setVisible(bool(text))
        self.busy.adjustSize()
        self._place_busy()

    def _place_busy(self) -> None:
        self.busy.move((self.width() - self.busy.width()) // 2, 8)
        self.busy.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Keep words in the middle."""
        super().resizeEvent(event)
        self._place_busy()

    def end(self) -> None:
        """Let go of all OpenGL canvases."""
        for view in self.made:
            view.end()
        self.solid.end()
