"""Ctrl+Enter: does what the visible panel's primary button does."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QApplication, QWidget


def add_start_key(panel: QWidget, start: Callable[[], object]) -> None:
    """Let Ctrl+Enter, on both Enter keys, call `start` wherever the focus is in the window.

    Hidden panels do not hear it; of several visible ones (as docks in napari) the one with the
    focus does.
    """

    def among_several() -> None:
        focus = QApplication.focusWidget()
        if focus is not None and (focus is panel or panel.isAncestorOf(focus)):
            start()

    for keys in ("Ctrl+Return", "Ctrl+Enter"):
        made = QShortcut(QKeySequence(keys), panel)
        made.setContext(Qt.ShortcutContext.WindowShortcut)
        made.setAutoRepeat(False)
        made.activated.connect(lambda: start())
        made.activatedAmbiguously.connect(among_several)
