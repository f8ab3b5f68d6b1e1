"""A segmentation in the viewer: its file's voxels, and the layer that shows and edits them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from numpy.typing import NDArray
from scipy.ndimage import affine_transform

from monet_app.stage.protocol import OnStage
from monet_core.scans import LabelMap
from monet_napari.colors import colormap_of, features_of
from monet_napari.grid import GRID, Grid, layer_labels

SAME_AXES_DEGREES = 0.5


@dataclass(eq=False)
class Held:
    """`drawn` (S, A, R) is the layer's array; `own` whether it is the file's grid itself.

    A label map whose axes are turned against the scan's is drawn resampled onto the scan's grid
    and cannot be painted in.
    """

    on: OnStage
    labels: LabelMap
    grid: Grid
    drawn: NDArray[Any]
    keywords: dict[str, Any]
    own: bool
    views: list[tuple[ViewerModel, Labels]] = field(default_factory=list)
    only: frozenset[int] | None = None

    @property
    def layer(self) -> Labels | None:
        """The first layer that shows it; all of them share one array."""
        return self.views[0][1] if self.views else None

    @property
    def layers(self) -> list[Labels]:
        """Its layer in every view."""
        return [layer for _, layer in self.views]

    def change(self, **changes: Any) -> None:
        """Note what users switched."""
        self.on = replace(self.on, **changes)

    def recolour(self) -> None:
        """Draw what is to be drawn, by one new colour map."""
        colormap = colormap_of(self.on.protocol, self.on.hidden, self.only)
        for layer in self.layers:
            layer.colormap = colormap

    def own_labels(self) -> NDArray[np.int32]:
        """The voxels with edits (X, Y, Z) on the label map's own grid."""
        if not self.own or self.layer is None:
            return self.labels.data
        return np.ascontiguousarray(self.grid.from_layer(self.layer.data), np.int32)

    def at(self, ras: Sequence[float]) -> int | None:
        """The index at a world point, read on its own grid; None outside."""
        geometry = self.labels.geometry
        voxel = np.rint(np.linalg.solve(geometry.affine, [*ras, 1.0])[:3]).astype(int)
        if (voxel < 0).any() or (voxel >= geometry.shape).any():
            return None
        if self.own and self.layer is not None:
            return int(self.grid.from_layer(self.layer.data)[tuple(voxel)])
        return int(self.labels.data[tuple(voxel)])


def hold(on: OnStage, labels: LabelMap, scan: Grid) -> Held:
    """A label map ready to be drawn over the scan."""
    grid = Grid.of(labels)
    own = grid.turned_against(scan) <= SAME_AXES_DEGREES
    highest = on.protocol.indices[-1]
    drawn = layer_labels(labels.data, grid, highest) if own else _resampled(labels, scan)
    keywords = {
        "name": on.name,
        "features": features_of(on.protocol),
        "colormap": colormap_of(on.protocol),
        "metadata": {GRID: grid if own else scan},
        **(grid if own else scan).placement_in(scan),
    }
    return Held(on, labels, grid, drawn, keywords, own)


def _resampled(labels: LabelMap, scan: Grid) -> NDArray[Any]:
    """The nearest label of every voxel of the scan."""
    across = np.linalg.inv(labels.geometry.affine) @ scan.geometry.affine
    found = affine_transform(
        labels.data, across[:3, :3], across[:3, 3], output_shape=scan.geometry.shape, order=0
    )
    return layer_labels(found, scan)
