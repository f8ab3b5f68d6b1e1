"""What a training minimises."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class LossSettings(BaseModel):
    """What is minimised. The defaults are the paper's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["ce", "dice_ce"] = Field(
        default="ce", description="cross-entropy (eq. 1), or its sum with soft Dice"
    )
    weights: dict[str, Weight] | None = Field(
        default=None,
        title="Weight per decoder",
        description="the lambdas of eq. 2; 1 / number of decoders where not given",
    )
    every: Annotated[int, Field(ge=1, le=8)] = Field(
        default=1,
        title="Count every n-th voxel",
        description="along each axis at full resolution; which ones changes from step to step "
        "until all had their turn. Neighbours tell much the same, and the loss over some hundred "
        "classes costs as much as a network.",
    )
    deep_weights: tuple[Weight, ...] = Field(
        default=(1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125),
        title="Weight per resolution",
        description="under deep supervision, finest first; scaled to a sum of 1",
    )
