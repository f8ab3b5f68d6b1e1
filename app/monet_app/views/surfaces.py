"""Regions as one coloured surface: decimated, padded, smoothed. No Qt; runs in the background."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, gaussian_filter
from skimage.measure import marching_cubes

from monet_app.stage.grid import Grid
from monet_core.protocols import Protocol

STEP, PAD, SMOOTH, LEVEL, LIGHTER = 2, 2, 0.7, 0.45, 0.25


@dataclass(frozen=True, eq=False)
class Surface:
    """`vertices` (N, 3) in (S, A, R) mm, `faces` (M, 3), `colors` (N, 4) of 0 to 1."""

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    colors: NDArray[np.float32]


def surface_of(
    drawn: NDArray[np.integer],
    scale: tuple[float, float, float],
    translate: tuple[float, float, float],
    protocol: Protocol,
    indices: Collection[int],
) -> Surface | None:
    """One surface of the regions `indices` of a label array (S, A, R); None if all are missing."""
    small = np.ascontiguousarray(drawn[::STEP, ::STEP, ::STEP]).astype(np.int32)
    boxes = find_objects(small, max_label=int(max(indices, default=0)))
    vertices, faces, colors, count = [], [], [], 0
    for index in indices:
        box = boxes[index - 1] if 0 < index <= len(boxes) else None
        if box is None:
            continue
        found = _region(small[box] == index)
        if found is None:
            continue
        points, triangles = found
        start = np.array([each.start for each in box])
        placed = ((points + start) * STEP) * np.asarray(scale) + np.asarray(translate)
        vertices.append(placed.astype(np.float32))
        faces.append(triangles.astype(np.int32) + count)
        colors.append(np.tile(_rgba(protocol.region(index).color), (len(points), 1)))
        count += len(points)
    if not vertices:
        return None
    return Surface(np.concatenate(vertices), np.concatenate(faces), np.concatenate(colors))


def _region(mask: NDArray[np.bool_]) -> tuple[NDArray, NDArray] | None:
    soft = gaussian_filter(np.pad(mask, PAD).astype(np.float32), SMOOTH)
    if soft.max() <= LEVEL:
        return None
    points, triangles, _, _ = marching_cubes(soft, LEVEL)
    return points - PAD, triangles


def _rgba(color: str) -> NDArray[np.float32]:
    # Lighter than on slices: shading takes light away.
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return np.array([*(LIGHTER + (1 - LIGHTER) * each for each in channels), 1.0], np.float32)


def middle_of(grid: Grid) -> tuple[float, float, float]:
    """The middle of a scan in (S, A, R) mm, where the 3-D view turns about."""
    return grid.to_world(grid.geometry.centre)
