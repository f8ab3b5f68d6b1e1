"""Icons in the theme's colours, by their Material Design names."""

from __future__ import annotations

import qtawesome
from qtpy.QtGui import QIcon

from monet_app import theme


def icon(name: str, role: str = "text") -> QIcon:
    """The icon `name` ("mdi6.brain") in the colour of a role of the theme; empty without name."""
    if not name:
        return QIcon()
    colors = theme.current()
    return qtawesome.icon(
        name,
        color=getattr(colors, role),
        color_active=colors.accent,
        color_selected=colors.on_accent,
        color_disabled=colors.line,
    )
