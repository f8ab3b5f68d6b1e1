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

    width: int = Field(
        default=16, ge=1, le=256, description="channels at full resolution; doubled at every level"
    )
    top_width: int | None = Field(
        default=None,
        ge=1,
        le=256,
        title="Width at full resolution",
        description="channels there, where not `width`: most arithmetic lies there, most knowledge "
        "of what lies where does not",
    )
    levels: int = Field(default=4, ge=2, le=7, description="resolutions, the full one included")
    max_width: int = Field(
        default=256,
        ge=1,
        le=2048,
        title="Largest width",
        description="channels are doubled up to this",
    )
    residual: bool = Field(default=False, title="Residual blocks", description="in the encoder")
    thin_top: bool = Field(
        default=False,
        description="at full resolution one convolution instead of two, and half the channels in "
        "the encoder. Most of a network's arithmetic and memory lies there; saved here, it pays "
        "for a level more.",
    )
    deep_supervision: bool = Field(
        default=False, description="heads on the coarser decoder levels too, used while training"
    )
    norm: Literal["instance", "batch"] = Field(default="instance", title="Normalisation")
    in_channels: int = Field(
        default=1, ge=1, le=16, title="Input channels", description="1 for a T1 scan"
    )

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels per level, finest first."""
        first, *others = (min(self.width * 2**n, self.max_width) for n in range(self.levels))
        return (self.top_width or first, *others)

    @property
    def encoder_widths(self) -> tuple[int, ...]:
        """Channels that the encoder hands on per level, finest first."""
        finest, *coarser = self.widths
        return (max(1, finest // 2) if self.thin_top else finest, *coarser)
