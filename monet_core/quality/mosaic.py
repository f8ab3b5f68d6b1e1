"""Slices of a scan with region outlines, as one picture for a quick look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from monet_core.errors import DatasetError
from monet_core.protocols import Protocol
from monet_core.quality import slices
from monet_core.quality.slices import PLANES, Plane
from monet_core.scans import LabelMap, Scan, grid_difference, onto_grid, to_canonical

Picture = NDArray[np.uint8]
Box = tuple[tuple[int, int], ...]

MARGIN_MM = 10.0
OPACITY = 0.45
LUMINANCE = np.array([0.299, 0.587, 0.114])
LEAST_LUMINANCE = 110.0
GAP = 2
INNER_SHARE = (0.12, 0.88)
"""The part of the brain's extent that slices are spread over: the first and last show little."""
_LETTERS = {"axial": ("R", "L"), "coronal": ("R", "L"), "sagittal": ("A", "P")}


@dataclass(frozen=True, eq=False)
class _View:
    """A canonical scan and its labels, cut to what is shown.

    `spacing` in mm, `levels` the values that are black and white, `inner` where slices are made.
    """

    image: NDArray[np.float32]
    labels: NDArray[np.int32] | None
    protocol: Protocol | None
    spacing: tuple[float, ...]
    levels: tuple[float, float]
    inner: Box


def mosaic(
    scan: Scan,
    labels: LabelMap | None = None,
    protocol: Protocol | None = None,
    *,
    columns: int = 6,
    rows_per_plane: int = 1,
    height: int = 256,
    outline: bool = True,
) -> Picture:
    """RGB (H, W, 3): rows of axial, coronal and sagittal slices, the person's right on the left.

    `height` in pixels of the tallest slice. Regions are outlined in their colours (filled, half
    seen through, without `outline`); values that `protocol` does not know are magenta. Raises
    DatasetError where the labels are not on the scan's grid.
    """
    view = _view(scan, labels, protocol)
    extents = [n * s for n, s in zip(view.image.shape, view.spacing, strict=True)]
    mm = max(extents) / height
    rows = []
    for plane in PLANES:
        tiles = [
            _tile(view, plane, index, mm, outline)
            for index in _spread(view.inner[plane.axis], columns * rows_per_plane)
        ]
        rows += [_row(tiles[n : n + columns], plane) for n in range(0, len(tiles), columns)]
    return _stacked(rows)


def thumbnail(scan: Scan, height: int = 96) -> Picture:
    """Grey (height, W): the middle axial, coronal and sagittal slice beside each other."""
    view = _view(scan, None, None)
    tiles = []
    for plane in PLANES:
        middle = sum(view.inner[plane.axis]) // 2
        grey = slices.grey(slices.cut(view.image, plane, middle), view.levels)
        mm = grey.shape[0] * view.spacing[plane.up] / height
        size = slices.size_of(grey, plane, view.spacing, mm)
        tiles.append(slices.smooth(grey, (height, size[1])))
    return np.concatenate(tiles, axis=1)


def _view(scan: Scan, labels: LabelMap | None, protocol: Protocol | None) -> _View:
    image = to_canonical(scan.data, scan.geometry)
    levels = slices.window(image)
    spacing = scan.geometry.canonical().spacing
    overlay = None if labels is None else _canonical_labels(labels, scan)
    if overlay is None:
        inner = slices.foreground_box(image, levels[0] + 0.2 * (levels[1] - levels[0]))
    else:
        inner = slices.foreground_box(overlay, 0)
    box = _widened(inner, image.shape, spacing)
    where = tuple(slice(first, last + 1) for first, last in box)
    inner = tuple(
        (first - start, last - start) for (first, last), (start, _) in zip(inner, box, strict=True)
    )
    inside = None if overlay is None else overlay[where]
    return _View(image[where], inside, protocol, spacing, levels, inner)


def _canonical_labels(labels: LabelMap, scan: Scan) -> NDArray[np.int32]:
    data = onto_grid(labels.data, labels.geometry, scan.geometry)
    if data is None:
        raise DatasetError(
            "grids-differ",
            f"not on the scan's grid: {grid_difference(labels.geometry, scan.geometry)}",
            remedy="Resample it to the scan first.",
            file=labels.path,
        )
    return to_canonical(data, scan.geometry)


def _widened(box: Box, shape: tuple[int, ...], spacing: tuple[float, ...]) -> Box:
    margins = [round(MARGIN_MM / s) for s in spacing]
    return tuple(
        (max(0, first - margin), min(n - 1, last + margin))
        for (first, last), margin, n in zip(box, margins, shape, strict=True)
    )


def _spread(extent: tuple[int, int], count: int) -> Iterator[int]:
    first, last = extent
    for share in np.linspace(*INNER_SHARE, count) if count > 1 else [0.5]:
        yield round(first + share * (last - first))


def _tile(view: _View, plane: Plane, index: int, mm: float, outline: bool) -> Picture:
    grey = slices.grey(slices.cut(view.image, plane, index), view.levels)
    size = slices.size_of(grey, plane, view.spacing, mm)
    picture = np.repeat(slices.smooth(grey, size)[:, :, None], 3, axis=2)
    if view.labels is not None:
        cut = slices.nearest(slices.cut(view.labels, plane, index), size)
        _paint(picture, cut, view.protocol, outline)
    return picture


def _paint(
    picture: Picture, labels: NDArray[np.int32], protocol: Protocol | None, outline: bool
) -> None:
    where = labels != 0
    if outline:
        where &= _edges(labels)
    colours = _colours(labels[where], protocol)
    filled = OPACITY * colours + (1 - OPACITY) * picture[where]
    picture[where] = _bright(colours) if outline else filled


def _bright(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colours (n, 3) mixed with white until they stand out from dark tissue."""
    luminance = colours @ LUMINANCE
    share = np.clip((LEAST_LUMINANCE - luminance) / (255 - luminance + 1), 0, 1)[:, None]
    return colours + share * (255 - colours)


def _edges(labels: NDArray) -> NDArray[np.bool_]:
    """Where a pixel's neighbour to the right or below is another region, or to the outside."""
    edges = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        ahead, behind = [slice(None)] * 2, [slice(None)] * 2
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        one, two = labels[tuple(behind)], labels[tuple(ahead)]
        edges[tuple(behind)] |= one != two
        edges[tuple(ahead)] |= (one != two) & (one == 0)
    return edges


def _colours(labels: NDArray[np.int32], protocol: Protocol | None) -> NDArray[np.float64]:
    """RGB 0..255 of each label (n, 3): the protocol's, magenta where it has none."""
    values, inverse = np.unique(labels, return_inverse=True)
    known = {region.index: region.color for region in protocol.regions} if protocol else {}
    background = protocol.extra if protocol else frozenset[int]()
    table = [
        bytes.fromhex("808080" if v in background else known.get(int(v), "#ff00ff")[1:])
        for v in values.tolist()
    ]
    return np.array([list(rgb) for rgb in table], np.float64).reshape(-1, 3)[inverse]


def _row(tiles: list[Picture], plane: Plane) -> Picture:
    gap = np.zeros((tiles[0].shape[0], GAP, 3), np.uint8)
    row = np.concatenate([part for tile in tiles for part in (tile, gap)][:-1], axis=1)
    picture = Image.fromarray(row)
    draw = ImageDraw.Draw(picture)
    left, right = _LETTERS[plane.name]
    middle = row.shape[0] // 2
    draw.text((3, middle), left, fill="white", anchor="lm")
    draw.text((tiles[0].shape[1] - 3, middle), right, fill="white", anchor="rm")
    return np.asarray(picture)


def _stacked(rows: list[Picture]) -> Picture:
    width = max(row.shape[1] for row in rows)
    parts = []
    for row in rows:
        left = (width - row.shape[1]) // 2
        wide = np.pad(row, ((0, GAP), (left, width - row.shape[1] - left), (0, 0)))
        parts.append(wide)
    return np.concatenate(parts)[:-GAP]
