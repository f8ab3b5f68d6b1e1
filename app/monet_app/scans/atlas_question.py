"""Which atlas are these labels of? The atlases there are, the one that fits proposed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from monet_app.atlases import atlas_names
from monet_app.icons import icon
from monet_app.scans.atlas_guess import Guess, guesses, set_atlas, suggested, values_of
from monet_app.session import Session, key_of
from monet_app.widgets import GAP, button, label
from monet_app.words import count
from monet_core.errors import MonetError
from monet_core.protocols import load_protocol
from monet_core.workspace import SegmentationEntry, Study

TABLES = "Label tables (*.tsv *.csv *.txt *.lut *.ctab);;All files (*)"


class AtlasQuestion(QDialog):
    """Asks for the atlas of a label map, without blocking; keeps the answer in the study."""

    def __init__(
        self, session: Session, entry: SegmentationEntry, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.session, self.entry = session, entry
        self._study = session.study
        self._values: set[int] | None = None
        self._names: list[str] = atlas_names(self._study.atlases) if self._study else []
        self._open = True
        self.setWindowTitle("The atlas of labels")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._build()
        self.finished.connect(self._closed)
        self._read()

    def _build(self) -> None:
        self.list = QListWidget()
        self.list.setAccessibleName("Atlases")
        self.list.setSpacing(2)
        self.list.setMinimumSize(460, 300)
        self.list.itemSelectionChanged.connect(self._chosen)
        self.list.itemActivated.connect(lambda _: self._answer())
        self.said = label("Reading the labels…", "hint")
        self.others = QCheckBox()
        others = self._others()
        self.others.setText(
            f"Also for {count(others, 'other label map')} of unknown atlas, where it fits"
        )
        self.others.setToolTip(
            "Each is read; those with values that are not in it stay as they are"
        )
        self.others.setVisible(others > 0)
        self.others.setChecked(others > 0)
        self.accept_ = button("Use this atlas", self._answer, primary=True)
        self.accept_.setEnabled(False)
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * GAP)
        layout.addWidget(label("Which atlas are these labels of?", "title"))
        layout.addWidget(
            label(f"<b>{self.entry.path.name}</b>   in {self.entry.path.parent}", "hint")
        )
        layout.addWidget(self.said)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.others)
        line = QHBoxLayout()
        line.addWidget(button("Another table…", self._choose_table, "A BIDS dseg.tsv or a "
                              "FreeSurfer colour table", "mdi6.table-plus"))  # fmt: skip
        line.addStretch(1)
        line.addWidget(button("Not now", self.reject, "Its regions cannot be shown until then"))
        line.addWidget(self.accept_)
        layout.addLayout(line)

    @property
    def choice(self) -> str:
        """The atlas that is chosen; "" where none is."""
        # Not the current item: Qt makes the first one current when the list gets the keyboard.
        return next((i.data(Qt.ItemDataRole.UserRole) for i in self.list.selectedItems()), "")

    def _others(self) -> int:
        if self._study is None:
            return 0
        known = self._study.all_segmentations()
        return sum(not each.protocol and each.id != self.entry.id for each in known)

    def _read(self) -> None:
        if self._study is None:
            return
        self.session.run(
            _values_and_guesses, self._study, self.entry, self._names, done=self._fill,
            failed=self._not_read,
        )  # fmt: skip

    def _fill(self, answer: tuple[set[int], list[Guess]]) -> None:
        if not self._open:
            return
        self._values, found = answer
        self.list.clear()
        for guess in found:
            self._add(guess)
        best = suggested(found)
        if best is not None:
            self.list.setCurrentRow(found.index(best))
        values = count(len(self._values), "different value")
        proposed = f"; they look like {best.title}" if best else "; choose the atlas they are of"
        self.said.setText(f"The labels have {values}{proposed}.")
        self.list.setFocus()

    def _add(self, guess: Guess) -> QListWidgetItem:
        item = QListWidgetItem(f"{guess.title}\n{guess.words}")
        name, role = ("mdi6.check", "good") if guess.fits else ("mdi6.close", "faint")
        item.setIcon(icon(name, role))
        item.setData(Qt.ItemDataRole.UserRole, guess.protocol)
        item.setToolTip(guess.protocol)
        self.list.addItem(item)
        return item

    def _not_read(self, error: Exception) -> None:
        if self._open:
            self.said.setObjectName("error")
            self.said.style().polish(self.said)
            self.said.setText(str(error))

    def _choose_table(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, "A table of labels", "", TABLES)
        if file:
            self.add_table(Path(file))

    def add_table(self, path: Path) -> None:
        """Offer a table from elsewhere; it is copied into the study when it is taken."""
        try:
            load_protocol(path)
        except (MonetError, OSError) as error:
            self._not_read(error)
            return
        found = guesses(self._values or set(), [str(path)])
        if found:
            self.list.setCurrentItem(self._add(found[0]))

    def _chosen(self) -> None:
        self.accept_.setEnabled(bool(self.choice))

    def _answer(self) -> None:
        protocol, study = self.choice, self._study
        if not protocol or study is None:
            return
        others = self.others.isVisible() and self.others.isChecked()
        self.accept()
        session, entry = self.session, self.entry
        session.run(
            _keep, study, entry, protocol, others, doing="Setting the atlas",
            done=lambda answer: _kept(session, *answer),
        )  # fmt: skip

    def _closed(self, _: int) -> None:
        self._open = False


def _values_and_guesses(
    study: Study, entry: SegmentationEntry, names: Sequence[str]
) -> tuple[set[int], list[Guess]]:
    values = values_of(entry.path, study.scan(entry.scan_id).decisions)
    return values, guesses(values, names)


def _keep(
    study: Study, entry: SegmentationEntry, protocol: str, others: bool
) -> tuple[SegmentationEntry, int, int]:
    """Set the atlas; a table from elsewhere is copied into the study first."""
    path = Path(protocol)
    if path.is_file() and not path.is_relative_to(study.atlases):
        copy = study.atlases / f"{path.stem.removesuffix('_dseg')}.tsv"
        if copy.exists() and load_protocol(copy).fingerprint != load_protocol(path).fingerprint:
            copy = copy.with_stem(f"{copy.stem}-{load_protocol(path).fingerprint[:6]}")
        load_protocol(path).to_tsv(copy)
        protocol = str(copy)
    done, left = set_atlas(study, entry, protocol, others)
    return study.segmentation(entry.id), done, left


def _kept(session: Session, entry: SegmentationEntry, done: int, left: int) -> None:
    session.segmentations_changed.emit()
    if done > 1 or left:
        rest = f" {count(left, 'other')} did not fit and stayed as they were." if left else ""
        session.notify("info", f"The atlas is set for {count(done, 'label map')}.{rest}")
    current = session.current
    if current is not None and current.id == entry.scan_id:
        session.hide(key_of(entry))
        session.show(entry)
