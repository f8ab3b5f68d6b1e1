"""The choice of a model, with its card: what it finds, how well, from what, and where it fails."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFormLayout, QVBoxLayout, QWidget

from monet_app.boxes import choice_box
from monet_app.fold import Fold
from monet_app.segment.cards import KINDS, ModelCard
from monet_app.segment.model import SegmentModel
from monet_app.widgets import card, label
from monet_app.words import dice


class ModelView(QWidget):
    """The list of models and the card of the chosen one."""

    def __init__(self, model: SegmentModel) -> None:
        super().__init__()
        self._model = model
        self._drawn: ModelCard | None = None
        self.box = choice_box("Model", "Models that ship, are installed, or were trained here")
        self.box.activated.connect(lambda row: model.choose_model(Path(self.box.itemData(row))))
        self._summary = label("")
        self._warning = label("", "hint")
        self._details = QWidget()
        self._rows = QFormLayout(self._details)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._text = label("")
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self.fold = Fold("Read its card", self._folded(), "Scores, training data, licence, limits")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.box)
        layout.addWidget(card(self._summary, self._warning, self.fold))

    def _folded(self) -> QWidget:
        made = QWidget()
        layout = QVBoxLayout(made)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._details)
        layout.addWidget(self._text)
        return made

    def refresh(self) -> None:
        """Show the models as they are now."""
        paths = [self.box.itemData(row) for row in range(self.box.count())]
        if paths != [str(card.path) for card in self._model.cards]:
            self._fill()
        chosen = self._model.card
        if chosen is not None:
            self.box.setCurrentIndex(max(0, self.box.findData(str(chosen.path))))
            if chosen != self._drawn:
                self._draw(chosen)

    def _fill(self) -> None:
        self.box.clear()
        for each in self._model.cards:
            self.box.addItem(each.title, str(each.path))
            tip = f"{KINDS[each.kind]}, {each.created}"
            self.box.setItemData(self.box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)

    def _draw(self, chosen: ModelCard) -> None:
        self._drawn = chosen
        lines = [part.text for part in chosen.parts]
        trained = f"trained on {chosen.trained}" if chosen.trained else ""
        origin = ", ".join(part for part in (trained, chosen.spacing) if part)
        self._summary.setText("\n".join([*lines, origin]))
        self._warning.setText(chosen.failures)
        self._warning.setVisible(bool(chosen.failures))
        while self._rows.rowCount():
            self._rows.removeRow(0)
        for part in chosen.parts:
            for group, value in part.groups.items():
                self._rows.addRow(label(group, "hint"), label(dice(value)))
        self._rows.addRow(label("Made", "hint"), label(f"{chosen.created}, {KINDS[chosen.kind]}"))
        self._rows.addRow(label("Licence", "hint"), label(chosen.licence or "not stated"))
        text = chosen.text.replace(chosen.failures, "").strip()
        self._text.setText(text)
        self._text.setVisible(bool(text))
