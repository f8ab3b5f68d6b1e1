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
        self.maps: dict[str, np.ndarray] = {}
        self.columns: list[str] = []
        self.levels = (0.0, 1.0)

    @property
    def levels_presets(self) -> dict[str, tuple[float, float]]:
        most = 1.0 if self.scan is None else float(self.scan.data.max())
        return {"Full range": (0.0, most), "Brain": (0.2 * most, 0.8 * most)}

    def set_levels(self, low: float, high: float) -> None:
        self.levels = (low, high)

    def show_map(self, key, data, geometry, *, colormap="inferno", limits=None) -> None:  # type: ignore[no-untyped-def]
        self.maps[key] = data
        self._note("show_map", key)

    def remove_map(self, key: str) -> None:
        self.maps.pop(key, None)
        self._note("remove_map", key)

    def set_side_by_side(self, keys: Sequence[str], plane: str = "axial") -> None:
        self.layout, self.columns = "side-by-side", list(keys)
        self._note("set_side_by_side", tuple(keys), plane)

    def _note(self, name: str, *values: object) -> None:
        self.calls.append((name, values))
        self.viewChanged.emit()

    def called(self, name: str) -> list[tuple[object, ...]]:
        """The arguments of each call of a method."""
        return [values for called, values in self.calls if called == name]

    def show_scan(self, scan: Scan | None, name: str = "") -> None:
        self.scan = scan
        self.segmentations.clear()
        self.maps.clear()
        self.levels = self.levels_presets["Full range"]
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
