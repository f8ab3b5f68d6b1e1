"""Colours of what is drawn: codes of regions, palettes, colour maps. Pure numpy."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from monet_core.protocols import Protocol

UNKNOWN_COLOR = (255, 0, 255)
"""Loud on purpose: an index that the protocol does not know must be seen."""
_LARGEST_TABLE = 1 << 20


class Codes:
    """Small codes in place of a protocol's indices: 0 background, 1..N regions, N+1 unknown."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.unknown = protocol.n_classes
        self.count = protocol.n_classes + 1
        self.dtype = np.dtype(np.uint8 if self.count <= 256 else np.uint16)
        self.indices: NDArray[np.int32] = np.array([0, *protocol.indices, 0], np.int32)

    @cached_property
    def _of_index(self) -> dict[int, int]:
        return {index: code for code, index in enumerate(self.protocol.indices, start=1)}

    def code(self, index: int) -> int:
        """The code of a region's index; 0 for background, KeyError if it is no region."""
        return 0 if index == 0 else self._of_index[index]

    def known(self, indices: Collection[int]) -> list[int]:
        """Codes of those of `indices` that are regions."""
        return [self._of_index[index] for index in indices if index in self._of_index]

    def encode(self, labels: NDArray) -> NDArray:
        """Codes (`dtype`, same shape and memory order) of an array of indices, 0 or more."""
        top = int(labels.max(initial=0))
        if top >= _LARGEST_TABLE:
            return self._encode_by_search(labels)
        table = np.full(max(top, self.indices.max(), *self.protocol.extra, 0) + 1, self.unknown)
        table = table.astype(self.dtype)
        table[[0, *self.protocol.extra]] = 0
        table[self.indices[1:-1]] = np.arange(1, self.unknown, dtype=self.dtype)
        # A transposed array is looked up as it lies in memory, and stays as it lies.
        if labels.ndim > 1 and labels.flags.f_contiguous:
            return self._look_up(table, labels.T).T
        return self._look_up(table, labels)

    def _look_up(self, table: NDArray, labels: NDArray) -> NDArray:
        """`table` at `labels`, slab by slab: the machine's own integers are made in its cache."""
        if labels.ndim < 2:
            return table.take(labels)
        found = np.empty(labels.shape, self.dtype)
        for slab, into in zip(labels, found, strict=True):
            np.take(table, slab, out=into, mode="clip")
        return found

    def _encode_by_search(self, labels: NDArray) -> NDArray:
        known = self.indices[1:-1]
        place = np.searchsorted(known, labels).clip(max=len(known) - 1)
        codes = np.where(known[place] == labels, place + 1, self.unknown).astype(self.dtype)
        codes[np.isin(labels, [0, *self.protocol.extra])] = 0
        return codes


def palette(protocol: Protocol) -> NDArray[np.uint8]:
    """RGB (N + 2, 3) of the protocol's codes: black background, regions, magenta for unknown."""
    colors = [(0, 0, 0), *(_rgb(region.color) for region in protocol.regions), UNKNOWN_COLOR]
    return np.array(colors, np.uint8)


def visible_codes(
    codes: Codes, hidden: Collection[int], only: Collection[int] | None
) -> NDArray[np.bool_]:
    """Which codes (N + 2,) are drawn: all but `hidden` indices, or just those of `only`.

    Unknown indices are drawn unless only some regions are asked for.
    """
    if only is not None:
        drawn = np.zeros(codes.count, bool)
        drawn[codes.known(only)] = True
        return drawn
    drawn = np.ones(codes.count, bool)
    drawn[[0, *codes.known(hidden)]] = False
    return drawn


@lru_cache(maxsize=16)
def color_map(name: str) -> NDArray[np.uint16]:
    """A matplotlib colour map as 256 RGB colours 0..255 (256, 3); ValueError if unknown."""
    from matplotlib import colormaps

    if name not in colormaps:
        raise ValueError(f"there is no colour map {name!r}")
    return (colormaps[name](np.arange(256))[:, :3] * 255).round().astype(np.uint16)


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
