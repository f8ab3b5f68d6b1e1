"""How scans are painted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from monet_core.augmentation import AugmentationSettings

Contrast = Literal["random", "t1"]
Share = Annotated[float, Field(ge=0, le=1)]


def _changes() -> AugmentationSettings:
    """Every scan is deformed, blurred (partial volume) and shaded; the rest is now and then."""
    return AugmentationSettings(
        elastic_probability=1.0,
        elastic_sd=3.0,
        affine_probability=1.0,
        mirror_probability=0.5,
        gamma_probability=0.5,
        bias_probability=0.9,
        blur_probability=1.0,
        resolution_probability=0.4,
        resolution_factor=4.0,
        noise_probability=0.7,
        noise_sd=0.2,
    )


class SynthesisSettings(BaseModel):
    """Brightness is a share of the range, 0 air to 1; ranges are drawn from uniformly.

    `contrast` "random" draws each tissue's brightness from `brightness`; "t1" takes that of a T1
    scan (fluid darker than grey than white matter) plus or minus `jitter`. `texture` is the range
    of a tissue's standard deviation. `stripped` leaves out what lies outside the brain.
    `augmentation` deforms the labels and changes the painted scan; its lengths are in mm here.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    contrast: Contrast = "random"
    brightness: tuple[Share, Share] = (0.1, 0.9)
    jitter: float = Field(default=0.08, ge=0, le=0.1, description="small enough to keep the order")
    texture: tuple[Share, Share] = (0.01, 0.08)
    stripped: bool = False
    augmentation: AugmentationSettings = Field(default_factory=_changes)

    def changes(self, spacing: float) -> AugmentationSettings:
        """`augmentation` with its lengths in voxels of `spacing` mm."""
        mm = self.augmentation
        return AugmentationSettings.model_validate(
            {
                **mm.model_dump(),
                "elastic_spacing": max(mm.elastic_spacing / spacing, 2.0),
                "elastic_sd": mm.elastic_sd / spacing,
                "translation": mm.translation / spacing,
                "blur_sd": mm.blur_sd / spacing,
                "resolution_factor": max(mm.resolution_factor / spacing, 1.0),
            }
        )
