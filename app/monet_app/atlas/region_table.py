"""The regions of an atlas as a table that can be edited where the atlas is the lab's own."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from monet_app.atlas.brush_view import swatch
from monet_app.atlas.choosing import CHOICES, VALUE
from monet_app.atlas.editing import SIDES, paired, renamed, sided
from monet_app.atlas.library import LibraryModel
from monet_core.protocols import Protocol, Region

INDEX, NAME, SIDE, PAIR = range(4)
TITLES = ("No.", "Region", "Side", "Pair")
TIPS = (
    "The number in label files; double-click the colour to change it",
    "Its name; double-click to change it",
    "Left, right, or on the midline (or both)",
    "The same region on the other side; mirrored scans of the training swap them",
)
NOWHERE = QModelIndex()


class RegionTable(QAbstractTableModel):
    """A row per region of the chosen atlas."""

    def __init__(self, model: LibraryModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._atlas: Protocol | None = model.atlas

    def refresh(self) -> None:
        """Show the atlas as it is now."""
        before, self._atlas = self._atlas, self._model.atlas
        same = before is not None and self._atlas is not None
        if same and before.indices == self._atlas.indices:  # type: ignore[union-attr]
            last = self.index(self.rowCount() - 1, PAIR)
            self.dataChanged.emit(self.index(0, 0), last)
        else:
            self.beginResetModel()
            self.endResetModel()

    def region(self, index: QModelIndex) -> Region:
        """The region of a row."""
        assert self._atlas is not None
        return self._atlas.regions[index.row()]

    def rowCount(self, parent: QModelIndex = NOWHERE) -> int:  # noqa: N802 - Qt's name
        """Regions."""
        return len(self._atlas.regions) if self._atlas is not None and not parent.isValid() else 0

    def columnCount(self, parent: QModelIndex = NOWHERE) -> int:  # noqa: N802 - Qt's name
        """Number, name, side, pair."""
        return 0 if parent.isValid() else len(TITLES)

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Titles and what they mean."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return TITLES[section]
        return TIPS[section] if role == Qt.ItemDataRole.ToolTipRole else None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """The number stays: label files hold it."""
        flags = super().flags(index)
        editable = self._model.own and index.column() != INDEX
        return flags | Qt.ItemFlag.ItemIsEditable if editable else flags

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a cell shows."""
        region, column = self.region(index), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(region, column)
        if role == Qt.ItemDataRole.EditRole:
            return region.name if column == NAME else self._text(region, column)
        if role == Qt.ItemDataRole.DecorationRole and column == INDEX:
            return swatch(region.color, 12)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(region, column)
        if role == VALUE:
            return region.hemisphere if column == SIDE else region.pair
        if role == CHOICES:
            return self._choices(region, column)
        return None

    def setData(  # noqa: N802 - Qt's name
        self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        """Change a cell; what is against the rules is refused and told by the model."""
        if role != Qt.ItemDataRole.EditRole:
            return False
        number, column = self.region(index).index, index.column()
        if column == NAME:
            return self._model.change(lambda atlas: renamed(atlas, number, str(value)))
        if column == SIDE:
            return self._model.change(lambda atlas: sided(atlas, number, value))
        return self._model.change(lambda atlas: paired(atlas, number, value))

    def _text(self, region: Region, column: int) -> str:
        if column == PAIR:
            return str(region.pair) if region.pair is not None else "–"
        side = "–" if region.hemisphere == "M" else region.hemisphere
        return {INDEX: str(region.index), NAME: region.name, SIDE: side}[column]

    def _tip(self, region: Region, column: int) -> str:
        if column == PAIR and region.pair is not None and self._atlas is not None:
            return self._atlas.region(region.pair).name
        return f"{region.name} ({region.index}), {SIDES[region.hemisphere]}"

    def _choices(self, region: Region, column: int) -> list[tuple[str, Any]]:
        if column == SIDE:
            return [(f"{key}  {words}" if key != "M" else f"–  {words}", key)
                    for key, words in SIDES.items()]  # fmt: skip
        others = self._atlas.regions if self._atlas is not None else ()
        fit = [each for each in others if each.index != region.index and _may_pair(region, each)]
        return [("– none", None), *((f"{each.index}  {each.name}", each.index) for each in fit)]


def _may_pair(one: Region, other: Region) -> bool:
    return "M" in (one.hemisphere, other.hemisphere) or one.hemisphere != other.hemisphere
