"""The choices that fix a network's architecture, apart from its decoders' classes."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class NetworkSettings(BaseModel):
    """Architecture of encoder and decoders; the paper states none of it but LeakyReLU.

    Defaults follow its closest relatives, NeuroNet (16/32/64/128 channels) and SLANT's 3D U-Net
    (4 resolutions, max-pooling, 2^3 transposed convolution, concatenation). Instance norm takes
    the place of batch norm because batches of one patch have no statistics worth keeping.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int = Field(default=16, ge=1, le=256)
    """Channels at full resolution; doubled at every level."""
    levels: int = Field(default=4, ge=2, le=7)
    """Resolutions, the full one included."""
    max_width: int = Field(default=256, ge=1, le=2048)
    """Channels are doubled up to this number."""
    residual: bool = False
    """Residual blocks in the encoder."""
    thin_top: bool = False
    """At full resolution one convolution instead of two, and half the channels in the encoder.

    Most of a network's arithmetic and memory lies there; saved here, it pays for a level more.
    """
    deep_supervision: bool = False
    """Heads on the coarser decoder levels too, used while training."""
    norm: Literal["instance", "batch"] = "instance"
    in_channels: int = Field(default=1, ge=1, le=16)

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels per level, finest first."""
        return tuple(min(self.width * 2**level, self.max_width) for level in range(self.levels))

    @property
    def encoder_widths(self) -> tuple[int, ...]:
        """Channels that the encoder hands on per level, finest first."""
        finest, *coarser = self.widths
        return (max(1, finest // 2) if self.thin_top else finest, *coarser)
