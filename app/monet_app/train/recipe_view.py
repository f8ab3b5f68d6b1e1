"""The recipe of a training: Quick, Paper or Best, and everything under Advanced."""

from __future__ import annotations

from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from monet_app.fold import Fold
from monet_app.train.form_view import FormView
from monet_app.train.model import TrainModel
from monet_app.train.presets import PRESETS
from monet_app.widgets import label


class RecipeView(QWidget):
    """Three buttons with a sentence, and the form."""

    def __init__(self, model: TrainModel) -> None:
        super().__init__()
        self._model = model
        self.buttons: dict[str, QPushButton] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._presets())
        self._sentence = label("", "hint")
        layout.addWidget(self._sentence)
        self.form = FormView(model)
        self.advanced = Fold("Advanced", self.form, "Every setting of the training")
        layout.addWidget(self.advanced)
        model.changed.connect(self.refresh)
        self.refresh()

    def _presets(self) -> QHBoxLayout:
        across = QHBoxLayout()
        across.setSpacing(0)
        group = QButtonGroup(self)
        for preset in PRESETS.values():
            made = QPushButton(preset.text)
            made.setCheckable(True)
            made.setToolTip(preset.help)
            made.clicked.connect(lambda _, each=preset: self._model.choose_preset(each))
            group.addButton(made)
            self.buttons[preset.key] = made
            across.addWidget(made)
        return across

    def refresh(self) -> None:
        """Show what is chosen."""
        preset = self._model.setup.preset
        self.buttons[preset.key].setChecked(True)
        self._sentence.setText(preset.help)
