"""What stands under Advanced in Segment."""

from __future__ import annotations

from qtpy.QtWidgets import QCheckBox, QDoubleSpinBox, QFormLayout, QLineEdit, QWidget

from monet_app.segment.model import Options, SegmentModel


class OptionsView(QWidget):
    """Overlap, mirrored average, uncertainty map, picture, cluster."""

    def __init__(self, model: SegmentModel) -> None:
        super().__init__()
        self._model = model
        self.overlap = QDoubleSpinBox()
        self.overlap.setRange(0, 90)
        self.overlap.setDecimals(0)
        self.overlap.setSingleStep(10)
        self.overlap.setSuffix(" %")
        self.overlap.setAccessibleName("Overlap of tiles")
        self.overlap.setToolTip("Share of a tile that the next one covers again; more is smoother")
        self.mirror = _box(
            "Average with the mirrored scan", "A little better at the borders; takes twice as long"
        )
        self.entropy = _box("Uncertainty map", "Also shows where the model was unsure (entropy)")
        self.picture = _box("Picture", "Also writes a PNG of the result over the scan")
        layout = QFormLayout(self)
        layout.setContentsMargins(16, 0, 0, 0)
        layout.addRow("Overlap of tiles", self.overlap)
        for part in (self.mirror, self.entropy, self.picture):
            layout.addRow(part)
            part.toggled.connect(self._changed)
        self.cluster = QLineEdit()
        self.cluster.setPlaceholderText("none: this computer")
        self.cluster.setAccessibleName("Cluster")
        self.cluster.setToolTip(
            "slurm, or the address of a Dask scheduler (tcp://HOST:PORT) whose workers see the "
            "same files; results appear in the study as they come"
        )
        layout.addRow("Cluster", self.cluster)
        self.overlap.valueChanged.connect(self._changed)
        self.cluster.editingFinished.connect(self._changed)
        self.show_options(model.options)

    def show_options(self, options: Options) -> None:
        """Show what is chosen."""
        self.overlap.blockSignals(True)
        self.overlap.setValue(100 * options.overlap)
        self.overlap.blockSignals(False)
        self.cluster.setText(options.cluster)
        for part, value in (
            (self.mirror, options.mirror),
            (self.entropy, options.entropy),
            (self.picture, options.picture),
        ):
            part.blockSignals(True)
            part.setChecked(value)
            part.blockSignals(False)

    def _changed(self) -> None:
        self._model.set_options(
            Options(
                overlap=round(self.overlap.value() / 100, 2),
                mirror=self.mirror.isChecked(),
                entropy=self.entropy.isChecked(),
                picture=self.picture.isChecked(),
                cluster=self.cluster.text().strip(),
            )
        )


def _box(text: str, tip: str) -> QCheckBox:
    made = QCheckBox(text)
    made.setToolTip(tip)
    return made
