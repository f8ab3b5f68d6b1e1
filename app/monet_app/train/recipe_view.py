"""The recipe of a training: Quick, Paper or Best, and everything under Advanced."""

from __future__ import annotations

from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from monet_app.fold import Fold
from monet_app.train.form_view import FormView
from monet_app.train.model import TrainModel
from monet_app.train.presets import PRESETS
from monet_app.widgets import column, label


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
        self.form: FormView | None = None
        self._holder = column()
        self.advanced = Fold("Advanced", self._holder, "Every setting of the training")
        self.advanced.toggled.connect(self._unfold)
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

    def _unfold(self, _: bool) -> None:
        """Some sixty editors, made when they are first asked for."""
        layout = self._holder.layout()
        if self.form is None and layout is not None:
            self.form = FormView(self._model)
            layout.addWidget(self.form)

    def refresh(self) -> None:
        """Show what is chosen."""
        preset = self._model.setup.preset
        self.buttons[preset.key].setChecked(True)
        self._sentence.setText(preset.help)
