"""Regions as smooth surfaces for the 3-D view: at half the resolution, padded. Pure numpy."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_SMOOTHING = 0.8
_LIGHTER = 0.2
_FEWEST_VOXELS = 8


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles: `vertices` (n, 3; S, A, R mm of the frame), `faces` (m, 3), `colors` (n, 3; 0..1).

    All regions in one mesh, which is one object to draw.
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    colors: NDArray[np.float32]


def mesh_of(
    codes: NDArray,
    wanted: Collection[int],
    colors: NDArray[np.uint8],
    spacing: Sequence[float],
    origin: Sequence[float],
) -> Mesh | None:
    """Surfaces of the `wanted` codes of a volume (S, A, R); None where none has any voxels.

    `colors` (N, 3; 0..255) are those of all codes. Takes seconds for a whole brain.
    """
    boxes = ndimage.find_objects(codes.astype(np.int32, copy=False))
    parts = []
    for code in sorted(wanted):
        box = boxes[code - 1] if 0 < code <= len(boxes) else None
        if box is None:
            continue
        inside = codes[box] == code
        if np.count_nonzero(inside) < _FEWEST_VOXELS:
            continue
        vertices, faces = _surface(inside)
        corner = np.array([each.start for each in box])
        placed = np.asarray(origin) + (vertices + corner) * spacing
        shade = np.broadcast_to(_lighter(colors[code]), placed.shape)
        parts.append((placed.astype(np.float32), faces, shade))
    return _joined(parts) if parts else None


def _surface(inside: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Vertices in voxel indices of `inside`, and faces."""
    from skimage.measure import marching_cubes

    # Background all around closes surfaces at the edge; an even size can be halved.
    pads = [(4, 4 + size % 2) for size in inside.shape]
    padded = np.pad(inside, pads).astype(np.float32)
    s, a, r = (size // 2 for size in padded.shape)
    halved = padded.reshape(s, 2, a, 2, r, 2).mean(axis=(1, 3, 5))
    smooth = ndimage.gaussian_filter(halved, _SMOOTHING)
    # Small structures lose volume by smoothing; their level goes down with their peak.
    level = min(0.5, 0.5 * float(smooth.max()))
    # Axes are drawn in reverse order, which turns triangles inside out: they are made that way.
    vertices, faces, _, _ = marching_cubes(smooth, level, gradient_direction="ascent")
    return vertices * 2 + 0.5 - 4, faces.astype(np.int32)


def _lighter(color: NDArray[np.uint8]) -> NDArray[np.float32]:
    # Shading takes light away, and dark regions would not be told apart.
    return (_LIGHTER + (1 - _LIGHTER) * color / 255).astype(np.float32)


def _joined(
    parts: Sequence[tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]],
) -> Mesh:
    starts = np.cumsum([0, *(len(vertices) for vertices, _, _ in parts[:-1])])
    return Mesh(
        np.concatenate([vertices for vertices, _, _ in parts]),
        np.concatenate(
            [faces + start for (_, faces, _), start in zip(parts, starts, strict=True)]
        ).astype(np.int32),
        np.concatenate([shade for _, _, shade in parts]),
    )
