"""The building blocks of encoder and decoders: plain and residual pairs, and one convolution."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Norm = Literal["instance", "batch"]
SLOPE = 0.01
"""Negative slope of every LeakyReLU (paper, section 3)."""


class Conv3d(nn.Conv3d):
    """A convolution that keeps its size and the memory order of its input.

    No bias, since the norm that follows would take it away.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__(inputs, outputs, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, X, Y, Z) -> (B, outputs, X, Y, Z)."""
        return _in_order_of(x, super().forward(x))


class Up(nn.ConvTranspose3d):
    """A transposed convolution that doubles the size and keeps the memory order of its input."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 2, stride=2)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """(B, inputs, X, Y, Z) -> (B, outputs, 2 X, 2 Y, 2 Z)."""
        return _in_order_of(x, super().forward(x, output_size))


def _in_order_of(x: Tensor, y: Tensor) -> Tensor:
    """`y` channels-last if `x` is: in 32 bits some of torch's convolutions give that up."""
    return y.contiguous(memory_format=torch.channels_last_3d) if x.stride(1) == 1 else y


class InstanceNorm(nn.InstanceNorm3d):
    """torch's instance norm with learned scale and shift, for channels-last memory.

    A sample's instance norm is the batch norm of that sample alone, which torch computes in
    whatever order the memory has; its own instance norm copies to channels-first and back.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, X, Y, Z), of the same shape and memory order."""
        normal = [
            functional.batch_norm(one, None, None, self.weight, self.bias, True, eps=self.eps)
            for one in x.split(1)
        ]
        return normal[0] if len(normal) == 1 else torch.cat(normal)


def norm_layer(norm: Norm, channels: int) -> nn.Module:
    """Instance or batch norm with learned scale and shift."""
    return nn.BatchNorm3d(channels) if norm == "batch" else InstanceNorm(channels)


def conv_norm(inputs: int, outputs: int, norm: Norm, kernel: int = 3) -> nn.Sequential:
    """Convolution, then norm."""
    return nn.Sequential(Conv3d(inputs, outputs, kernel), norm_layer(norm, outputs))


class ConvBlock(nn.Module):
    """Twice: 3^3 convolution, norm, LeakyReLU."""

    def __init__(self, inputs: int, outputs: int, norm: Norm) -> None:
        super().__init__()
        self.first = conv_norm(inputs, outputs, norm)
        self.second = conv_norm(outputs, outputs, norm)
        self.activation = nn.LeakyReLU(SLOPE, inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, X, Y, Z) -> (B, outputs, X, Y, Z)."""
        x = self.activation(self.first(x))
        return self.activation(self.second(x))


class ThinBlock(nn.Module):
    """Once: 3^3 convolution, norm, LeakyReLU."""

    def __init__(self, inputs: int, outputs: int, norm: Norm) -> None:
        super().__init__()
        self.first = conv_norm(inputs, outputs, norm)
        self.activation = nn.LeakyReLU(SLOPE, inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, X, Y, Z) -> (B, outputs, X, Y, Z)."""
        y: Tensor = self.activation(self.first(x))
        return y


class ResidualBlock(ConvBlock):
    """A ConvBlock whose input is added before the last LeakyReLU (He et al., 2016)."""

    def __init__(self, inputs: int, outputs: int, norm: Norm) -> None:
        super().__init__(inputs, outputs, norm)
        # Where the channels change, so must the input that is added.
        self.shortcut = (
            nn.Identity() if inputs == outputs else conv_norm(inputs, outputs, norm, kernel=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, X, Y, Z) -> (B, outputs, X, Y, Z)."""
        y = self.second(self.activation(self.first(x)))
        return self.activation(y + self.shortcut(x))


def initialise(module: nn.Module) -> None:
    """He initialisation for LeakyReLU of every 3^3 convolution, from torch's global generator."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv3d) and layer.bias is None:
            nn.init.kaiming_normal_(layer.weight, a=SLOPE, nonlinearity="leaky_relu")
