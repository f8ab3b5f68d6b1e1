"""Slices in place of the views: of the item, or of all of the review as a grid."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QAbstractListModel, QModelIndex, QRect, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPixmap
from qtpy.QtWidgets import (
    QListView,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from monet_app import theme
from monet_app.later import Later
from monet_app.picture import Picture
from monet_app.review.model import GRADE_WORDS, ReviewModel
from monet_app.review.mosaics import Mosaics
from monet_app.review.queue import Item
from monet_app.widgets import button, label, row

CELL = QSize(372, 226)
TEXT = 26
REFRESH_MS = 60
PIXMAP = Qt.ItemDataRole.UserRole
GRADE = Qt.ItemDataRole.UserRole + 1
_ROLES = {"pass": "good", "fail": "error", "edit": "warning"}


class GridRows(QAbstractListModel):
    """The items of a review; a picture that is asked for (because it is seen) is wished for."""

    def __init__(self, model: ReviewModel, mosaics: Mosaics) -> None:
        super().__init__()
        self.model, self.mosaics = model, mosaics
        self._scaled: dict[int, QPixmap] = {}

    def reset(self) -> None:
        """The queue is another one."""
        self.beginResetModel()
        self._scaled.clear()
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """A row per item."""
        return 0 if parent is not None and parent.isValid() else len(self.model.items)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name, grade, picture."""
        if not 0 <= index.row() < len(self.model.items):
            return None
        item = self.model.items[index.row()]
        rating = self.model.ratings.get(item.segmentation.id)
        if role == Qt.ItemDataRole.DisplayRole:
            return item.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{item.name}, {GRADE_WORDS[rating.grade] if rating else 'not rated'}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.mosaics.problem(item) or item.reason or None
        if role == GRADE:
            return rating.grade if rating else ""
        return self._picture(item) if role == PIXMAP else None

    def _picture(self, item: Item) -> QPixmap | None:
        key = item.segmentation.id
        if key not in self._scaled:
            data = self.mosaics.png(item, small=True)
            if data is None:
                self.mosaics.wish([item])
                return None
            pixmap = QPixmap()
            pixmap.loadFromData(data)
            room = CELL - QSize(12, TEXT + 10)
            self._scaled[key] = pixmap.scaled(
                room, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
        return self._scaled[key]


class GridCell(QStyledItemDelegate):
    """A picture, its name, and how it was rated."""

    def sizeHint(self, *_: Any) -> QSize:  # noqa: N802 - Qt's name
        """All cells are of one size."""
        return CELL

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw a cell."""
        colors = theme.current()
        box = option.rect.adjusted(3, 3, -3, -3)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.fillRect(box, QColor("#000000"))
        painter.setPen(QColor(colors.accent if selected else colors.line))
        painter.drawRect(box)
        if selected:
            painter.drawRect(box.adjusted(1, 1, -1, -1))
        picture = index.data(PIXMAP)
        room = QRect(box.left(), box.top(), box.width(), box.height() - TEXT)
        if picture is None:
            painter.setPen(QColor(colors.faint))
            painter.drawText(
                room, Qt.AlignmentFlag.AlignCenter, index.data(Qt.ItemDataRole.ToolTipRole) or "…"
            )
        else:
            place = QRect(0, 0, picture.width(), picture.height())
            place.moveCenter(room.center())
            painter.drawPixmap(place, picture)
        self._caption(painter, QRect(box.left() + 8, room.bottom(), box.width() - 16, TEXT), index)

    def _caption(self, painter: QPainter, place: QRect, index: QModelIndex) -> None:
        colors, grade = theme.current(), index.data(GRADE)
        painter.setPen(QColor("#ececec"))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place, int(left), str(index.data()))
        if grade:
            painter.setPen(QColor(getattr(colors, _ROLES[grade])))
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(place, int(right), GRADE_WORDS[grade])


class Gallery(QWidget):
    """One picture of the item at hand, or the grid of all; rating goes on with the same keys."""

    def __init__(self, model: ReviewModel, mosaics: Mosaics) -> None:
        super().__init__()
        self.model, self.mosaics = model, mosaics
        self.picture = Picture()
        self._waiting = label("", "hint")
        self._waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.rows = GridRows(model, mosaics)
        self.grid = self._make_grid()
        self._stack = QStackedWidget()
        for page in (self.picture, self._waiting, self.grid):
            self._stack.addWidget(page)
        self._title = label("", "hint", wrap=False)
        self._other = button("All scans (G)", self._switch, "", "mdi6.view-grid-outline")
        back = button("Back to the views (M)", lambda: model.set_look("views"), "",
                      "mdi6.arrow-left")  # fmt: skip
        layout = QVBoxLayout(self)
        layout.addWidget(row(back, self._other, None, self._title))
        layout.addWidget(self._stack, 1)
        self._later = Later(self.refresh, REFRESH_MS, self)
        mosaics.made.connect(self._later.soon)
        model.item_changed.connect(self.refresh)
        model.queue_changed.connect(self._queue_changed)
        model.rated.connect(self._later.soon)

    def _make_grid(self) -> QListView:
        grid = QListView()
        grid.setModel(self.rows)
        grid.setItemDelegate(GridCell(grid))
        grid.setViewMode(QListView.ViewMode.IconMode)
        grid.setResizeMode(QListView.ResizeMode.Adjust)
        grid.setMovement(QListView.Movement.Static)
        grid.setUniformItemSizes(True)
        grid.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        grid.setAccessibleName("All segmentations of this review")
        grid.selectionModel().currentChanged.connect(self._chosen)
        grid.activated.connect(lambda _: self.model.set_look("views"))
        return grid

    def refresh(self) -> None:
        """Show what is at hand."""
        item, look = self.model.item, self.model.look
        if look == "views" or not self.isVisible():
            return
        self._other.setText("One scan (G)" if look == "grid" else "All scans (G)")
        self._title.setText("" if item is None else item.name)
        if look == "grid":
            self._show_grid()
        else:
            self._show_one(item)

    def _show_one(self, item: Item | None) -> None:
        data = None if item is None else self.mosaics.png(item)
        problem = "" if item is None else self.mosaics.problem(item)
        if item is not None and data is None:
            self._waiting.setText(problem or "Making the picture…")
            self._stack.setCurrentWidget(self._waiting)
            self.mosaics.wish([item])
            if problem:
                self.model.picture_shown(item.segmentation.id)
            return
        self.picture.set_png(data)
        self._stack.setCurrentWidget(self.picture)
        if item is not None:
            self.mosaics.wish(self._ahead())
            self.model.picture_shown(item.segmentation.id)

    def _ahead(self) -> list[Item]:
        """The next two, so that they are there when it is their turn."""
        at = self.model.position
        return self.model.items[at + 1 : at + 3][::-1]

    def _show_grid(self) -> None:
        self._stack.setCurrentWidget(self.grid)
        item = self.model.item
        if item is not None:
            index = self.rows.index(self.model.position)
            if self.grid.currentIndex().row() != index.row():
                self.grid.setCurrentIndex(index)
                self.grid.scrollTo(index)
            if self.mosaics.png(item) is not None or self.mosaics.problem(item):
                self.model.picture_shown(item.segmentation.id)
        self.grid.viewport().update()

    def _queue_changed(self) -> None:
        self.rows.reset()
        self.refresh()

    def _chosen(self, current: QModelIndex, _: QModelIndex) -> None:
        if current.isValid() and self.model.look == "grid" and self.model.position != current.row():
            self.model.go(current.row())

    def _switch(self) -> None:
        self.model.set_look("mosaic" if self.model.look == "grid" else "grid")

    def showEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        """Shown: now the pictures are wished for."""
        super().showEvent(event)
        self.refresh()
        if self.model.look == "grid":
            self.grid.setFocus()
