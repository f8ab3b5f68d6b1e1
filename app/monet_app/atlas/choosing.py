"""`ChoiceDelegate`: a cell that is a list to choose from, opened by one click or by typing."""

from __future__ import annotations

from qtpy.QtCore import QAbstractItemModel, QModelIndex, Qt
from qtpy.QtWidgets import QComboBox, QStyledItemDelegate, QStyleOptionViewItem, QWidget

CHOICES = Qt.ItemDataRole.UserRole + 1
"""Role of a cell's choices: a list of (text, value)."""
VALUE = Qt.ItemDataRole.UserRole + 2
"""Role of a cell's present value."""


class ChoiceDelegate(QStyledItemDelegate):
    """Edits a cell whose model gives CHOICES and VALUE, and takes a value in `setData`."""

    def createEditor(  # noqa: N802 - Qt's name
        self,
        parent: QWidget,
        option: QStyleOptionViewItem,  # noqa: ARG002
        index: QModelIndex,
    ) -> QWidget:
        """The list, opened at once."""
        box = QComboBox(parent)
        box.setMinimumContentsLength(1)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for text, value in index.data(CHOICES) or []:
            box.addItem(text, value)
        box.view().setMinimumWidth(min(420, box.view().sizeHintForColumn(0) + 40))
        box.activated.connect(lambda _: self._chosen(box))
        return box

    def setEditorData(self, editor: QWidget, index: QModelIndex) -> None:  # noqa: N802
        """Begin at the present value."""
        if isinstance(editor, QComboBox):
            editor.setCurrentIndex(max(0, editor.findData(index.data(VALUE))))
            editor.showPopup()

    def setModelData(  # noqa: N802
        self, editor: QWidget, model: QAbstractItemModel, index: QModelIndex
    ) -> None:
        """Hand over what was chosen, where it is another value."""
        if isinstance(editor, QComboBox) and editor.currentData() != index.data(VALUE):
            model.setData(index, editor.currentData(), Qt.ItemDataRole.EditRole)

    def _chosen(self, box: QComboBox) -> None:
        self.commitData.emit(box)
        self.closeEditor.emit(box)
