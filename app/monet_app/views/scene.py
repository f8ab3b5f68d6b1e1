"""`Scene`: a scan with all that is laid over it, and the pictures of its slices. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from monet_app.stage.protocol import Levels, Plane, Probe, Ras
from monet_app.views import compose
from monet_app.views.compose import Picture
from monet_app.views.display import AXES, Grid, scan_grid
from monet_app.views.sources import Map, Segmentation, Volume
from monet_core.scans import Scan

MOST_PARTS = 4
_SAMPLED = 300_000


class Scene:
    """State of what is drawn; `picture` resolves it to an RGB image of a slice."""

    def __init__(self) -> None:
        self.scan: Scan | None = None
        self.name = ""
        self.volume: Volume | None = None
        self.segmentations: dict[str, Segmentation] = {}
        self.maps: dict[str, Map] = {}
        self.opacity = 0.5
        self.outline = 0
        self.levels: Levels = (0.0, 1.0)
        self.presets: Mapping[str, Levels] = MappingProxyType({})
        self.voxel = (0, 0, 0)

    def set_scan(self, scan: Scan | None, name: str = "") -> None:
        """Another scan, or none; nothing is laid over it, and the cursor is in its middle."""
        self.scan, self.name = scan, name
        self.segmentations.clear()
        self.maps.clear()
        self.volume, self.presets, self.voxel = None, MappingProxyType({}), (0, 0, 0)
        if scan is None:
            return
        grid = scan_grid(scan.geometry)
        self.volume = Volume(grid.to_display(scan.data), grid)
        s, a, r = (size // 2 for size in grid.shape)
        self.voxel = (s, a, r)
        self.presets = MappingProxyType(level_presets(self.volume.values))
        self.levels = self.presets["Brain"]

    @property
    def grid(self) -> Grid:
        """The scan's grid; ValueError without a scan."""
        if self.volume is None:
            raise ValueError("a segmentation needs a scan below it")
        return self.volume.grid

    # -- where ------------------------------------------------------------------------------

    @property
    def cursor(self) -> Ras:
        """The centre of the cursor's voxel (RAS mm); the origin without a scan."""
        return (0.0, 0.0, 0.0) if self.volume is None else self.grid.ras_of(self.voxel)

    def move(self, voxel: Sequence[int]) -> tuple[Plane, ...]:
        """Put the cursor on a voxel (s, a, r), kept inside; the planes whose slice changed."""
        before = self.voxel
        s, a, r = (
            int(np.clip(index, 0, size - 1))
            for index, size in zip(voxel, self.grid.shape, strict=True)
        )
        self.voxel = (s, a, r)
        return tuple(
            plane for plane, (along, *_) in AXES.items() if before[along] != self.voxel[along]
        )

    def probe(self, ras: Sequence[float]) -> Probe:
        """Voxel values at a world point; see `Stage.probe`."""
        if self.volume is None:
            return Probe()
        voxel = self.grid.nearest(ras)
        intensity = None if voxel is None else float(self.volume.values[voxel])
        regions = {key: each.index_at(ras) for key, each in self.segmentations.items()}
        values = {key: each.value_at(ras) for key, each in self.maps.items()}
        return Probe(
            intensity,
            {key: index for key, index in regions.items() if index is not None},
            {key: value for key, value in values.items() if value is not None},
        )

    # -- pictures ---------------------------------------------------------------------------

    def picture(self, plane: Plane, parts: int = 1, only: str | None = None) -> Picture:
        """RGB (k H, k W, 3) of the cursor's slice; rows to superior (or anterior), columns to
        right (or anterior).

        `parts` is the number of pixels per voxel that can be told apart on the screen; `only` is
        the one segmentation that is drawn, whether switched on or not.
        """
        shown = [
            each
            for key, each in self.segmentations.items()
            if (each.on.visible if only is None else key == only)
        ]
        base = max([1, *(each.parts(self.grid) for each in shown)])
        picture = self._scan_picture(plane, base)
        index = self.voxel[AXES[plane][0]]
        codes = [each.slice(plane, self.grid, index, base) for each in shown]
        if not self.outline:
            for each, taken in zip(shown, codes, strict=True):
                if taken is not None:
                    picture = compose.lay_over(picture, taken, each.blend(self.opacity))
            return picture
        picture = compose.enlarge(picture, max(1, min(parts, MOST_PARTS) // base))
        for each, taken in zip(shown, codes, strict=True):
            if taken is not None:
                blend = each.blend(self.opacity)
                picture = compose.outline(picture, taken, blend, self.outline)
        return picture

    def _scan_picture(self, plane: Plane, parts: int) -> Picture:
        if self.volume is None:
            return np.zeros((1, 1, 3), np.uint8)
        index = self.voxel[AXES[plane][0]]
        values = self.volume.slice(plane, self.grid, index, parts)
        picture = compose.coloured(compose.grey(values, *self.levels))
        for each in self.maps.values():
            taken = each.slice(plane, self.grid, index, parts)
            if taken is not None:
                picture = compose.add_map(picture, taken, each.limits, each.colors)
        return picture


def level_presets(values: NDArray[np.float32]) -> dict[str, Levels]:
    """Levels by name: the full range, without the outer 2 %, and of what is above 0."""
    steps = max(1, round((values.size / _SAMPLED) ** (1 / 3)))
    some = values[::steps, ::steps, ::steps].ravel()
    inside = some[some > 0]
    low, high = (float(v) for v in np.percentile(some, (2, 98)))
    brain = (
        tuple(float(v) for v in np.percentile(inside, (1, 99.5))) if inside.size else (low, high)
    )
    return {
        "Full range": _proper(float(values.min()), float(values.max())),
        "2–98 %": _proper(low, high),
        "Brain": _proper(*brain),
    }


def _proper(low: float, high: float) -> Levels:
    """Levels that differ, for scans without contrast as well."""
    return (low, high) if high > low else (low, low + 1.0)


def map_limits(data: NDArray[np.float32]) -> Levels:
    """From 0 to almost the largest value of a map."""
    steps = max(1, round((data.size / _SAMPLED) ** (1 / 3)))
    some = data[::steps, ::steps, ::steps]
    some = some[np.isfinite(some) & (some > 0)]
    return (0.0, float(np.percentile(some, 99.9)) if some.size else 1.0)
