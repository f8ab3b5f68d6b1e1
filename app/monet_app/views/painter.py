"""`Painter`: the tool in the user's hand, and each segmentation's edits. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from monet_app.stage.protocol import Plane, Tool
from monet_app.views.editing import Editor
from monet_app.views.scene import Scene
from monet_app.views.sources import Segmentation


class Painter:
    """Turns presses and moves (display indices of the scan, with fractions) into edits.

    `changed(key)` is called when voxels were drawn, `edited(key)` when an edit is complete, and
    `picked(key, index)` by the pick tool.
    """

    def __init__(
        self,
        scene: Scene,
        changed: Callable[[str], None],
        edited: Callable[[str], None],
        picked: Callable[[str, int], None],
    ) -> None:
        self.scene = scene
        self.key: str | None = None
        self.index = 0
        self.tool: Tool | None = None
        self.brush_mm = 3.0
        self.three_d = False
        self.pressed = False
        self._changed, self._edited, self._picked = changed, edited, picked
        self._editors: dict[str, Editor] = {}
        self._latest: str | None = None
        self._plane: Plane = "axial"
        self._at: tuple[float, float, float] = (0.0, 0.0, 0.0)
        self._code = 0

    @property
    def active(self) -> bool:
        """Whether the mouse is a tool."""
        return self.key is not None and self.tool is not None

    @property
    def brushes(self) -> bool:
        """Whether the tool has a size."""
        return self.active and self.tool in ("paint", "erase")

    def take(
        self, key: str | None, index: int, tool: Tool | None, brush_mm: float, three_d: bool
    ) -> None:
        """Take a tool in hand, or lay it down (None). KeyError for what is not on the stage."""
        if self.pressed:
            self.release()
        if key is None or tool is None:
            self.key = self.tool = None
            return
        segmentation = self.scene.segmentations[key]
        self._code_of(segmentation, index)
        self.key, self.index, self.tool = key, index, tool
        self.brush_mm, self.three_d = float(brush_mm), three_d

    def forget(self, key: str) -> None:
        """A segmentation left the stage or was replaced."""
        self._editors.pop(key, None)
        if self._latest == key:
            self._latest = None
        if self.key == key:
            self.pressed = False
            self.key = self.tool = None

    # -- the mouse --------------------------------------------------------------------------

    def press(self, plane: Plane, at: Sequence[float], erase: bool = False) -> None:
        """The tool comes down; `erase` (the other button) makes a brush take away."""
        if self.key is None:
            return
        segmentation = self.scene.segmentations[self.key]
        place = self._own(segmentation, at)
        if self.tool == "pick":
            self._pick(segmentation, at)
            return
        code = 0 if erase or self.tool == "erase" else self._code_of(segmentation, self.index)
        editor = self._editor(self.key)
        if self.tool == "fill":
            seed = np.rint(place).astype(int)
            inside = ((seed >= 0) & (seed < editor.codes.shape)).all()
            s, a, r = seed.tolist()
            if inside and editor.fill((s, a, r), code, None if self.three_d else plane):
                self._changed(self.key)
                self._complete(self.key)
            return
        editor.begin()
        self.pressed, self._plane, self._at, self._code = True, plane, place, code
        self._draw(place)

    def move(self, at: Sequence[float]) -> None:
        """The tool is drawn on."""
        if self.key is not None:
            self._draw(self._own(self.scene.segmentations[self.key], at))

    def release(self) -> None:
        """The tool is lifted: one edit is complete."""
        self.pressed = False
        if self.key is not None and self._editor(self.key).end():
            self._complete(self.key)

    def _draw(self, place: tuple[float, float, float]) -> None:
        if self.key is None:
            return
        editor = self._editor(self.key)
        plane = None if self.three_d else self._plane
        if editor.paint(self._at, place, self._code, self.brush_mm, plane):
            self._changed(self.key)
        self._at = place

    def _pick(self, segmentation: Segmentation, at: Sequence[float]) -> None:
        index = segmentation.index_at(self.scene.grid.ras_of(np.rint(at)))
        if index:
            self._picked(segmentation.on.key, index)

    # -- whole edits ------------------------------------------------------------------------

    def undo(self) -> None:
        """Take back the last edit of the segmentation in hand, or of the one edited last."""
        self._step(Editor.undo)

    def redo(self) -> None:
        """Do it again."""
        self._step(Editor.redo)

    def _step(self, step: Callable[[Editor], bool]) -> None:
        key = self.key if self.key in self._editors else self._latest
        if key is not None and not self.pressed and step(self._editors[key]):
            self._changed(key)
            self._complete(key)

    def interpolate(self, key: str, index: int, plane: Plane) -> int:
        """Fill region `index` between slices; the number of voxels added."""
        segmentation = self.scene.segmentations[key]
        added = self._editor(key).interpolate(self._code_of(segmentation, index), plane)
        if added:
            self._changed(key)
            self._complete(key)
        return added

    def _complete(self, key: str) -> None:
        self._latest = key
        self._edited(key)

    # -- inside -----------------------------------------------------------------------------

    def _editor(self, key: str) -> Editor:
        if key not in self._editors:
            segmentation = self.scene.segmentations[key]
            codes = segmentation.begin_editing()
            self._editors[key] = Editor(codes, segmentation.grid.spacing)
        return self._editors[key]

    def _code_of(self, segmentation: Segmentation, index: int) -> int:
        try:
            return segmentation.codes.code(index)
        except KeyError:
            name = segmentation.on.protocol.name
            raise ValueError(f"{index} is no region of {name}") from None

    def _own(self, segmentation: Segmentation, at: Sequence[float]) -> tuple[float, float, float]:
        """Indices on the segmentation's grid of those on the scan's."""
        scan, grid = self.scene.grid, segmentation.grid
        s, a, r = (
            (scan.origin[axis] + scan.spacing[axis] * at[axis] - grid.origin[axis])
            / grid.spacing[axis]
            for axis in range(3)
        )
        return s, a, r
