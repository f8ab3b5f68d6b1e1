"""The lower part of the Regions panel: how segmentations look."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QCheckBox, QGridLayout, QSlider, QSpinBox, QWidget

from monet_app.regions.model import RegionsModel
from monet_app.widgets import GAP, label

WIDEST = 5


class Looks(QWidget):
    """Opacity of all segmentations, and whether they are filled or outlined."""

    def __init__(self, model: RegionsModel) -> None:
        super().__init__()
        self._model = model
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setPageStep(10)
        self.opacity.setToolTip("How much of the scan is seen through the regions (A, D)")
        self.opacity.setAccessibleName("Opacity of the regions, in per cent")
        self.percent = label("", "hint", wrap=False)
        self.percent.setMinimumWidth(self.percent.fontMetrics().horizontalAdvance("100 %"))
        self.percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.outlined = QCheckBox("Outlines only")
        self.outlined.setToolTip("Draw the borders of the regions instead of filling them (O)")
        self.width_ = QSpinBox()
        self.width_.setRange(1, WIDEST)
        self.width_.setPrefix("width ")
        self.width_.setToolTip("How wide outlines are")
        self.width_.setAccessibleName("Width of outlines")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GAP)
        grid.addWidget(label("Opacity", "hint", wrap=False), 0, 0)
        grid.addWidget(self.opacity, 0, 1)
        grid.addWidget(self.percent, 0, 2)
        grid.addWidget(self.outlined, 1, 0, 1, 2)
        grid.addWidget(self.width_, 1, 1, 1, 2, Qt.AlignmentFlag.AlignRight)
        grid.setColumnStretch(1, 1)
        self.refresh()
        self.opacity.valueChanged.connect(self._opacity_moved)
        self.outlined.toggled.connect(self._outline_chosen)
        self.width_.valueChanged.connect(self._outline_chosen)
        model.looks.connect(self.refresh)

    def refresh(self) -> None:
        """Show the settings as they are now."""
        settings = self._model.session.settings
        blocked = [QSignalBlocker(each) for each in (self.opacity, self.outlined, self.width_)]
        self.opacity.setValue(round(100 * settings.opacity))
        self.outlined.setChecked(settings.outline > 0)
        if settings.outline:
            self.width_.setValue(settings.outline)
        del blocked
        self._say()

    def _say(self) -> None:
        self.percent.setText(f"{self.opacity.value()} %")
        self.width_.setEnabled(self.outlined.isChecked())

    def _opacity_moved(self, percent: int) -> None:
        self._model.set_opacity(percent / 100)
        self._say()

    def _outline_chosen(self, _: object) -> None:
        self._model.set_outline(self.width_.value() if self.outlined.isChecked() else 0)
        self._say()
