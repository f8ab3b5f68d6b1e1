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
    """Shortcuts of a window that call `calls`, wherever in the window the focus is.

    While they are enabled, other shortcuts of the same keys in that window (N: the next scan of
    the list) are not: Qt would take turns between them.
    """

    def __init__(self, owner: QWidget, calls: Mapping[str, Callable[[], object]]) -> None:
        self._owner = owner
        self._shortcuts: list[QShortcut] = []
        self._silenced: list[QShortcut] = []
        for keys, call in calls.items():
            shortcut = QShortcut(QKeySequence(keys), owner)
            shortcut.setAutoRepeat(False)
            shortcut.activated.connect(lambda call=call: self._pressed(call))
            shortcut.setEnabled(False)
            self._shortcuts.append(shortcut)

    def set_enabled(self, enabled: bool) -> None:
        """Take or leave the keys."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(enabled)
        self._silence() if enabled else self._give_back()

    def _silence(self) -> None:
        ours = {shortcut.key().toString() for shortcut in self._shortcuts}
        for other in self._owner.window().findChildren(QShortcut):
            if other.isEnabled() and other.key().toString() in ours and not self._is_ours(other):
                other.setEnabled(False)
                self._silenced.append(other)

    def _is_ours(self, shortcut: QShortcut) -> bool:
        return any(shortcut is each for each in self._shortcuts)

    def _give_back(self) -> None:
        while self._silenced:
            try:
                self._silenced.pop().setEnabled(True)
            except RuntimeError:  # its window is gone
                continue

    def _pressed(self, call: Callable[[], object]) -> None:
        if not typing():
            call()


def typing() -> bool:
    """Whether the focus is in a field that takes text."""
    widget = QApplication.focusWidget()
    if isinstance(widget, QComboBox):
        return widget.isEditable()
    return isinstance(widget, QLineEdit | QPlainTextEdit | QTextEdit) and not widget.isReadOnly()
