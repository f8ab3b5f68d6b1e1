"""Icons by their Material Design names, always in the colours of the theme in use."""

from __future__ import annotations

from functools import cache

import qtawesome
from qtpy.QtCore import QPoint, QRect, QSize, Qt
from qtpy.QtGui import QIcon, QIconEngine, QPainter, QPixmap

from monet_app import theme


def icon(name: str, role: str = "text") -> QIcon:
    """The icon `name` ("mdi6.brain") in the colour of a role of the theme; empty without name."""
    return QIcon(_Themed(name, role)) if name else QIcon()


class _Themed(QIconEngine):
    """Looks the colours up when it is drawn, so that a theme that changes changes it too."""

    def __init__(self, name: str, role: str) -> None:
        super().__init__()
        self._name, self._role = name, role

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw in the colours of now."""
        drawn = _drawn(self._name, self._role, theme.current())
        drawn.paint(painter, rect, Qt.AlignmentFlag.AlignCenter, mode, state)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """What widgets ask for."""
        if size.isEmpty():  # of rows that are not laid out yet
            return QPixmap()
        made = QPixmap(size)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return made

    def clone(self) -> QIconEngine:
        """A copy, as Qt wants it."""
        return _Themed(self._name, self._role)


@cache
def _drawn(name: str, role: str, colors: theme.Theme) -> QIcon:
    return qtawesome.icon(
        name,
        color=getattr(colors, role),
        color_active=colors.accent,
        color_disabled=colors.line,
        color_selected=colors.on_accent,
    )
