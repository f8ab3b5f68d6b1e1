"""Small pieces that every panel is built from, so that all look and read alike."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from monet_app.icons import icon

GAP = 8


def label(text: str, kind: str = "", wrap: bool = True) -> QLabel:
    """A line of text; `kind` is title, hero, faint, hint, warning, error or good."""
    made = QLabel(text)
    made.setObjectName(kind)
    made.setWordWrap(wrap)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def button(
    text: str,
    clicked: Callable[[], object],
    tip: str = "",
    icon_name: str = "",
    primary: bool = False,
) -> QPushButton:
    """A push button; a panel has one primary button at the most."""
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setAccessibleName(text or tip)
    if primary:
        made.setObjectName("primary")
    if icon_name:
        made.setIcon(icon(icon_name, "on_accent" if primary else "text"))
    made.clicked.connect(lambda: clicked())
    return made


def column(*parts: QWidget | None, margin: int = 0, gap: int = GAP) -> QWidget:
    """Widgets below each other; None is a stretch."""
    made = QWidget()
    layout = QVBoxLayout(made)
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(gap)
    for part in parts:
        layout.addStretch(1) if part is None else layout.addWidget(part)
    return made


def row(*parts: QWidget | None, gap: int = GAP) -> QWidget:
    """Widgets beside each other; None is a stretch."""
    made = QWidget()
    layout = QHBoxLayout(made)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(gap)
    for part in parts:
        layout.addStretch(1) if part is None else layout.addWidget(part)
    return made


def card(*parts: QWidget) -> QFrame:
    """A framed group."""
    made = QFrame()
    made.setObjectName("card")
    layout = QVBoxLayout(made)
    layout.setSpacing(GAP)
    for part in parts:
        layout.addWidget(part)
    return made


class NamesFirst(QObject):
    """Hides a view's least important columns while its names would be cut off.

    `spare` are the columns that may go and their widths, the first to go first; `others` is the
    width of those that stay beside the names.
    """

    NAMES = 105

    def __init__(self, view: QAbstractItemView, spare: dict[int, int], others: int) -> None:
        super().__init__(view)
        self._view, self._spare, self._others = view, spare, others
        view.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """See QObject."""
        if event.type() == QEvent.Type.Resize:
            self.fit()
        return super().eventFilter(watched, event)

    def fit(self) -> None:
        """Hide as many columns as the names need."""
        missing = self.NAMES + self._others + sum(self._spare.values())
        missing -= self._view.viewport().width()
        for column, width in self._spare.items():
            self._view.setColumnHidden(column, missing > 0)
            missing -= width


class EmptyState(QWidget):
    """What a panel shows while it has nothing: what belongs here, and the button that gets it."""

    def __init__(
        self,
        text: str,
        action: str = "",
        clicked: Callable[[], object] | None = None,
        icon_name: str = "mdi6.information-outline",
    ) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        picture = QLabel()
        picture.setPixmap(icon(icon_name, "faint").pixmap(40, 40))
        picture.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(picture)
        self.said = label(text, "hint")
        self.said.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self.said)
        if action and clicked is not None:
            made = button(action, clicked)
            made.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
            layout.addWidget(made, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(2)
