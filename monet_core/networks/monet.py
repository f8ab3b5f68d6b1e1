"""MO-Net: a 3D U-Net with one shared encoder and a decoder per protocol (paper, section 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from monet_core.errors import ModelError
from monet_core.networks.blocks import ConvBlock, ResidualBlock, ThinBlock, Up, initialise
from monet_core.networks.logits import Logits
from monet_core.networks.settings import NetworkSettings


class Encoder(nn.Module):
    """Blocks at halving resolution and growing width, with max-pooling between them."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        block = ResidualBlock if settings.residual else ConvBlock
        channels = (settings.in_channels, *settings.encoder_widths)
        self.stages = nn.ModuleList(
            (ThinBlock if settings.thin_top and level == 0 else block)(*sizes, settings.norm)
            for level, sizes in enumerate(pairwise(channels))
        )
        self.pool = nn.MaxPool3d(2)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features of every level, finest first."""
        features: list[Tensor] = []
        for stage in self.stages:
            features.append(stage(self.pool(features[-1]) if features else x))
        return features


class Decoder(nn.Module):
    """From the coarsest features back to full resolution; only the heads know the classes."""

    def __init__(self, settings: NetworkSettings, classes: int) -> None:
        super().__init__()
        widths, skips = settings.widths, settings.encoder_widths
        levels = range(settings.levels - 1)
        self.ups = nn.ModuleList(Up(widths[level + 1], widths[level]) for level in levels)
        self.blocks = nn.ModuleList(
            (ThinBlock if settings.thin_top and level == 0 else ConvBlock)(
                widths[level] + skips[level], widths[level], settings.norm
            )
            for level in levels
        )
        heads = levels if settings.deep_supervision else range(1)
        self.heads = nn.ModuleList(nn.Conv3d(widths[level], classes, 1) for level in heads)

    def forward(self, features: Sequence[Tensor]) -> list[Logits]:
        """Logits, finest first: of all heads while training, else of full resolution alone."""
        coarsest, *skips = reversed(features)
        x, outputs = coarsest, []
        for level, skip in zip(reversed(range(len(skips))), skips, strict=True):
            x = self.blocks[level](torch.cat((self.ups[level](x), skip), dim=1))
            if level == 0 or (self.training and level < len(self.heads)):
                head = cast(nn.Conv3d, self.heads[level])
                outputs.append(Logits(x, head.weight.flatten(1), cast(Tensor, head.bias)))
        return outputs[::-1]


class MONet(nn.Module):
    """One encoder and a named decoder per protocol; with a single decoder, a 3D U-Net.

    `decoders` gives the number of classes (background included) per decoder name. Weights are
    drawn from torch's global generator: the same seed gives the same network.
    """

    def __init__(self, settings: NetworkSettings, decoders: Mapping[str, int]) -> None:
        super().__init__()
        _check_decoders(decoders)
        self.settings = settings
        self.classes = dict(decoders)
        self.encoder = Encoder(settings)
        self.decoders = nn.ModuleDict(
            {name: Decoder(settings, classes) for name, classes in decoders.items()}
        )
        initialise(self)

    @property
    def divisor(self) -> int:
        """Every side of the input must be a multiple of this many voxels."""
        return 2 ** (self.settings.levels - 1)

    def forward(self, x: Tensor, only: Sequence[str] | None = None) -> dict[str, list[Logits]]:
        """Logits of all decoders, or of those named in `only`.

        `x` is (B, in_channels, X, Y, Z). Each value is a list of `Logits`, finest first: one
        entry, or while training with deep supervision one per decoder level, each half the size
        of the one before. Raises ModelError on a size that cannot be halved
        evenly and on unknown decoders.
        """
        self._check_input(x)
        names = tuple(self.classes) if only is None else tuple(only)
        unknown = [name for name in names if name not in self.classes]
        if unknown:
            raise ModelError(
                "unknown-decoder",
                f"the model has no decoder {', '.join(unknown)}",
                remedy=f"It has: {', '.join(self.classes)}.",
            )
        features = self.encoder(_channels_last(x))
        return {name: self.decoders[name](features) for name in names}

    def _check_input(self, x: Tensor) -> None:
        channels, sides = self.settings.in_channels, tuple(x.shape[2:])
        if x.ndim != 5 or x.shape[1] != channels:
            raise ModelError(
                "input-shape",
                f"the network expects (batch, {channels}, X, Y, Z), got {tuple(x.shape)}",
            )
        # Norms need more than one voxel at the coarsest level.
        too_small = all(side == self.divisor for side in sides)
        if too_small or any(side % self.divisor or side == 0 for side in sides):
            raise ModelError(
                "input-size",
                f"a patch of {sides[0]} x {sides[1]} x {sides[2]} voxels does not fit a network"
                f" of {self.settings.levels} levels",
                remedy=f"Sides must be multiples of {self.divisor}, one at least"
                f" {2 * self.divisor}.",
            )


def _channels_last(x: Tensor) -> Tensor:
    """`x` with the channels of a voxel side by side in memory, where that is the faster order.

    So it is on processors, by a third to a half; all layers keep the order of their input. The
    strides are made anew since torch takes a single channel's for either order.
    """
    if x.device.type != "cpu":
        return x
    return torch.empty_like(x, memory_format=torch.channels_last_3d).copy_(x)


def _check_decoders(decoders: Mapping[str, int]) -> None:
    if not decoders:
        raise ModelError("no-decoders", "a network needs at least one decoder")
    for name, classes in decoders.items():
        # torch keeps modules under dotted names, and names of its own methods are taken.
        if not name or "." in name or hasattr(nn.ModuleDict, name) or name == "training":
            raise ModelError(
                "decoder-name",
                f"a decoder cannot be named {name!r}",
                remedy="Choose another name, without dots.",
            )
        if classes < 2:
            raise ModelError(
                "decoder-classes",
                f"decoder {name} has {classes} classes; background and one region are the least",
            )
