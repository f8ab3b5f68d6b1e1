"""How often and how strongly patches are changed."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

Probability = Annotated[float, Field(ge=0, le=1)]
Strength = Annotated[float, Field(ge=0)]

VOXELS: JsonDict = {"unit": "voxels"}


def _chance(what: str) -> Any:
    """The probability of a transform, by default 0, with its description."""
    return Field(default=0.0, description=f"{what}: how often a patch gets it")


class AugmentationSettings(BaseModel):
    """Each transform has the probability that a patch gets it, and a strength; 0 switches it off.

    Strengths are upper bounds, drawn uniformly below, unless "sd" says standard deviation.
    Lengths are in voxels of model space. Intensities are of the normalised image, whose standard
    deviation is 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    elastic_probability: Probability = _chance("Random elastic deformation")
    elastic_spacing: float = Field(
        default=24.0,
        gt=1,
        description="between control points",
        json_schema_extra=VOXELS,
    )
    elastic_sd: Strength = Field(
        default=5.0, description="sd of each control point's shift", json_schema_extra=VOXELS
    )

    affine_probability: Probability = _chance("Rotation, scale and shift")
    rotation_degrees: Strength = Field(
        default=15.0,
        le=180,
        title="Rotation",
        description="about each axis",
        json_schema_extra={"unit": "degrees"},
    )
    scale: Strength = Field(default=0.15, lt=1, description="relative, per axis; 0.15: 1/1.15-1.15")
    translation: Strength = Field(
        default=0.0, description="along each axis", json_schema_extra=VOXELS
    )

    mirror_probability: Probability = _chance("Left-right mirroring, classes swapped")

    contrast_probability: Probability = _chance("Another contrast")
    contrast_strength: float = Field(default=0.5, ge=0, le=1, description="1: any monotone curve")
    gamma_probability: Probability = _chance("Gamma curve")
    gamma: Strength = Field(default=0.35, description="|log gamma|")
    bias_probability: Probability = _chance("Bias field")
    bias_sd: Strength = Field(default=0.3, description="sd of log gain at control points")
    brightness_probability: Probability = _chance("Brightness")
    brightness: Strength = Field(default=0.2, lt=1, description="relative gain, and shift")

    blur_probability: Probability = _chance("Blur")
    blur_sd: Strength = Field(default=1.0, json_schema_extra=VOXELS)
    resolution_probability: Probability = _chance("Thicker slices")
    resolution_factor: float = Field(default=3.0, ge=1, description="thicker slices on one axis")
    noise_probability: Probability = _chance("Noise")
    noise_sd: Strength = Field(default=0.15, description="of the normalised image")

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
