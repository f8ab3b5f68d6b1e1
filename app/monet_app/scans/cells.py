"""How the cells of the study table are painted: pictures, two-line names, badges."""

from __future__ import annotations

from qtpy.QtCore import QModelIndex, QObject, QPoint, QRect, QSize, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPalette, QPixmap
from qtpy.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from monet_app import theme
from monet_app.atlases import UNKNOWN
from monet_app.scans.rows import Row, State, shape_text, spacing_text
from monet_app.scans.table import ROW_ROLE, ScanTable

ROW_HEIGHT, PICTURE_HEIGHT = 46, 38
NARROW_PICTURE, WIDE_PICTURE = 34, 124


class PictureCell(QStyledItemDelegate):
    """The thumbnail: all three slices, or the first where the table is narrow."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """See QStyledItemDelegate."""
        super().paint(painter, option, index)
        table = index.model()
        picture = table.picture(table.row(index)) if isinstance(table, ScanTable) else QPixmap()
        if picture.isNull():
            return
        room = option.rect.adjusted(2, 0, -2, 0)
        height = min(PICTURE_HEIGHT, room.height())
        scale = height / picture.height()
        width = min(round(picture.width() * scale), room.width())
        place = QRect(room.left(), room.center().y() - height // 2, width, height)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        source = QRect(0, 0, round(width / scale), picture.height())
        painter.drawPixmap(place, picture, source)


class NameCell(QStyledItemDelegate):
    """The name, bold for the scan on the stage; in a narrow table its grid below it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.two_lines = True
        self.current: int | None = None

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """See QStyledItemDelegate."""
        self.initStyleOption(option, index)
        row: Row = index.data(ROW_ROLE)
        _draw_empty(painter, option)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text
        strong = option.palette.color(role)
        faint = strong if selected else QColor(theme.current().faint)
        room = option.rect.adjusted(4, 5, -4, -5)
        odd = row.state in (State.PROBLEM, State.QUESTION)
        below = _second_line(row) if self.two_lines or odd else ()
        painter.save()
        font = QFont(option.font)
        font.setBold(row.entry.id == self.current)
        painter.setFont(font)
        painter.setPen(faint if row.state is State.PROBLEM else strong)
        half = QSize(room.width(), room.height() // (2 if below else 1))
        _draw_line(painter, QRect(room.topLeft(), half), (row.entry.name,))
        if below:
            painter.setFont(option.font)
            painter.setPen(faint)
            _draw_line(painter, QRect(room.topLeft() + QPoint(0, half.height()), half), below)
        painter.restore()


class BadgeCell(QStyledItemDelegate):
    """Labels as badges."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """See QStyledItemDelegate."""
        row: Row = index.data(ROW_ROLE)
        self.initStyleOption(option, index)
        _draw_empty(painter, option)
        colors = theme.current()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = painter.fontMetrics()
        x, height = option.rect.left() + 3, metrics.height() + 4
        y = option.rect.center().y() - height // 2
        for text in row.badges:
            box = QRect(x, y, metrics.horizontalAdvance(text) + 10, height)
            if box.right() > option.rect.right():
                painter.drawText(x, y + metrics.ascent() + 2, "…")
                break
            painter.setPen(QColor(colors.warning if text == UNKNOWN else colors.line))
            painter.setBrush(QColor(colors.panel))
            painter.drawRoundedRect(box, 7, 7)
            painter.setPen(QColor(colors.warning if text == UNKNOWN else colors.text))
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)
            x = box.right() + 4
        painter.restore()


def _draw_empty(painter: QPainter, option: QStyleOptionViewItem) -> None:
    """The cell's background, selected or not."""
    option.text = ""
    style = option.widget.style()
    style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)


def _draw_line(painter: QPainter, room: QRect, texts: tuple[str, ...]) -> None:
    """The first text that fits; the last one, cut, where none does."""
    metrics = painter.fontMetrics()
    fitting = [text for text in texts if metrics.horizontalAdvance(text) <= room.width()]
    text = fitting[0] if fitting else texts[-1]
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
    painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter), shown)


def _second_line(row: Row) -> tuple[str, ...]:
    """Below the name: the grid, in full or its spacing alone, or what is wrong."""
    said = {
        State.PROBLEM: "file is gone" if row.gone else "cannot be used",
        State.QUESTION: "asks a question",
        State.WAITING: "not read yet",
    }.get(row.state)
    if said is not None:
        return (said,)
    spacing = spacing_text(row.entry)
    return (f"{spacing} · {shape_text(row.entry).replace(' ', '')}", spacing)
