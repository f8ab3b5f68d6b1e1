"""Choosing what is compared: the scan's segmentations, another label file, in which atlas."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from monet_app.atlases import atlas_names, atlas_title, atlas_words
from monet_app.compare.model import CompareModel
from monet_app.widgets import button, column, label, row
from monet_core.workspace import SegmentationEntry

LABEL_FILES = "Label files (*.nii *.nii.gz *.mgz *.mgh *.hdr *.img);;All files (*)"
TABLES = "Label tables (*.tsv *.csv *.txt);;All files (*)"


class Choosing(QWidget):
    """A line per segmentation with its atlas; the protocol to compare in, and the reference."""

    def __init__(self, model: CompareModel) -> None:
        super().__init__()
        self.model = model
        self.lines: dict[int, QCheckBox] = {}
        self._list = column(gap=2)
        self.add = button("Add a label file…", self._add, "Of this scan, by any tool: FIRST, "
                          "FreeSurfer, another network", "mdi6.file-plus-outline")  # fmt: skip
        self.target = QComboBox()
        self.target.setAccessibleName("Compare in")
        self.target.setToolTip("All are mapped to these regions; the coarsest is proposed")
        self.target.activated.connect(lambda at: model.set_target(self.target.itemData(at)))
        self.reference = QComboBox()
        self.reference.setAccessibleName("Reference")
        self.reference.setToolTip("Compare each with one of them, or each with each")
        self.reference.activated.connect(
            lambda at: model.set_reference(self.reference.itemData(at))
        )
        self._nothing = label("", "warning")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self._list, self.add, _named("Compare in", self.target), self._nothing,
                     _named("Reference", self.reference)):  # fmt: skip
            layout.addWidget(part)
        model.choices_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the choice as it is now."""
        self._show_lines()
        self._fill_target()
        self._fill_reference()
        few = len(self.model.chosen) < 2
        self._nothing.setText(
            "Choose two or more." if few else "These atlases have no region in common."
        )
        self._nothing.setVisible(self.model.common is None)

    def _show_lines(self) -> None:
        wanted = [each.id for each in self.model.entries]
        known = (list(self.model.protocols), self.model.names)
        if getattr(self, "_made_of", None) != (wanted, known):
            self._make_lines()
            self._made_of = (wanted, known)
        for key, box in self.lines.items():
            box.blockSignals(True)
            box.setChecked(key in self.model.chosen)
            box.blockSignals(False)

    def _make_lines(self) -> None:
        layout = self._list.layout()
        while layout is not None and layout.count():
            item = layout.takeAt(0)
            if item is not None and item.widget() is not None:
                item.widget().deleteLater()
        self.lines.clear()
        for entry in self.model.entries:
            if layout is not None:
                layout.addWidget(self._line(entry))

    def _line(self, entry: SegmentationEntry) -> QWidget:
        protocol = self.model.protocols.get(entry.id)
        box = QCheckBox(self.model.names[entry.id])
        box.setToolTip(str(entry.path))
        box.setEnabled(protocol is not None)
        box.toggled.connect(lambda on: self.model.choose(entry.id, on))
        self.lines[entry.id] = box
        # However long the name is, the atlas beside it stays in sight.
        box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        atlas = (
            self._atlas_of(entry)
            if protocol is None
            else label(atlas_title(protocol), "hint", wrap=False)
        )
        made = row(box, atlas)
        made.layout().setStretch(0, 1)  # type: ignore[union-attr]
        return made

    def _atlas_of(self, entry: SegmentationEntry) -> QComboBox:
        made = QComboBox()
        made.setAccessibleName(f"Atlas of {self.model.names[entry.id]}")
        made.addItem("Which atlas?", "")
        fill_atlases(made, self._atlases())
        made.activated.connect(lambda at: self._say_atlas(entry, made.itemData(at)))
        return made

    def _say_atlas(self, entry: SegmentationEntry, protocol: str) -> None:
        if protocol:
            self.model.set_protocol(entry.id, protocol)

    def _atlases(self) -> list[str]:
        study = self.model.session.study
        return atlas_names(study.atlases if study is not None else None)

    def _fill_target(self) -> None:
        self.target.clear()
        for common in self.model.proposals:
            text = atlas_title(common.protocol)
            if common.share < 1:
                text += f": {len(common.regions)} in common"
            self.target.addItem(text, common.protocol.name)
        if self.model.common is not None:
            self.target.setCurrentIndex(self.target.findData(self.model.common.protocol.name))
        self.target.setEnabled(bool(self.model.proposals))

    def _fill_reference(self) -> None:
        self.reference.clear()
        self.reference.addItem("None: each with each", None)
        for entry in self.model.chosen_entries:
            self.reference.addItem(self.model.names[entry.id], entry.id)
        if self.model.reference is not None:
            self.reference.setCurrentIndex(self.reference.findData(self.model.reference))

    def _add(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, "A label file of this scan", "", LABEL_FILES)
        if file:
            dialog = AtlasDialog(Path(file), self._atlases(), self)
            if dialog.exec() == QDialog.DialogCode.Accepted:
                self.model.add_file(Path(file), dialog.protocol)


class AtlasDialog(QDialog):
    """Asks which atlas a label file is of; the answer is `protocol`."""

    def __init__(self, file: Path, atlases: list[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Which atlas?")
        self.choice = QComboBox()
        self.choice.setAccessibleName("Atlas")
        fill_atlases(self.choice, atlases)
        other = button(
            "A label table…", self._other, "TSV with index and name, or a FreeSurfer LUT"
        )
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(label(f"The numbers in {file.name} mean regions of:"))
        layout.addWidget(row(self.choice, other))
        layout.addWidget(buttons)

    @property
    def protocol(self) -> str:
        """A shipped atlas's name, or the path of a label table."""
        return str(self.choice.currentData())

    def _other(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, "A label table", "", TABLES)
        if file:
            self.choice.addItem(atlas_words(file), file)
            self.choice.setCurrentIndex(self.choice.count() - 1)


def fill_atlases(box: QComboBox, atlases: list[str]) -> None:
    """The atlases by their titles; the data is what a segmentation's entry holds."""
    for name in atlases:
        box.addItem(atlas_words(name), name)


def _named(text: str, field: QComboBox) -> QWidget:
    named = label(text, "hint", wrap=False)
    named.setMinimumWidth(80)
    field.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    field.setMinimumContentsLength(16)
    made = row(named, field)
    layout = made.layout()
    if layout is not None:
        layout.setStretch(1, 1)  # type: ignore[attr-defined]
    return made
