"""How the panes draw: sides, opacity, outlines, levels, cross-hair, letters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from monet_app.stage.protocol import Levels
from monet_app.views.maps import presets_of

if TYPE_CHECKING:
    from napari.layers import Image
    from psygnal import SignalInstance

    from monet_app.stage.held import Held
    from monet_app.views.pane import Point
    from monet_app.views.panes import Panes
    from monet_core.scans import Scan


class Looks:
    """The part of `OrthoStage` that changes how, not what, is drawn."""

    panes: Panes
    viewChanged: SignalInstance  # noqa: N815
    _held: dict[str, Held]
    _images: list[Image]
    _scan: Scan | None
    _point: Point

    def _start_looks(self) -> None:
        self._radiological = self._crosshair = self._letters = True
        self._opacity, self._outline = 0.5, 0
        self._levels: Levels = (0.0, 1.0)

    @property
    def radiological(self) -> bool:
        """See `Stage`."""
        return self._radiological

    def set_radiological(self, radiological: bool) -> None:
        """See `Stage`."""
        self._radiological = radiological
        for pane in self.panes.all:
            pane.set_radiological(radiological)
        self.panes.solid.set_radiological(radiological)
        self.viewChanged.emit()

    @property
    def opacity(self) -> float:
        """See `Stage`."""
        return self._opacity

    def set_opacity(self, opacity: float) -> None:
        """See `Stage`."""
        self._opacity = opacity
        self._each_label("opacity", opacity)

    @property
    def outline(self) -> int:
        """See `Stage`."""
        return self._outline

    def set_outline(self, width: int) -> None:
        """See `Stage`."""
        self._outline = width
        self._each_label("contour", width)

    @property
    def levels(self) -> Levels:
        """See `Stage`."""
        return self._levels

    def set_levels(self, low: float, high: float) -> None:
        """See `Stage`."""
        self._levels = low, max(high, low + 1e-6)
        for image in self._images:
            image.contrast_limits = self._levels
        self.viewChanged.emit()

    @property
    def levels_presets(self) -> Mapping[str, Levels]:
        """See `Stage`."""
        return presets_of(self._scan)

    @property
    def crosshair(self) -> bool:
        """See `Stage`."""
        return self._crosshair

    def set_crosshair(self, shown: bool) -> None:
        """See `Stage`."""
        self._crosshair = shown
        self._mark()

    @property
    def letters(self) -> bool:
        """See `Stage`."""
        return self._letters

    def set_letters(self, shown: bool) -> None:
        """See `Stage`."""
        self._letters = shown
        self._mark()

    def reset_view(self) -> None:
        """See `Stage`."""
        for pane in self.panes.all:
            pane.fit()

    def _each_label(self, name: str, value: Any) -> None:
        for held in self._held.values():
            for layer in held.layers:
                setattr(layer, name, value)
        self.viewChanged.emit()

    def _mark(self) -> None:
        for pane in self.panes.all:
            pane.cross_shown, pane.letters_shown = self._crosshair, self._letters
            pane.move_to(self._point)
        self.viewChanged.emit()
