"""Summed features of the few planes that tiles still reach; classes where none does any more."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from monet_core.networks import Logits
from monet_core.segmenting import grids
from monet_core.segmenting.tiling import Tiling, Triple


class Slab:
    """Gaussian-weighted sums of one decoder's features, (planes, u, v, features), on their device.

    `add` tiles of one layer, then `flush` the planes that no later layer reaches. A head commutes
    with weighted means: applied to the mean features of a voxel, once, it gives the mean logits of
    the tiles that cover it. Likewise the mean with the mirrored tiles, whose features are summed
    apart, since their head has its classes permuted: `swap`, int64 (classes,), or None without.

    float16 for features of bfloat16, which rounds to one part in 2048 where they do to one in
    256, and else float32. `like` is any output of the decoder. `grid`: where classes are wanted,
    at the image's own voxels if None.
    """

    def __init__(
        self,
        tiles: Tiling,
        like: Logits,
        swap: Tensor | None = None,
        entropy: bool = False,
        grid: grids.Grid | None = None,
    ) -> None:
        weight, bias = like.weight.float(), like.bias.float()
        if swap is not None:
            swap = swap.to(weight.device)
            weight, bias = torch.cat((weight, weight[swap]), 1) / 2, (bias + bias[swap]) / 2
        self._head, self._bias = weight.T.contiguous(), bias
        self._tiles = tiles
        self._gauss = tiles.weight().movedim(tiles.axis, 0).to(weight.device)
        kind = torch.float16 if like.features.dtype is torch.bfloat16 else torch.float32
        self._sums = weight.new_zeros((*tiles.slab_shape, len(self._head)), dtype=kind)
        self._weights = weight.new_zeros(tiles.slab_shape)
        self._first = 0  # the scan's plane that lies in the slab's plane 0
        self._below: Tensor | None = None  # mean features of the plane finished last
        self._grid = grid or grids.SameGrid(tiles)
        self._classes = self._grid.empty(np.uint8 if like.classes <= 256 else np.uint16)
        self._entropy = self._grid.empty(np.float16) if entropy else None

    def add(self, features: Tensor, corner: Triple, mirrored: bool) -> None:
        """Add a tile's `features` (features, X, Y, Z); `mirrored`: they are of the mirrored one."""
        number, axis = len(features), self._tiles.axis
        u, v = (slice(corner[a], corner[a] + self._tiles.patch[a]) for a in range(3) if a != axis)
        sums = self._sums[:, u, v, number:] if mirrored else self._sums[:, u, v, :number]
        planes: Iterable[Tensor] = features.movedim(0, -1).unbind(axis)
        if not mirrored:
            self._weights[:, u, v] += self._gauss
        elif axis == 0:
            planes = list(planes)[::-1]
        else:
            planes = (plane.flip(0) for plane in planes)
        for plane, values, weight in zip(sums, planes, self._gauss, strict=True):
            plane += values * weight[..., None]  # a plane at a time stays in the cache

    def flush(self, until: int) -> None:
        """Finish the planes before `until` and move the rest of the slab up to it."""
        done = until - self._first
        for plane in range(done):
            self._finish(plane)
        kept = len(self._sums) - done
        for held in (self._sums, self._weights):
            for plane in range(kept):  # plane by plane, since source and target overlap
                held[plane] = held[plane + done]
            held[kept:] = 0
        self._first = until

    def classes(self) -> NDArray[np.unsignedinteger]:
        """Most probable class per voxel of the grid, once everything is flushed."""
        return self._grid.volume(self._classes)

    def entropy(self) -> NDArray[np.float16] | None:
        """Entropy in nats of the mean logits' softmax per voxel; None where not asked for."""
        return None if self._entropy is None else self._grid.volume(self._entropy)

    def _finish(self, plane: int) -> None:
        """Classes that the slab's `plane` decides; one buffer of logits serves all chunks."""
        features = (self._sums[plane] / self._weights[plane][..., None]).float().flatten(0, 1)
        buffer = self._head.new_empty((grids.CHUNK, len(self._bias)))
        for places, some in self._grid.rows(self._first + plane, self._below, features):
            logits = torch.addmm(self._bias, some, self._head, out=buffer[: len(some)])
            self._classes[places] = _argmax(logits).cpu().numpy()
            if self._entropy is not None:
                nats = torch.special.entr(torch.softmax(logits, 1)).sum(1).clamp(min=0)
                self._entropy[places] = nats.cpu().numpy()
        self._below = features


def _argmax(logits: Tensor) -> Tensor:
    """The highest class of every row; on processors numpy's, which takes a third of the time."""
    if logits.device.type != "cpu":
        return logits.argmax(1)
    return torch.from_numpy(logits.numpy().argmax(1))
