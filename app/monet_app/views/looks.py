"""How the views draw: sides, opacity, outlines, levels, cross-hair, letters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from monet_app.stage.protocol import Levels

if TYPE_CHECKING:
    from monet_app.views.panes import Panes
    from monet_app.views.scene import Scene


class Looks:
    """The part of `OrthoStage` that changes how, not what, is drawn."""

    scene: Scene
    panes: Panes

    def _start_looks(self) -> None:
        self._radiological = self._crosshair = self._letters = True

    def _change(self, moved: bool = False) -> None:
        """Draw everything anew, soon."""
        raise NotImplementedError

    @property
    def radiological(self) -> bool:
        """See `Stage`."""
        return self._radiological

    def set_radiological(self, radiological: bool) -> None:
        """See `Stage`."""
        self._radiological = radiological
        for pane in self.panes.made:
            pane.set_radiological(radiological)
        self._change()

    @property
    def opacity(self) -> float:
        """See `Stage`."""
        return self.scene.opacity

    def set_opacity(self, opacity: float) -> None:
        """See `Stage`."""
        self.scene.opacity = min(max(float(opacity), 0.0), 1.0)
        self._change()

    @property
    def outline(self) -> int:
        """See `Stage`."""
        return self.scene.outline

    def set_outline(self, width: int) -> None:
        """See `Stage`."""
        self.scene.outline = max(0, int(width))
        self._change()

    @property
    def levels(self) -> Levels:
        """See `Stage`."""
        return self.scene.levels

    def set_levels(self, low: float, high: float) -> None:
        """See `Stage`."""
        self.scene.levels = (float(low), max(float(high), float(low) + 1e-6))
        self._change()

    @property
    def levels_presets(self) -> Mapping[str, Levels]:
        """See `Stage`."""
        return self.scene.presets

    @property
    def crosshair(self) -> bool:
        """See `Stage`."""
        return self._crosshair

    def set_crosshair(self, shown: bool) -> None:
        """See `Stage`."""
        self._crosshair = shown
        self._change()

    @property
    def letters(self) -> bool:
        """See `Stage`."""
        return self._letters

    def set_letters(self, shown: bool) -> None:
        """See `Stage`."""
        self._letters = shown
        self._change()

    def reset_view(self) -> None:
        """See `Stage`."""
        self.panes.reset()
        self._change()
