"""Notices in the window: a banner that stays until it is closed or overtaken, never a dialog."""

from __future__ import annotations

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QToolButton, QVBoxLayout, QWidget

from monet_app.icons import icon
from monet_app.notices import Notice
from monet_app.widgets import button, label

INFO_MS = 8000
MOST = 3
_ICONS = {
    "info": ("mdi6.information-outline", "accent"),
    "warning": ("mdi6.alert-outline", "warning"),
    "error": ("mdi6.alert-circle-outline", "error"),
}


class Banners(QWidget):
    """The stack of notices at the top of the stage; the same text is shown once."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(8, 8, 8, 0)
        self._layout.setSpacing(6)
        self._shown: list[Banner] = []
        self.hide()

    def show_notice(self, notice: Notice) -> None:
        """Show a notice; infos go by themselves."""
        for other in [each for each in self._shown if each.notice.text == notice.text]:
            self.remove(other)
        while len(self._shown) >= MOST:
            self.remove(self._shown[0])
        banner = Banner(notice, self)
        self._shown.append(banner)
        self._layout.addWidget(banner)
        self.show()
        if notice.level == "info":
            QTimer.singleShot(INFO_MS, banner, lambda: self.remove(banner))

    def remove(self, banner: Banner) -> None:
        """Take one away."""
        if banner in self._shown:
            self._shown.remove(banner)
            banner.deleteLater()
        self.setVisible(bool(self._shown))

    @property
    def texts(self) -> list[str]:
        """What is shown at present."""
        return [banner.notice.text for banner in self._shown]


class Banner(QFrame):
    """One notice: what happened, what to do, buttons, details."""

    def __init__(self, notice: Notice, stack: Banners) -> None:
        super().__init__()
        self.notice = notice
        self.setObjectName("notice")
        self.setProperty("level", notice.level)
        outer = QVBoxLayout(self)
        line = QHBoxLayout()
        outer.addLayout(line)
        name, role = _ICONS[notice.level]
        picture = label("")
        picture.setPixmap(icon(name, role).pixmap(20, 20))
        line.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(label(f"{notice.text} {notice.remedy}".strip()), 1)
        for text, act in notice.actions:
            line.addWidget(button(text, act))
        if notice.details:
            line.addWidget(button("Details", self._toggle))
            line.addWidget(button("Copy", self._copy, "Copy for a bug report"))
        close = QToolButton()
        close.setIcon(icon("mdi6.close"))
        close.setToolTip("Close this message")
        close.setAutoRaise(True)
        close.clicked.connect(lambda: stack.remove(self))
        line.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self._details = QPlainTextEdit(notice.details)
        self._details.setReadOnly(True)
        self._details.setMaximumHeight(160)
        self._details.hide()
        outer.addWidget(self._details)

    def _toggle(self) -> None:
        self._details.setVisible(not self._details.isVisible())

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.notice.text}\n{self.notice.details}")
