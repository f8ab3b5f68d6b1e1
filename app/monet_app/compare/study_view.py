"""The same comparison over the whole study: progress, box plots, the scans that agree least."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from monet_app.centre import Centre
from monet_app.compare.exporting import Exporting
from monet_app.compare.model import CompareModel
from monet_app.compare.over_study import MEASURES, OverStudy, Wanted
from monet_app.origins import origin_of
from monet_app.picture import Picture
from monet_app.widgets import button, column, label, row
from monet_app.words import count, dice

SCANS_HEIGHT = 160


class StudyView(QWidget):
    """Compares all scans that have the chosen kinds of segmentations."""

    def __init__(self, model: CompareModel, over: OverStudy, exporting: Exporting) -> None:
        super().__init__()
        self.model, self.over, self.exporting = model, over, exporting
        self.centre = Centre(model.session)
        self._what = label("")
        self.start = button("Compare all scans", self._start, "What was compared before is kept")
        self.cancel = button("Cancel", over.cancel, "What is done so far is kept")
        self.bar = QProgressBar()
        self.measure = QComboBox()
        self.measure.setAccessibleName("Measure")
        for name, text in MEASURES.items():
            self.measure.addItem(text, name)
        self.measure.activated.connect(lambda at: over.set_measure(self.measure.itemData(at)))
        self.large = button("Large", self._large, "Box plots in place of the views",
                            "mdi6.arrow-expand")  # fmt: skip
        self.picture = Picture()
        self.picture.setAccessibleName("Box plots")
        self.scans = QListWidget()
        self.scans.setAccessibleName("Scans, those that agree least first")
        self.scans.setToolTip("Enter or double click: open the scan and compare there")
        self.scans.itemActivated.connect(self._open)
        self.scans.setMaximumHeight(SCANS_HEIGHT)
        self._failures = label("", "warning")
        self.export = button("Export…", self._export, "Table (TSV) or box plots (PNG)",
                             "mdi6.export-variant")  # fmt: skip
        self._page, self._large_picture = self._large_page()
        self._shown: Path | None = None
        self._results = column(
            row(self.measure, None, self.large), self.picture,
            label("Scans, those that agree least first", "hint"), self.scans, self._failures,
            row(self.export, None),
        )  # fmt: skip
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        for part in (self._what, row(self.start, self.bar, self.cancel, None)):
            layout.addWidget(part)
        layout.addWidget(self._results, 1)
        layout.addStretch(0)
        over.changed.connect(self.refresh)
        model.choices_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show how far it is, and what came of it."""
        wanted, over = self.wanted(), self.over
        self._what.setText(self._words(wanted))
        self.start.setEnabled(wanted is not None and not over.running)
        self.start.setVisible(not over.running)
        self.bar.setVisible(over.running)
        self.cancel.setVisible(over.running)
        self.bar.setRange(0, max(1, over.total))
        self.bar.setValue(over.done)
        self.bar.setFormat(f"{over.done} of {over.total}")
        self._results.setVisible(over.table is not None)
        self._failures.setText("\n".join(over.failures))
        self._failures.setVisible(bool(over.failures))
        self._fill_scans()
        self._show_figure()

    def wanted(self) -> Wanted | None:
        """The kinds of segmentations that are chosen in the current scan."""
        entries = self.model.chosen_entries
        if not self.model.ready or self.model.common is None:
            return None
        origins = [origin_of(entry) for entry in entries]
        if len(set(origins)) < len(origins):
            return None
        short = [origin.name for origin in origins]
        names = [o.name if short.count(o.name) == 1 else o.title for o in origins]
        reference = next(
            (n for n, e in zip(names, entries, strict=True) if e.id == self.model.reference), None
        )
        return Wanted(dict(zip(names, origins, strict=True)), self.model.common.protocol, reference)

    def _words(self, wanted: Wanted | None) -> str:
        if wanted is None:
            return "Choose two or more segmentations of different origin above."
        scans = count(self.over.scans(wanted), "scan")
        return f"{', '.join(wanted.origins)}: {scans} of the study can be compared."

    def _start(self) -> None:
        wanted = self.wanted()
        if wanted is not None:
            self.over.start(wanted)

    def _fill_scans(self) -> None:
        rows = self.over.worst_scans()
        self.scans.clear()
        for scan_id, name, value in rows.itertuples(index=False, name=None):
            item = QListWidgetItem(f"{dice(value)}   {name}")
            item.setData(Qt.ItemDataRole.UserRole, int(scan_id))
            self.scans.addItem(item)

    def _open(self, item: QListWidgetItem) -> None:
        study = self.model.session.study
        if study is not None:
            self.centre.hide()
            self.model.start_in(study.scan(item.data(Qt.ItemDataRole.UserRole)))

    def _show_figure(self) -> None:
        figure = self.over.figure
        if figure is None:
            self.picture.set_png(None)
            self.centre.hide()
        elif figure.is_file():
            data = figure.read_bytes()
            self.picture.set_png(data)
            self._large_picture.set_png(data)
        self.large.setEnabled(figure is not None)

    def _large_page(self) -> tuple[QWidget, Picture]:
        picture = Picture(most=1.5)
        back = button("Back to the views", self.centre.hide, "", "mdi6.arrow-left")
        back.setShortcut("Esc")
        page = column(row(back, None), picture, margin=12)
        layout = page.layout()
        if layout is not None:
            layout.setStretch(1, 1)  # type: ignore[attr-defined]
        return page, picture

    def _large(self) -> None:
        self.centre.show(self._page, "Box plots over the study")

    def _export(self) -> None:
        study = self.model.session.study
        folder = study.folder if study is not None else Path.home()
        file, _ = QFileDialog.getSaveFileName(
            self, "Export", str(folder / "comparison.tsv"), "Tables (*.tsv);;Pictures (*.png)"
        )
        if file:
            self.exporting.export_study(Path(file))
