"""`Later`: many wishes to redraw become one, so that a chatty job costs a frame now and then."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer


class Later(QTimer):
    """Calls `function` once, at most `interval_ms` after the first of any number of `soon()`."""

    def __init__(
        self, function: Callable[[], object], interval_ms: int, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.setSingleShot(True)
        self.setInterval(interval_ms)
        self.timeout.connect(lambda: function())

    def soon(self, *_: object) -> None:
        """Ask for a call."""
        if not self.isActive():
            self.start()
