"""Summed class probabilities of the few planes that tiles still reach."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from monet_core.segmenting.tiling import Tiling, Triple

CHUNK_BYTES = 2**24
"""Of a tile's logits so much becomes float32 probabilities at a time, to keep temporaries small."""


class Slab:
    """Sums Gaussian-weighted softmax probabilities, float32 (planes, classes, u, v), on `device`.

    `add` tiles of one layer, then `flush` the planes that no later layer reaches. `swap` is the
    decoder's class permutation under a left-right mirror, int64 (classes,), or None.
    """

    def __init__(
        self,
        tiles: Tiling,
        n_classes: int,
        device: torch.device,
        swap: Tensor | None = None,
        entropy: bool = False,
    ) -> None:
        planes, u, v = tiles.slab_shape
        self._tiles = tiles
        self._swap = None if swap is None else swap.to(device)
        self._weight = tiles.weight().movedim(tiles.axis, 0).to(device)
        self._sums = torch.zeros((planes, n_classes, u, v), device=device)
        self._first = 0  # the scan's plane that lies in the slab's plane 0
        moved = (tiles.size[tiles.axis], u, v)
        self._classes = np.zeros(moved, np.uint8 if n_classes <= 256 else np.uint16)
        self._entropy = np.zeros(moved, np.float16) if entropy else None

    def add(self, logits: Tensor, corner: Triple, mirrored: bool) -> None:
        """Add one tile's `logits` (classes, X, Y, Z); `mirrored`: they are of the mirrored tile."""
        axis = self._tiles.axis
        u, v = (slice(corner[a], corner[a] + self._tiles.patch[a]) for a in range(3) if a != axis)
        by_plane = logits.movedim(axis + 1, 0)
        step = max(1, CHUNK_BYTES // (4 * by_plane[0].numel()))
        for start in range(0, by_plane.shape[0], step):
            some = slice(start, min(start + step, by_plane.shape[0]))
            here = self._unmirrored(by_plane, some) if mirrored else by_plane[some]
            # Contiguous, softmax is three times as fast.
            here = torch.softmax(here.contiguous(), dim=1, dtype=torch.float32)
            here *= self._weight[some, None]
            self._sums[some, :, u, v] += here

    def _unmirrored(self, by_plane: Tensor, some: slice) -> Tensor:
        """Planes `some` of the tile itself, from logits (planes, classes, u, v) of its mirror."""
        if self._tiles.axis == 0:
            n = by_plane.shape[0]
            here = by_plane[n - some.stop : n - some.start].flip(0)
        else:
            here = by_plane[some].flip(2)
        return here if self._swap is None else here[:, self._swap]

    def flush(self, until: int) -> None:
        """Finish the planes before `until` and move the rest of the slab up to it."""
        done = until - self._first
        for plane in range(done):
            self._finish(self._sums[plane], self._first + plane)
        kept = self._sums.shape[0] - done
        for plane in range(kept):  # plane by plane, since source and target overlap
            self._sums[plane] = self._sums[plane + done]
        self._sums[kept:] = 0
        self._first = until

    def classes(self) -> NDArray[np.unsignedinteger]:
        """Most probable class per voxel of the image, once everything is flushed."""
        return self._tiles.crop(np.moveaxis(self._classes, 0, self._tiles.axis))

    def entropy(self) -> NDArray[np.float16] | None:
        """Entropy of the averaged posterior in nats per voxel; None where not asked for."""
        if self._entropy is None:
            return None
        return self._tiles.crop(np.moveaxis(self._entropy, 0, self._tiles.axis))

    def _finish(self, sums: Tensor, plane: int) -> None:
        self._classes[plane] = sums.argmax(0).cpu().numpy()
        if self._entropy is not None:
            # Softmax sums to one, so the sum over classes is the sum of the tiles' weights.
            posterior = sums / sums.sum(0)
            nats = torch.special.entr(posterior).sum(0).clamp(min=0)
            self._entropy[plane] = nats.cpu().numpy()
