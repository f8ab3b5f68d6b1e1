"""The strip under the views: where the cross-hair is, and what is there in every segmentation."""

from __future__ import annotations

from qtpy.QtWidgets import QHBoxLayout, QLabel, QWidget

from monet_app.stage.protocol import Probe, Ras, Stage

_ENDS = (("L", "R"), ("P", "A"), ("I", "S"))
NOTHING = "Click into a view to read what is there."


class CursorStrip(QWidget):
    """Reads: R 24.0  P 12.0  S 42.0 mm   T1 641   malc: Left Caudate (37) | FIRST: –."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 3, 8, 3)
        self._place = QLabel(NOTHING)
        self._found = QLabel()
        for part, stretch in ((self._place, 0), (self._found, 1)):
            part.setMinimumWidth(1)
            layout.addWidget(part, stretch)
        layout.setSpacing(16)
        stage.cursorMoved.connect(self.read)
        stage.viewChanged.connect(lambda: self.read(stage.cursor))
        stage.edited.connect(lambda _: self.read(stage.cursor))

    def read(self, ras: Ras) -> None:
        """Show what is at a world point."""
        probe = self._stage.probe(ras)
        if probe.intensity is None:
            self._place.setText(NOTHING)
            self._found.clear()
            return
        self._place.setText(f"{place_text(ras)}   T1 {probe.intensity:.5g}")
        self._found.setText("   |   ".join(self._regions(probe)))

    @property
    def text(self) -> str:
        """All that it says."""
        return f"{self._place.text()}   {self._found.text()}".strip()

    def _regions(self, probe: Probe) -> list[str]:
        said = []
        for key, index in probe.regions.items():
            on = self._stage.segmentations[key]
            name = on.protocol.region(index).name if index in on.protocol.indices else ""
            what = f"{name} ({index})" if name else "–" if index == 0 else f"unknown ({index})"
            said.append(f"{on.name}: {what}")
        said += [f"{key}: {value:.3g}" for key, value in probe.maps.items()]
        return said


def place_text(ras: Ras) -> str:
    """A world point as users read it: "R 24.0  P 12.0  S 42.0 mm"."""
    parts = (f"{ends[value >= 0]} {abs(value):.1f}" for ends, value in zip(_ENDS, ras, strict=True))
    return "  ".join(parts) + " mm"
