"""A stage that draws nothing: it keeps what it was told, as the real one does. No Qt."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from psygnal import Signal

from monet_app.stage.protocol import OnStage
from monet_core.protocols import Protocol
from monet_core.scans import LabelMap, Scan


class FakeStage:
    """Remembers calls in `calls` as (method, arguments); `isolated` and `meshes` by key."""

    cursorMoved = Signal(tuple)  # noqa: N815
    edited = Signal(str)
    picked = Signal(str, int)
    layoutChanged = Signal(str)  # noqa: N815
    viewChanged = Signal()  # noqa: N815

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[object, ...]]] = []
        self.scan: Scan | None = None
        self.segmentations: dict[str, OnStage] = {}
        self.labels: dict[str, LabelMap] = {}
        self.isolated: dict[str, tuple[int, ...] | None] = {}
        self.meshes: dict[str, tuple[int, ...]] = {}
        self.cursor = (0.0, 0.0, 0.0)
        self.layout = "four"
        self.opacity, self.outline, self.radiological = 0.6, 0, True
        self.busy = ""

    def _note(self, name: str, *values: object) -> None:
        self.calls.append((name, values))
        self.viewChanged.emit()

    def called(self, name: str) -> list[tuple[object, ...]]:
        """The arguments of each call of a method."""
        return [values for called, values in self.calls if called == name]

    def show_scan(self, scan: Scan | None, name: str = "") -> None:
        self.scan = scan
        self.segmentations.clear()
        self._note("show_scan", name)

    def show_segmentation(
        self, key: str, labels: LabelMap, protocol: Protocol, name: str = ""
    ) -> None:
        self.segmentations[key] = OnStage(key, name or protocol.name, protocol)
        self.labels[key] = labels
        self._note("show_segmentation", key)

    def remove_segmentation(self, key: str) -> None:
        self.segmentations.pop(key, None)
        self._note("remove_segmentation", key)

    def set_visible(self, key: str, visible: bool) -> None:
        self.segmentations[key] = replace(self.segmentations[key], visible=visible)
        self._note("set_visible", key, visible)

    def set_hidden(self, key: str, indices: Collection[int]) -> None:
        self.segmentations[key] = replace(self.segmentations[key], hidden=frozenset(indices))
        self._note("set_hidden", key, frozenset(indices))

    def isolate(self, key: str, indices: Collection[int] | None) -> None:
        self.isolated[key] = None if indices is None else tuple(indices)
        self._note("isolate", key, self.isolated[key])

    def set_busy(self, text: str) -> None:
        self.busy = text

    def go_to(self, ras_mm: Sequence[float]) -> None:
        x, y, z = ras_mm
        self.cursor = (x, y, z)
        self._note("go_to", self.cursor)
        self.cursorMoved.emit(self.cursor)

    def set_layout(self, layout: str) -> None:
        self.layout = layout
        self._note("set_layout", layout)

    def set_opacity(self, opacity: float) -> None:
        self.opacity = opacity
        self._note("set_opacity", opacity)

    def set_outline(self, width: int) -> None:
        self.outline = width
        self._note("set_outline", width)

    def set_radiological(self, radiological: bool) -> None:
        self.radiological = radiological
        self._note("set_radiological", radiological)

    def set_mesh_regions(self, key: str, indices: Collection[int]) -> None:
        self.meshes[key] = tuple(indices)
        self._note("set_mesh_regions", key, tuple(indices))

    def edited_labels(self, key: str) -> np.ndarray:
        return self.labels[key].data
