"""Large pictures of a panel in place of the views, or in a window of their own."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

from monet_app.session import Session

SIZE = (1100, 760)


class Centre:
    """Where a panel shows what its own width is too small for.

    In MO-Net Studio that is the place of the views (the window listens to `centre_asked`); where
    nobody offers a place, as in napari, it is a window.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.widget: QWidget | None = None

    @property
    def shown(self) -> bool:
        """Whether something is shown."""
        return self.widget is not None and self.widget.isVisible()

    def show(self, widget: QWidget, title: str) -> None:
        """Show a widget instead of the views."""
        self.widget = widget
        if len(self.session.centre_asked):
            self.session.centre_asked.emit(widget)
            return
        if not widget.isVisible():
            widget.setWindowFlag(Qt.WindowType.Window)
            widget.resize(*SIZE)
        widget.setWindowTitle(title)
        widget.show()

    def hide(self) -> None:
        """Show the views again."""
        if self.widget is None:
            return
        if len(self.session.centre_asked):
            self.session.centre_asked.emit(None)
        else:
            self.widget.hide()
        self.widget = None
