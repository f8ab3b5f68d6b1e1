"""Logits that are not multiplied out: the features and the head that they are made of."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional


class Logits:
    """Logits of one decoder at one resolution, `weight` f + `bias` at every voxel.

    `features` f (B, F, X, Y, Z), `weight` (C, F), `bias` (C,). A head has some hundred classes and
    some sixteen features: the logits are ten times as large as what they are made of, and most of
    what a step costs if they are stored. Whoever needs them makes a few voxels' at a time, or
    works on the features, since a head commutes with any weighted mean over tiles.
    """

    # No dataclass: wrappers of networks look into those and turn what they find to float32.
    __slots__ = ("bias", "features", "weight")

    def __init__(self, features: Tensor, weight: Tensor, bias: Tensor) -> None:
        self.features, self.weight, self.bias = features, weight, bias

    @property
    def classes(self) -> int:
        """Number of classes C, background included."""
        return self.weight.shape[0]

    @property
    def sides(self) -> tuple[int, int, int]:
        """Voxels per axis."""
        x, y, z = self.features.shape[2:]
        return x, y, z

    def every(self, step: int, first: Sequence[int]) -> Logits:
        """Those of every `step`-th voxel along each axis, from voxel `first`."""
        x, y, z = (slice(start, None, step) for start in first)
        return Logits(self.features[:, :, x, y, z], self.weight, self.bias)

    def dense(self) -> Tensor:
        """The logits themselves, (B, C, X, Y, Z)."""
        return functional.conv3d(self.features, self.weight[..., None, None, None], self.bias)
