"""Review's keys: enabled only while Review is shown, and never while something is typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

KEYS = {
    "N": "next",
    "Shift+N": "previous",
    "P": "pass",
    "F": "fail",
    "E": "to edit",
    "1 – 5": "tags",
    "T": "note",
    "M": "slices or views",
    "G": "all scans",
    "U": "uncertainty",
}


class Keys:
    """Shortcuts of a window that call `calls`, wherever in the window the focus is."""

    def __init__(self, owner: QWidget, calls: Mapping[str, Callable[[], object]]) -> None:
        self._shortcuts = []
        for keys, call in calls.items():
            shortcut = QShortcut(QKeySequence(keys), owner)
            shortcut.setAutoRepeat(False)
            shortcut.activated.connect(lambda call=call: self._pressed(call))
            # Another panel's shortcut of the same keys makes Qt ask who is meant: Review is,
            # because it is the one that is shown.
            shortcut.activatedAmbiguously.connect(lambda call=call: self._pressed(call))
            shortcut.setEnabled(False)
            self._shortcuts.append(shortcut)

    def set_enabled(self, enabled: bool) -> None:
        """Take or leave the keys."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(enabled)

    def _pressed(self, call: Callable[[], object]) -> None:
        if not typing():
            call()


def typing() -> bool:
    """Whether the focus is in a field that takes text."""
    widget = QApplication.focusWidget()
    if isinstance(widget, QComboBox):
        return widget.isEditable()
    return isinstance(widget, QLineEdit | QPlainTextEdit | QTextEdit) and not widget.isReadOnly()
