"""Region, tools and brush while correcting; all of it by mouse or keyboard."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QButtonGroup,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QToolButton,
    QWidget,
)

from monet_app.atlas.brush import LARGEST_MM, SMALLEST_MM, TOOLS
from monet_app.atlas.correct import CorrectModel
from monet_app.boxes import choice_box, still
from monet_app.icons import icon
from monet_app.widgets import button, card, label, row

SWATCH = 16
PLANES = (("axial", "axial slices"), ("coronal", "coronal slices"), ("sagittal", "sagittal slices"))


def swatch(color: str, size: int = SWATCH) -> QPixmap:
    """A small square of a region's colour."""
    pixmap = QPixmap(size, size)
    pixmap.fill(QColor(color))
    return pixmap


class RegionCard(QWidget):
    """Which region is painted: from Regions, from under the cross-hair, or from the list."""

    def __init__(self, model: CorrectModel) -> None:
        super().__init__()
        self._model = model
        self.swatch = QLabel()
        self.swatch.setFixedSize(SWATCH, SWATCH)
        self.list = choice_box("Region to paint", "The region that the brush gives to voxels")
        self.list.activated.connect(lambda i: model.choose_region(int(self.list.itemData(i))))
        self.here = button(
            "Under the cross-hair", self._take_here, "Paint the region that the cross-hair is in",
            "mdi6.crosshairs",
        )  # fmt: skip
        self._layout(
            card(
                label("Region", "title"),
                row(self.swatch, self.list),
                self.here,
                label("Or click a region in Regions.", "hint"),
            )
        )

    def _layout(self, inside: QWidget) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(inside)

    def refresh(self) -> None:
        """Show the region that is chosen."""
        shown, region = self._model.shown, self._model.region
        if shown is None:
            return
        names = [f"{each.name}  ({each.index})" for each in shown.protocol.regions]
        if names != [self.list.itemText(i) for i in range(self.list.count())]:
            self._fill(names)
        with QSignalBlocker(self.list):
            self.list.setCurrentIndex(self.list.findData(self._model.brush.region))
        if region is not None:
            self.swatch.setPixmap(swatch(region.color))
            self.swatch.setToolTip(region.name)

    def _fill(self, names: list[str]) -> None:
        shown = self._model.shown
        if shown is None:
            return
        with QSignalBlocker(self.list):
            self.list.clear()
            for name, region in zip(names, shown.protocol.regions, strict=True):
                self.list.addItem(QIcon(swatch(region.color, 12)), name, region.index)

    def _take_here(self) -> None:
        if not self._model.region_under_cursor():
            self._model.session.notify(
                "info", "There is no region under the cross-hair.", "Move it into one."
            )


class ToolCard(QWidget):
    """Paint, erase, fill, pick; how large; undo, redo; between slices."""

    def __init__(self, model: CorrectModel) -> None:
        super().__init__()
        self._model = model
        self.tools: dict[str, QToolButton] = {}
        group = QButtonGroup(self)
        group.setExclusive(False)
        for key, word, picture, tip in TOOLS:
            made = _tool(word, picture, f"{tip}. Click again to only look.")
            made.clicked.connect(lambda on, key=key: model.take(key if on else None))
            group.addButton(made)
            self.tools[key] = made
        self.size = QDoubleSpinBox()
        self.size.setRange(SMALLEST_MM, LARGEST_MM)
        self.size.setSingleStep(0.5)
        self.size.setDecimals(1)
        self.size.setSuffix(" mm")
        self.size.setAccessibleName("Brush size")
        self.size.setToolTip("Diameter of the brush")
        self.size.valueChanged.connect(model.set_size)
        still(self.size)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(int(2 * SMALLEST_MM), int(2 * LARGEST_MM))
        self.slider.setAccessibleName("Brush size")
        self.slider.setToolTip("Diameter of the brush")
        self.slider.valueChanged.connect(lambda half: model.set_size(half / 2))
        still(self.slider)
        self.flat = _tool("Slice", "mdi6.circle-outline", "The brush works on the slice only")
        self.ball = _tool("3-D", "mdi6.sphere", "The brush is a ball; Fill works in 3-D")
        self.flat.clicked.connect(lambda: model.set_three_d(False))
        self.ball.clicked.connect(lambda: model.set_three_d(True))
        self.undo = button("Undo", model.undo, "Take the last stroke back (Ctrl+Z)", "mdi6.undo")
        self.redo = button("Redo", model.redo, "Do it again (Ctrl+Shift+Z)", "mdi6.redo")
        self.plane = choice_box("Slices", "In which plane the region was painted")
        for key, words in PLANES:
            self.plane.addItem(words, key)
        self.between = button(
            "Fill between", lambda: model.interpolate(self.plane.currentData()),
            "Paint the region on every few slices, then let the shapes between them be made",
            "mdi6.layers-plus",
        )  # fmt: skip
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(
            card(
                label("Tool", "title"),
                row(*self.tools.values(), None, gap=4),
                row(label("Brush", wrap=False), self.slider, self.size),
                row(self.flat, self.ball, None, gap=4),
                row(self.undo, self.redo, None),
                row(self.plane, self.between),
            )
        )

    def refresh(self) -> None:
        """Show what is in the hand."""
        brush = self._model.brush
        for key, made in self.tools.items():
            made.setChecked(brush.tool == key)
        with QSignalBlocker(self.size), QSignalBlocker(self.slider):
            self.size.setValue(brush.size_mm)
            self.slider.setValue(round(2 * brush.size_mm))
        self.flat.setChecked(not brush.three_d)
        self.ball.setChecked(brush.three_d)


def _tool(word: str, picture: str, tip: str) -> QToolButton:
    made = QToolButton()
    made.setText(word)
    made.setObjectName("tool")
    made.setIcon(icon(picture))
    made.toggled.connect(lambda on: made.setIcon(icon(picture, "on_accent" if on else "text")))
    made.setIconSize(QSize(18, 18))
    made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    made.setCheckable(True)
    made.setToolTip(tip)
    made.setAccessibleName(word)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return made
