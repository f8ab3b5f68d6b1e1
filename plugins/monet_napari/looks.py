"""How things look on napari's stage: sides, opacity, outlines, levels, cross-hair, letters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from monet_app.stage.protocol import Levels

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer
    from psygnal import SignalInstance

    from monet_core.scans import Scan
    from monet_napari.held import Held
    from monet_napari.views import Views

_LEVELS = {"Full range": (0, 100), "2–98 %": (2, 98), "Brain": (10, 99.8)}
_SPOTS = slice(None, None, 4)


class Looks:
    """The part of `NapariStage` that changes nothing but the picture."""

    viewer: Viewer
    views: Views
    viewChanged: SignalInstance  # noqa: N815
    _held: dict[str, Held]
    _image: Image | None
    _scan: Scan | None
    _opacity: float
    _outline: int

    @property
    def radiological(self) -> bool:
        """See `Stage`."""
        return self.views.radiological

    def set_radiological(self, radiological: bool) -> None:
        """See `Stage`."""
        self.views.set_radiological(radiological)
        self.viewChanged.emit()

    @property
    def opacity(self) -> float:
        """See `Stage`."""
        return self._opacity

    def set_opacity(self, opacity: float) -> None:
        """See `Stage`."""
        self._opacity = opacity
        for held in self._held.values():
            held.layer.opacity = opacity
        self.viewChanged.emit()

    @property
    def outline(self) -> int:
        """See `Stage`."""
        return self._outline

    def set_outline(self, width: int) -> None:
        """See `Stage`."""
        self._outline = width
        for held in self._held.values():
            held.layer.contour = width
        self.viewChanged.emit()

    @property
    def levels(self) -> Levels:
        """See `Stage`."""
        if self._image is None:
            return 0.0, 1.0
        low, high = self._image.contrast_limits
        return float(low), float(high)

    def set_levels(self, low: float, high: float) -> None:
        """See `Stage`."""
        if self._image is not None:
            self._image.contrast_limits = (low, max(high, low + 1e-6))
            self.viewChanged.emit()

    @property
    def levels_presets(self) -> Mapping[str, Levels]:
        """See `Stage`."""
        if self._scan is None:
            return {}
        spots = self._scan.data[_SPOTS, _SPOTS, _SPOTS]
        inside = spots[spots > 0] if (spots > 0).any() else spots
        made = {name: np.percentile(inside, ends) for name, ends in _LEVELS.items()}
        return {name: (float(ends[0]), float(ends[1])) for name, ends in made.items()}

    @property
    def crosshair(self) -> bool:
        """See `Stage`."""
        return self.views.crosshair

    def set_crosshair(self, shown: bool) -> None:
        """See `Stage`."""
        self.views.set_crosshair(shown)
        self.viewChanged.emit()

    @property
    def letters(self) -> bool:
        """See `Stage`."""
        return self.views.letters

    def set_letters(self, shown: bool) -> None:
        """See `Stage`."""
        self.views.set_letters(shown)
        self.viewChanged.emit()

    def reset_view(self) -> None:
        """See `Stage`."""
        self.viewer.reset_view()
