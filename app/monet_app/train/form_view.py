"""Every setting of a training as an editor, made from `form.setting_fields`."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from monet_app.boxes import still
from monet_app.fold import Fold
from monet_app.train.form import GROUPS, SettingField, get, read, setting_fields, shown
from monet_app.train.model import TrainModel
from monet_app.widgets import button, label, row
from monet_app.words import count

_MOST = 2**31 - 1
_DECIMALS = 6


class FormView(QWidget):
    """A fold per group of settings; what differs from the preset is marked and can be undone."""

    def __init__(self, model: TrainModel) -> None:
        super().__init__()
        self._model = model
        self.editors: dict[str, SettingEditor] = {}
        self._changed = label("", "hint")
        self.reset = button(
            "Undo changes", model.reset_changes, "All settings as the preset has them", "mdi6.undo"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 0, 0)
        layout.addWidget(row(self._changed, self.reset))
        fields = setting_fields()
        for group in GROUPS:
            layout.addWidget(self._group(group, [each for each in fields if each.group == group]))
        model.values_changed.connect(self.refresh)
        self.refresh()

    def _group(self, group: str, fields: list[SettingField]) -> Fold:
        content = QWidget()
        form = QFormLayout(content)
        form.setContentsMargins(16, 0, 0, 8)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        for field in fields:
            editor = SettingEditor(field, self._model)
            self.editors[field.path] = editor
            if field.kind == "flag":
                form.addRow(editor.widget)
            else:
                form.addRow(editor.label, editor.widget)
        return Fold(group, content)

    def refresh(self) -> None:
        """Show the values as they are now."""
        values, changes = self._model.values, self._model.setup.changes
        for path, editor in self.editors.items():
            editor.show_value(get(values, path), path in changes)
        number = len(changes)
        self._changed.setText(f"{count(number, 'setting')} changed" if number else "As the preset")
        self.reset.setVisible(bool(number))


class SettingEditor:
    """One setting: a label and what it is edited with."""

    def __init__(self, field: SettingField, model: TrainModel) -> None:
        self.field, self._model = field, model
        self.label = label(field.label, "hint")
        self.widget = self._make()
        tip = f"{field.help}\n" if field.help else ""
        for part in (self.label, self.widget):
            part.setToolTip(f"{tip}{field.path}")
        self.widget.setAccessibleName(field.label)
        still(self.widget)

    def _make(self) -> QWidget:
        makers = {"flag": self._flag, "choice": self._choice, "integer": self._integer,
                  "number": self._number}  # fmt: skip
        return makers.get(self.field.kind, self._text)()

    def _flag(self) -> QWidget:
        made = QCheckBox(self.field.label)
        made.toggled.connect(self._change)
        return made

    def _choice(self) -> QWidget:
        made = QComboBox()
        made.addItems(self.field.choices)
        made.textActivated.connect(self._change)
        return made

    def _integer(self) -> QWidget:
        made = QSpinBox()
        made.setRange(_whole(self.field.low, -_MOST), _whole(self.field.high, _MOST))
        made.setSuffix(f" {self.field.unit}" if self.field.unit else "")
        made.setKeyboardTracking(False)
        made.valueChanged.connect(self._change)
        return made

    def _number(self) -> QWidget:
        made = _Number()
        low, high = self.field.low, self.field.high
        made.setRange(-1e9 if low is None else low, 1e9 if high is None else high)
        made.setSuffix(f" {self.field.unit}" if self.field.unit else "")
        made.setKeyboardTracking(False)
        made.setSingleStep(0.05 if high is not None and high <= 1 else 0.5)
        made.valueChanged.connect(lambda value: self._change(round(value, _DECIMALS)))
        return made

    def _text(self) -> QWidget:
        made = QLineEdit()
        made.setPlaceholderText("off" if self.field.optional else "")
        made.editingFinished.connect(lambda: self._change(read(self.field, made.text())))
        return made

    def show_value(self, value: Any, changed: bool) -> None:
        """Show a value; marked where it is not the preset's."""
        widget = self.widget
        widget.blockSignals(True)
        if isinstance(widget, QCheckBox):
            widget.setChecked(bool(value))
        elif isinstance(widget, QComboBox):
            widget.setCurrentText(str(value))
        elif isinstance(widget, QSpinBox | QDoubleSpinBox):
            widget.setValue(value or 0)
        elif isinstance(widget, QLineEdit) and not widget.hasFocus():
            widget.setText(shown(value))
        widget.blockSignals(False)
        self._mark(changed)

    def _mark(self, changed: bool) -> None:
        for part in (self.label, self.widget):
            font = part.font()
            if font.bold() != changed:
                font.setBold(changed)
                part.setFont(font)

    def _change(self, value: object) -> None:
        self._model.change(self.field.path, value)


class _Number(QDoubleSpinBox):
    """Shows no more digits than there are: 0.001, 24, 0.15."""

    def __init__(self) -> None:
        super().__init__()
        self.setDecimals(_DECIMALS)

    def textFromValue(self, value: float) -> str:  # noqa: N802 - Qt's name
        """The number in few digits."""
        return f"{value:.6g}"


def _whole(value: float | None, otherwise: int) -> int:
    return otherwise if value is None else int(value)
