"""MO-Net as one writes it first in PyTorch: what ours is measured against."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

WIDTHS = (16, 32, 64, 128)


def block(inputs: int, outputs: int) -> nn.Sequential:
    """Twice: 3^3 convolution, instance norm, LeakyReLU."""
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [
            nn.Conv3d(channels, outputs, 3, padding=1, bias=False),
            nn.InstanceNorm3d(outputs, affine=True),
            nn.LeakyReLU(0.01, inplace=True),
        ]
    return nn.Sequential(*layers)


class Decoder(nn.Module):
    """Transposed convolution, concatenation, block; a 1x1x1 head at the end."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.ups = nn.ModuleList(
            nn.ConvTranspose3d(low, high, 2, stride=2) for high, low in pairwise(WIDTHS)
        )
        self.blocks = nn.ModuleList(block(2 * width, width) for width in WIDTHS[:-1])
        self.head = nn.Conv3d(WIDTHS[0], classes, 1)

    def forward(self, features: list[Tensor]) -> Tensor:
        """Dense logits (B, classes, X, Y, Z)."""
        x = features[-1]
        for level in reversed(range(len(WIDTHS) - 1)):
            x = self.blocks[level](torch.cat((self.ups[level](x), features[level]), 1))
        return self.head(x)


class PlainMONet(nn.Module):
    """One encoder, a decoder per name; parameters in the order of monet_core's MONet."""

    def __init__(self, decoders: dict[str, int]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(block(i, o) for i, o in pairwise((1, *WIDTHS)))
        self.pool = nn.MaxPool3d(2)
        self.decoders = nn.ModuleDict({name: Decoder(n) for name, n in decoders.items()})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Dense logits per decoder."""
        features: list[Tensor] = []
        for stage in self.stages:
            features.append(stage(self.pool(features[-1]) if features else x))
        return {name: decoder(features) for name, decoder in self.decoders.items()}

    def take(self, network: nn.Module) -> PlainMONet:
        """The weights of a MONet of the same sizes."""
        with torch.no_grad():
            for own, other in zip(self.parameters(), network.parameters(), strict=True):
                own.copy_(other)
        return self
