"""What the menus do: each method is named by an `ActionInfo` in `actions`."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from monet_resources import SAMPLE
from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QDesktopServices, QGuiApplication
from qtpy.QtWidgets import QFileDialog, QMessageBox

import monet_core
from monet_app.help import Made, command_of, keys_text, latest_made, methods_of
from monet_app.logs import log_folder
from monet_core.scans import import_dicom

if TYPE_CHECKING:
    from qtpy.QtWidgets import QMainWindow as _Base

    from monet_app.session import Session
else:
    _Base = object

SCANS = "T1 scans (*.nii *.nii.gz *.mgz *.mgh *.hdr *.img);;Tables of scans (*.tsv);;All files (*)"
SHOWN_VERSIONS = ("napari", "PySide6-Essentials", "torch", "nibabel", "numpy", "qtawesome")


class WindowCommands(_Base):
    """The main window's menu commands; mixed into it."""

    session: Session

    def open_scans(self) -> None:
        """Choose scan files and add them."""
        files, _ = QFileDialog.getOpenFileNames(self, "Open scans", "", SCANS)
        if files:
            self.session.add_scans(map(Path, files), show=True)

    def open_folder(self) -> None:
        """Choose a folder (flat or BIDS) and add its scans."""
        folder = QFileDialog.getExistingDirectory(self, "Open a folder of scans")
        if folder:
            self.session.add_scans([Path(folder)], show=True)

    def open_study(self) -> None:
        """Choose the folder of a study, new or old."""
        folder = QFileDialog.getExistingDirectory(self, "New or open study: choose its folder")
        if folder:
            self.session.open_study(Path(folder))

    def open_sample(self) -> None:
        """Open the head that ships."""
        self.session.add_scans([SAMPLE], show=True)

    def import_dicom(self) -> None:
        """Convert a DICOM folder and add the scan."""
        folder = QFileDialog.getExistingDirectory(self, "Folder of a DICOM series")
        if not folder:
            return
        if self.session.study is None:
            self.session.notify("warning", "Open a study first; the converted scan is kept there.")
            return
        out = self.session.study.folder / "sourcedata"
        self.session.run(
            import_dicom, Path(folder), out, doing="Importing DICOM",
            done=lambda path: self.session.add_scans([path], show=True),
        )  # fmt: skip

    def layout_four(self) -> None:
        """Three planes and 3-D."""
        self._layout("four")

    def layout_axial(self) -> None:
        """One large axial view."""
        self._layout("axial")

    def layout_coronal(self) -> None:
        """One large coronal view."""
        self._layout("coronal")

    def layout_sagittal(self) -> None:
        """One large sagittal view."""
        self._layout("sagittal")

    def layout_3d(self) -> None:
        """Regions in 3-D alone."""
        self._layout("3d")

    def _layout(self, name: str) -> None:
        if self.session.stage is not None:
            self.session.stage.set_layout(name)

    def toggle_radiological(self) -> None:
        """Which side of the patient is on the left of the screen."""
        settings = self.session.settings
        settings.radiological = not settings.radiological
        if self.session.stage is not None:
            self.session.stage.set_radiological(settings.radiological)

    def toggle_full_screen(self) -> None:
        """The whole screen and back."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def show_keys(self) -> None:
        """All keys in one place."""
        self._tell("Keys", keys_text())

    def copy_methods(self) -> None:
        """The paragraph for a paper about the last result, to the clipboard."""
        self._copy(methods_of, "The methods paragraph is in the clipboard.")

    def copy_command(self) -> None:
        """The command line that does what was done last, to the clipboard."""
        self._copy(command_of, "The command is in the clipboard.")

    def _copy(self, make: Callable[[Made], str], said: str) -> None:
        made = latest_made(self.session)
        if made is None:
            self.session.notify(
                "warning", "Nothing was segmented or trained yet.",
                "Segment a scan, or open one that was, and try again.",
            )  # fmt: skip
            return
        QGuiApplication.clipboard().setText(make(made))
        self.session.notify("info", said)

    def open_log(self) -> None:
        """The folder of the program's own log."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(log_folder())))

    def show_about(self) -> None:
        """Versions, licences, and what this is not."""
        self._tell("About MO-Net Studio", about_text(self.session))

    def _tell(self, title: str, text: str) -> None:
        box = QMessageBox(self)
        box.setWindowTitle(title)
        box.setTextFormat(Qt.TextFormat.RichText)
        box.setText(text)
        box.exec()


def about_text(session: Session) -> str:
    """What About says: versions, the method, the licences of the models in the box."""
    versions = ", ".join(f"{name} {_version(name)}" for name in SHOWN_VERSIONS)
    models = "".join(
        f"<li><b>{entry.manifest.name}</b>: {entry.manifest.licence}</li>"
        for entry in session.model_entries
    )
    return (
        f"<h3>MO-Net Studio {monet_core.__version__}</h3>"
        "<p>Whole-brain segmentation of T1 MRI that learns a lab's own atlas.<br>"
        "<b>Research use only. No medical device.</b> Nothing leaves this computer.</p>"
        "<p>Method: Dai, Mo, Angelini, Guo, Bai (2019), <i>Transfer Learning from Partial "
        "Annotations for Whole Brain Segmentation</i>.</p>"
        f"<p>Python {platform.python_version()}, {versions}. Code: MIT licence.</p>"
        f"<p>Models:</p><ul>{models or '<li>none is installed</li>'}</ul>"
    )


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "(not installed)"
