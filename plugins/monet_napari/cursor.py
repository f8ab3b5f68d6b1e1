"""Where the cross-hair is and what is there, a line for each segmentation, for a narrow dock."""

from __future__ import annotations

from qtpy.QtWidgets import QLabel

from monet_app.stage.protocol import Ras, Stage
from monet_app.views.strip import place_text
from monet_app.widgets import label

NOTHING = "Click into the scan to read what is there."


def cursor_reader(stage: Stage) -> QLabel:
    """A text that follows the cross-hair of a stage."""
    made = label(NOTHING, "hint")
    made.setAccessibleName("Under the cross-hair")
    made.setContentsMargins(8, 0, 8, 4)

    def read(ras: Ras) -> None:
        made.setText(_text(stage, ras))

    stage.cursorMoved.connect(read)
    stage.viewChanged.connect(lambda: read(stage.cursor))
    stage.edited.connect(lambda _: read(stage.cursor))
    made.destroyed.connect(lambda: stage.cursorMoved.disconnect(read, missing_ok=True))
    return made


def _text(stage: Stage, ras: Ras) -> str:
    probe = stage.probe(ras)
    if probe.intensity is None:
        return NOTHING
    lines = [f"{place_text(ras)}   T1 {probe.intensity:.5g}"]
    for key, index in probe.regions.items():
        on = stage.segmentations[key]
        name = on.protocol.region(index).name if index in on.protocol.indices else "–"
        lines.append(f"{on.name}: {name}" + (f" ({index})" if index else ""))
    lines += [f"{key}: {value:.3g}" for key, value in probe.maps.items()]
    return "\n".join(lines)
