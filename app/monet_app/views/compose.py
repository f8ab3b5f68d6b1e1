"""One picture of a slice: grey levels, regions laid over, outlines, maps. Pure numpy, fast.

A whole picture is made here and handed to the canvas as one image, so that the cost of a frame
hardly depends on how many segmentations are shown, and hiding regions costs a look-up table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Blend:
    """How codes are laid over a picture: 256ths of it that stay (N,), and what is added (N, 3)."""

    keep: NDArray[np.uint16]
    add: NDArray[np.uint16]

    @classmethod
    def of(cls, colors: Picture, drawn: NDArray[np.bool_], opacity: float) -> Blend:
        """From colours (N, 3) of the codes, which of them are drawn, and their opacity 0..1."""
        alpha = np.where(drawn, round(256 * opacity), 0).astype(np.uint16)
        return cls(256 - alpha, colors.astype(np.uint16) * alpha[:, None])


def grey(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    """Grey levels of intensities: `low` and less is black, `high` and more white."""
    scale = 255.0 / max(high - low, 1e-20)
    scaled = values - np.float32(low)
    scaled *= np.float32(scale)
    return np.clip(scaled, 0, 255, out=scaled).astype(np.uint8)


def coloured(levels: NDArray[np.uint8]) -> Picture:
    """Grey levels (H, W) as RGB (H, W, 3)."""
    return np.repeat(levels[..., None], 3, axis=2)


def lay_over(picture: Picture, codes: NDArray, blend: Blend) -> Picture:
    """`picture` (H, W, 3) with regions (H, W) blended over it."""
    mixed = picture * blend.keep.take(codes)[..., None]
    mixed += blend.add.take(codes, axis=0)
    mixed >>= 8
    return mixed.astype(np.uint8)


def add_map(
    picture: Picture,
    values: NDArray[np.float32],
    limits: tuple[float, float],
    colors: NDArray[np.uint16],
) -> Picture:
    """`picture` with a map's colours (256, 3) added; nothing at or below its low limit."""
    levels = grey(np.nan_to_num(values), *limits)
    added = np.where(levels[..., None] > 0, colors.take(levels, axis=0), 0) + picture
    return np.minimum(added, 255).astype(np.uint8)


def enlarge(picture: Picture, times: int) -> Picture:
    """Each pixel `times` x `times` large."""
    if times == 1:
        return picture
    return picture.repeat(times, axis=0).repeat(times, axis=1)


def outline(picture: Picture, codes: NDArray, blend: Blend, width: int) -> Picture:
    """Draw regions' borders, on their inside, `width` pixels wide.

    `picture` is (k H, k W, 3) for codes (H, W): lines can be thinner than voxels. In place.
    """
    times = picture.shape[0] // codes.shape[0]
    height, across = codes.shape
    blocks = picture.reshape(height, times, across, times, 3)
    drawn = blend.keep.take(codes) < 256
    width = min(width, times)
    for side, differs in _borders(codes).items():
        rows, columns = np.nonzero(differs & drawn)
        inside = codes[rows, columns]
        keep, add = blend.keep[inside], blend.add[inside]
        where = {
            "top": np.s_[rows, :width, columns],
            "bottom": np.s_[rows, times - width :, columns],
            "left": np.s_[rows, :, columns, :width],
            "right": np.s_[rows, :, columns, times - width :],
        }[side]
        part = blocks[where]
        mixed = part * keep[:, None, None, None] + add[:, None, None, :]
        blocks[where] = (mixed >> 8).astype(np.uint8)
    return picture


def _borders(codes: NDArray) -> dict[str, NDArray[np.bool_]]:
    """Where a pixel's neighbour on each side is of another region, or outside the picture."""
    down = codes[1:] != codes[:-1]
    across = codes[:, 1:] != codes[:, :-1]
    row = np.ones((1, codes.shape[1]), bool)
    column = np.ones((codes.shape[0], 1), bool)
    return {
        "top": np.concatenate([row, down]),
        "bottom": np.concatenate([down, row]),
        "left": np.concatenate([column, across], axis=1),
        "right": np.concatenate([across, column], axis=1),
    }
