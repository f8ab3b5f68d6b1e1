"""The toolbar over the views: layout, sides, levels, overlay; and the keys of the views."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from monet_app.icons import icon
from monet_app.stage.protocol import Layout, Stage

STEP = 0.1
_LAYOUTS: tuple[tuple[Layout, str, str], ...] = (
    ("four", "mdi6.view-grid-outline", "Three planes and 3-D"),
    ("axial", "mdi6.alpha-a-box-outline", "Axial alone"),
    ("coronal", "mdi6.alpha-c-box-outline", "Coronal alone"),
    ("sagittal", "mdi6.alpha-s-box-outline", "Sagittal alone"),
    ("3d", "mdi6.cube-outline", "3-D alone"),
    ("side-by-side", "mdi6.view-column-outline", "Segmentations side by side"),
)
_WIDTHS = ("Regions are filled", "Thin outlines", "Thick outlines")
_WIDTH_ICONS = ("mdi6.square", "mdi6.square-outline", "mdi6.square-medium-outline")
OWN_LEVELS = "Own"


class StageToolbar(QWidget):
    """Buttons that read and set the stage; what else changes it is followed."""

    def __init__(self, stage: Stage, changed: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._stage, self._changed = stage, changed
        self._last_outline = 1
        self._put_away: list[str] = []
        self._alone: tuple[tuple[str, int], ...] = ()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 3, 8, 3)
        layout.setSpacing(4)
        self._layouts = {name: self._button(image, tip, lambda n=name: stage.set_layout(n))
                         for name, image, tip in _LAYOUTS}  # fmt: skip
        self.sides = self._button("mdi6.swap-horizontal", "Swap the sides", self.swap_sides)
        self.cross = self._button("mdi6.crosshairs", "Cross-hair", self._toggle_cross)
        self.letters = self._button("mdi6.alphabetical-variant", "Letters of orientation (Alt+L)",
                                    self._toggle_letters)  # fmt: skip
        self.reset = self._button("mdi6.fit-to-page-outline", "Whole scan in view (R)",
                                  stage.reset_view)  # fmt: skip
        self.levels = QComboBox()
        self.levels.setToolTip("Which intensities are drawn black and white")
        self.levels.setAccessibleName("Window and level")
        self.levels.setMinimumWidth(70)
        self.levels.activated.connect(self._choose_levels)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setMinimumWidth(50)
        self.opacity.setMaximumWidth(110)
        self.opacity.setToolTip("How strongly segmentations cover the scan (A fainter, D stronger)")
        self.opacity.setAccessibleName("Opacity of segmentations")
        self.opacity.valueChanged.connect(lambda value: self._set_opacity(value / 100))
        self.fill = self._button("mdi6.square", "Filled or outlines", self.next_outline)
        for made in self._layouts.values():
            layout.addWidget(made)
        layout.addSpacing(8)
        for part in (self.sides, self.cross, self.letters, self.reset):
            layout.addWidget(part)
        layout.addStretch(1)
        for part in (QLabel("Contrast"), self.levels, QLabel("Overlay"), self.opacity, self.fill):
            layout.addWidget(part)
        stage.viewChanged.connect(self.refresh)
        stage.layoutChanged.connect(lambda _: self.refresh())
        self.refresh()

    # -- what the buttons and keys do -------------------------------------------------------

    def swap_sides(self) -> None:
        """Radiological to neurological and back."""
        self._stage.set_radiological(not self._stage.radiological)
        self._changed()

    def switch_outline(self) -> None:
        """Fill to outline and back."""
        self._last_outline = self._stage.outline or self._last_outline
        self._stage.set_outline(0 if self._stage.outline else self._last_outline)
        self._changed()

    def next_outline(self) -> None:
        """Filled, thin outlines, thick outlines, and round."""
        self._stage.set_outline((self._stage.outline + 1) % 3)
        self._changed()

    def switch_segmentations(self) -> None:
        """Hide all segmentations, or show them again."""
        shown = [key for key, on in self._stage.segmentations.items() if on.visible]
        for key in shown or self._put_away or list(self._stage.segmentations):
            self._stage.set_visible(key, not shown)
        self._put_away = shown

    def change_opacity(self, by: float) -> None:
        """Fainter or stronger."""
        self._set_opacity(min(1.0, max(0.0, round(self._stage.opacity + by, 2))))

    def isolate_here(self) -> None:
        """Only the region under the cross-hair, and back."""
        regions = self._stage.probe(self._stage.cursor).regions
        here = tuple((key, index) for key, index in regions.items() if index)
        alone, self._alone = self._alone, () if here == self._alone else here
        for key, _ in alone:
            self._stage.isolate(key, None)
        for key, index in self._alone:
            self._stage.isolate(key, [index])

    def add_keys(self, widget: QWidget) -> None:
        """Make the keys of the views work wherever the keyboard is inside `widget`."""
        keys: dict[str, Callable[[], None]] = {
            "S": self.switch_segmentations,
            "A": lambda: self.change_opacity(-STEP),
            "D": lambda: self.change_opacity(STEP),
            "O": self.switch_outline,
            "I": self.isolate_here,
            "R": self._stage.reset_view,
            "Alt+L": self._toggle_letters,
        }
        for key, does in keys.items():
            made = QShortcut(QKeySequence(key), widget)
            made.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            made.activated.connect(does)

    # -- inside -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what the stage says."""
        stage = self._stage
        for name, made in self._layouts.items():
            made.setCheckable(True)
            made.setChecked(stage.layout == name)
        side = "right" if stage.radiological else "left"
        way = "radiological" if stage.radiological else "neurological"
        self.sides.setToolTip(f"The patient's left is on the {side} ({way}); click to swap")
        self.sides.setText("R | L" if stage.radiological else "L | R")
        self.sides.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.cross.setCheckable(True)
        self.cross.setChecked(stage.crosshair)
        self.letters.setCheckable(True)
        self.letters.setChecked(stage.letters)
        self._refresh_levels()
        self.opacity.blockSignals(True)
        self.opacity.setValue(round(100 * stage.opacity))
        self.opacity.blockSignals(False)
        width = min(stage.outline, 2)
        self.fill.setIcon(icon(_WIDTH_ICONS[width]))
        self.fill.setToolTip(f"{_WIDTHS[width]}; click for {_WIDTHS[(width + 1) % 3].lower()} (O)")

    def _refresh_levels(self) -> None:
        presets = self._stage.levels_presets
        names = [*presets, OWN_LEVELS] if presets else []
        if names != [self.levels.itemText(i) for i in range(self.levels.count())]:
            self.levels.clear()
            self.levels.addItems(names)
        self.levels.setEnabled(bool(presets))
        chosen = [name for name, levels in presets.items() if levels == self._stage.levels]
        self.levels.setCurrentText(chosen[0] if chosen else OWN_LEVELS)

    def _set_opacity(self, opacity: float) -> None:
        self._stage.set_opacity(opacity)
        self._changed()

    def _toggle_cross(self) -> None:
        self._stage.set_crosshair(not self._stage.crosshair)

    def _toggle_letters(self) -> None:
        self._stage.set_letters(not self._stage.letters)

    def _choose_levels(self, _: int) -> None:
        levels = self._stage.levels_presets.get(self.levels.currentText())
        if levels is not None:
            self._stage.set_levels(*levels)

    def _button(self, image: str, tip: str, clicked: Callable[[], None]) -> QToolButton:
        made = QToolButton()
        made.setIcon(icon(image))
        made.setToolTip(tip)
        made.setAccessibleName(tip)
        made.setAutoRaise(True)
        made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        made.clicked.connect(lambda: clicked())
        return made
