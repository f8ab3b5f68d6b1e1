"""The data of a training: where the scans are, how many there are for what, and the atlas."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QComboBox, QFileDialog, QVBoxLayout, QWidget

from monet_app.atlases import atlas_words
from monet_app.boxes import choice_box
from monet_app.train.model import TrainModel
from monet_app.widgets import button, label, row
from monet_app.words import count

_STUDY, _FOLDER = "study", "folder"
BROWSE = "browse"


class DataView(QWidget):
    """Source, folder, atlas, counts by split."""

    def __init__(self, model: TrainModel) -> None:
        super().__init__()
        self._model = model
        self.source = choice_box("Scans", "Where the annotated scans are")
        self.source.addItem("This study's scans", _STUDY)
        self.source.addItem("A folder or table…", _FOLDER)
        self.source.activated.connect(self._choose_source)
        self._folder = label("", "hint")
        self.browse = button("Folder…", self._choose_folder, "Flat, BIDS, or train/validation")
        self.table = button("Table…", self._choose_table, "A TSV: scan, labels, protocol, split")
        self.labels = button("Labels…", self._choose_labels, "Where labels lie apart from scans")
        self._places = row(self.browse, self.table, self.labels, None)
        self.protocol = choice_box("Atlas of the labels", "The regions that the labels name")
        self.protocol.activated.connect(self._choose_protocol)
        self._counts = label("")
        self._problem = label("", "warning")
        self.aside = button(
            "Set some aside for validation", model.set_aside,
            "Every fifth training scan becomes a validation scan; change it in Scans", "mdi6.scale",
        )  # fmt: skip
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.source, self._folder, self._places, label("Atlas of the labels", "hint"),
                     self.protocol, self._counts, self._problem, self.aside):  # fmt: skip
            layout.addWidget(part)
        model.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is chosen and what was found."""
        model, setup = self._model, self._model.setup
        folder = setup.source == _FOLDER
        self.source.setCurrentIndex(self.source.findData(setup.source))
        self._folder.setText(_shown(setup.folder, setup.labels))
        self._folder.setVisible(folder)
        self._places.setVisible(folder)
        annotated = {} if folder else model.annotated
        fill_atlases(self.protocol, model.atlases, setup.protocol, annotated)
        self._counts.setText(self._text())
        self._counts.setVisible(model.data is not None)
        self._problem.setText(model.data_problem)
        self._problem.setVisible(bool(model.data_problem))
        data = model.data
        lacking = data is not None and data.number("train") > 1 and not data.number("validation")
        self.aside.setVisible(lacking and not folder)

    def _text(self) -> str:
        data = self._model.data
        if data is None:
            return ""
        more = ", ".join(
            f"{count(number, 'label map')} of {atlas_words(name)}"
            for name, number in data.protocols.items()
            if name != self._model.setup.protocol
        )
        return f"{data.text}." + (f"\nAlso there: {more}." if more else "")

    # -- choosing ---------------------------------------------------------------------------

    def _choose_source(self, _: int) -> None:
        if self.source.currentData() == _STUDY:
            self._model.choose_source("study")
        elif self._model.setup.folder is not None:
            self._model.choose_source("folder")
        else:
            self._choose_folder()

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of annotated scans")
        self._chosen(folder)

    def _choose_table(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, "Table of scans", "", "Tables (*.tsv)")
        self._chosen(file)

    def _chosen(self, place: str) -> None:
        if place:
            self._model.choose_source("folder", Path(place))
        else:
            self.refresh()

    def _choose_labels(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of label maps")
        self._model.choose_labels(Path(folder) if folder else None)

    def _choose_protocol(self, _: int) -> None:
        chosen = self.protocol.currentData()
        if chosen == BROWSE:
            chosen, _ = QFileDialog.getOpenFileName(
                self, "Label table", "", "Label tables (*.tsv *.csv *.txt);;All files (*)"
            )
        if chosen:
            self._model.choose_protocol(chosen)
        else:
            self.refresh()


def fill_atlases(
    box: QComboBox, names: list[str], chosen: str, annotated: dict[str, int] | None = None
) -> None:
    """Offer atlases in a box, with how many scans are annotated in each."""
    wanted = [*names, BROWSE]
    texts = [_words(name, annotated or {}) for name in names] + ["Another label table…"]
    there = [(box.itemData(n), box.itemText(n)) for n in range(box.count())]
    if there != list(zip(wanted, texts, strict=True)):
        box.clear()
        for name, text in zip(wanted, texts, strict=True):
            box.addItem(text, name)
    box.setCurrentIndex(box.findData(chosen))


def _words(name: str, annotated: dict[str, int]) -> str:
    number = annotated.get(name)
    return atlas_words(name) + (f", {count(number, 'annotated scan')}" if number else "")


def _shown(folder: Path | None, labels: Path | None) -> str:
    text = str(folder) if folder else "No folder is chosen yet."
    return f"{text}\nLabels: {labels}" if labels else text
