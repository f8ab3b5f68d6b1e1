"""How often and how strongly patches are changed."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Probability = Annotated[float, Field(ge=0, le=1)]
Strength = Annotated[float, Field(ge=0)]


class AugmentationSettings(BaseModel):
    """Each transform has the probability that a patch gets it, and a strength; 0 switches it off.

    Strengths are upper bounds, drawn uniformly below, unless "sd" says standard deviation.
    Lengths are in voxels of model space. Intensities are of the normalised image, whose standard
    deviation is 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    elastic_probability: Probability = 0.0
    elastic_spacing: float = Field(default=24.0, gt=1, description="between control points, voxels")
    elastic_sd: Strength = Field(
        default=5.0, description="sd of each control point's shift, voxels"
    )

    affine_probability: Probability = 0.0
    rotation_degrees: Strength = Field(default=15.0, le=180, description="about each axis")
    scale: Strength = Field(default=0.15, lt=1, description="relative, per axis; 0.15: 1/1.15-1.15")
    translation: Strength = Field(default=0.0, description="along each axis, voxels")

    mirror_probability: Probability = Field(default=0.0, description="left-right, classes swapped")

    contrast_probability: Probability = 0.0
    contrast_strength: float = Field(default=0.5, ge=0, le=1, description="1: any monotone curve")
    gamma_probability: Probability = 0.0
    gamma: Strength = Field(default=0.35, description="|log gamma|")
    bias_probability: Probability = 0.0
    bias_sd: Strength = Field(default=0.3, description="sd of log gain at control points")
    brightness_probability: Probability = 0.0
    brightness: Strength = Field(default=0.2, lt=1, description="relative gain, and shift")

    blur_probability: Probability = 0.0
    blur_sd: Strength = Field(default=1.0, description="voxels")
    resolution_probability: Probability = 0.0
    resolution_factor: float = Field(default=3.0, ge=1, description="thicker slices on one axis")
    noise_probability: Probability = 0.0
    noise_sd: Strength = 0.15

    @classmethod
    def none(cls) -> AugmentationSettings:
        """Patches exactly as they are in the scan."""
        return cls()

    @classmethod
    def paper(cls) -> AugmentationSettings:
        """Random elastic deformation only, of every patch; its strength is our choice."""
        return cls(elastic_probability=1.0)

    @classmethod
    def best(cls) -> AugmentationSettings:
        """Rich deformation and contrast changes, and left-right swaps."""
        return cls(
            elastic_probability=0.5,
            affine_probability=0.5,
            mirror_probability=0.5,
            contrast_probability=0.3,
            gamma_probability=0.3,
            bias_probability=0.3,
            brightness_probability=0.3,
            blur_probability=0.15,
            resolution_probability=0.15,
            noise_probability=0.3,
        )
