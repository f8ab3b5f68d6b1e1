"""napari's File > Save for labels: exactly on the grid of the file they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from monet_core.errors import OutputError
from monet_core.scans import LabelMap
from monet_core.scans import write_labels as write_on_grid
from monet_napari.grid import GRID, Grid


def write_labels(path: str, data: Any, meta: Mapping[str, Any]) -> list[str]:
    """Write a Labels layer; OutputError where it is not known which scan's grid it lies on.

    The grid is that of the file that the layer was read from; of a layer drawn in napari, that
    of the scan with the same shape and place.
    """
    array = np.asarray(data)
    grid = _grid(meta, array.shape, path)
    labels = grid.from_layer(array)
    like = LabelMap(np.empty(0, np.int32), grid.geometry, grid.forms)
    write_on_grid(Path(path), labels.astype(np.int32, copy=False), like)
    return [path]


def _grid(meta: Mapping[str, Any], shape: tuple[int, ...], path: str) -> Grid:
    own = meta.get("metadata", {}).get(GRID)
    for grid in (own, *_open_grids()):
        if isinstance(grid, Grid) and _fits(grid, meta, shape):
            return grid
    raise OutputError(
        "no-grid",
        "this layer lies on no scan's grid, so that left and right would be a guess",
        remedy="Open the scan with MO-Net Studio's reader and draw labels of its shape and scale.",
        file=path,
    )


def _fits(grid: Grid, meta: Mapping[str, Any], shape: tuple[int, ...]) -> bool:
    return grid.fits(shape, meta.get("scale", (1,) * 3), meta.get("translate", (0,) * 3))


def _open_grids() -> Iterable[object]:
    """The grids of what is open in the viewer."""
    import napari

    viewer = napari.current_viewer()
    layers = viewer.layers if viewer is not None else ()
    return [layer.metadata[GRID] for layer in layers if GRID in layer.metadata]
