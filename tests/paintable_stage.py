"""A stage that draws nothing, but can be painted in by tests."""

from fake_stage import FakeStage
from phantoms import LEFT_THALAMUS

from monet_app.stage.protocol import Probe


class PaintableStage(FakeStage):
    """A stage whose segmentations can be painted in by tests."""

    def __init__(self):
        super().__init__()
        self.painted = {}
        self.hand = (None, 0, None, 0.0, False)

    def show_segmentation(self, key, labels, protocol, name=""):
        super().show_segmentation(key, labels, protocol, name)
        self.painted[key] = labels.data.copy()

    def remove_segmentation(self, key):
        super().remove_segmentation(key)
        self.painted.pop(key, None)

    def edit(self, key, index=0, tool=None, brush_mm=3.0, three_d=False):
        self.hand = (key, index, tool, brush_mm, three_d)

    def paint(self, key, where, index):
        self.painted[key][where] = index
        self.edited.emit(key)

    def edited_labels(self, key):
        return self.painted[key].copy()

    def interpolate(self, key, index, plane="axial"):
        return 7

    def undo(self):
        self.calls.append(("undo", ()))

    def redo(self):
        self.calls.append(("redo", ()))

    def probe(self, ras_mm):
        return Probe(0.0, dict.fromkeys(self.painted, LEFT_THALAMUS))
