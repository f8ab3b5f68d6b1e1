"""What the user may choose about a segmentation."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class SegmentSettings(BaseModel):
    """How scans are segmented; preprocessing is not chosen here, since it belongs to the model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    overlap: float = Field(default=0.5, ge=0.0, lt=1.0)
    """Share of a tile that the next one covers again."""
    mirror: bool = True
    """Average with the prediction of the mirrored tile, sides swapped; takes twice as long."""
    entropy: bool = False
    """Also write a map of the posterior's entropy, in nats."""
    patch: int | None = Field(default=None, ge=16, le=512)
    """Side of the tiles in voxels; None: the model's own."""
    precision: Literal["auto", "32", "bf16"] = "auto"
    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""
