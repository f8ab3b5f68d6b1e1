"""The ways in which scans come into a study: files, folders and tables, DICOM, the sample."""

from __future__ import annotations

from pathlib import Path

from monet_resources import SAMPLE
from qtpy.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from monet_app.icons import icon
from monet_app.scans.model import ScansModel
from monet_app.widgets import button, column, label, row

SCANS = "T1 scans (*.nii *.nii.gz *.mgz *.mgh *.hdr *.img);;All files (*)"
TABLES = "Tables of scans (*.tsv)"
DICOM_TIP = "Convert a DICOM series to NIfTI and add it; the copy is kept in the study"


class Adding:
    """Asks for files and adds them."""

    def __init__(self, model: ScansModel, parent: QWidget) -> None:
        self._model, self._parent = model, parent

    def scans(self) -> None:
        """Choose scan files."""
        files, _ = QFileDialog.getOpenFileNames(self._parent, "Add scans", "", SCANS)
        if files:
            self._model.add(map(Path, files))

    def folder(self) -> None:
        """Choose a folder, flat or BIDS."""
        self._folder("Add a folder of scans or a BIDS data set")

    def dicom(self) -> None:
        """Choose a folder of DICOM files."""
        self._folder("Add a DICOM series: its folder")

    def table(self) -> None:
        """Choose a table of scans."""
        file, _ = QFileDialog.getOpenFileName(self._parent, "Add a table of scans", "", TABLES)
        if file:
            self._model.add([Path(file)])

    def sample(self) -> None:
        """The head that ships."""
        self._model.add([SAMPLE])

    def _folder(self, title: str) -> None:
        folder = QFileDialog.getExistingDirectory(self._parent, title)
        if folder:
            self._model.add([Path(folder)])

    def buttons(self) -> QWidget:
        """The row of buttons above the table."""
        more = QToolButton()
        more.setIcon(icon("mdi6.dots-horizontal"))
        more.setToolTip("More ways to add scans")
        more.setAccessibleName("More ways to add scans")
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(more)
        menu.addAction(icon("mdi6.table"), "A table of scans (TSV)…", self.table)
        menu.addAction(icon("mdi6.head-outline"), "The sample that ships", self.sample)
        more.setMenu(menu)
        return row(
            button("Add scans…", self.scans, "T1 scans: NIfTI or MGZ", "mdi6.file-plus-outline"),
            button("Folder…", self.folder, "Add all scans of a folder or BIDS data set, with the "
                   "labels beside them", "mdi6.folder-plus-outline"),
            button("DICOM…", self.dicom, DICOM_TIP, "mdi6.import"),
            None, more, gap=4,
        )  # fmt: skip

    def beginnings(self) -> QWidget:
        """What stands in an empty study: the three ways to begin."""
        return column(
            None,
            label("No scans yet", "title"),
            label("Add T1 scans to begin. Files stay where they are; the study remembers them.",
                  "hint"),
            button("Add scans…", self.scans, "NIfTI or MGZ", "mdi6.file-plus-outline", True),
            button("Add a folder or BIDS data set…", self.folder, "", "mdi6.folder-plus-outline"),
            button("Import DICOM…", self.dicom, DICOM_TIP, "mdi6.import"),
            label("Or drop them anywhere in the window.", "hint"),
            None, None,
            gap=12,
        )  # fmt: skip
