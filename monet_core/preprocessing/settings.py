"""What preprocessing does, as part of a model's manifest and of every run record."""

from __future__ import annotations

import warnings

from pydantic import BaseModel, ConfigDict, Field

with warnings.catch_warnings():
    # pydantic warns that `register` hides ABCMeta.register, which nobody calls on settings.
    warnings.simplefilter("ignore", UserWarning)

    class PreprocessingSettings(BaseModel):
        """How a scan is brought to model space; a model is only right on scans prepared alike.

        `spacing_mm`: isotropic voxel size of the model grid. `n4`: correct the bias field
        first. `register`: move rigidly to MNI space; without it the scan keeps its own world
        space. `turn_from_deg`: a head that lies at a smaller angle to MNI space is shifted but not
        turned, so that its voxels are not interpolated; 0 turns every head, which a network needs
        that was trained without rotations. `margin_mm`: how far the grid reaches beyond the brain
        on every side. `brain_only`: in whole heads what lies outside the brain
        becomes background; set in models that were trained on skull-stripped scans alone.
        """

        model_config = ConfigDict(extra="forbid", frozen=True)

        spacing_mm: float = Field(
            default=1.0,
            gt=0.2,
            le=5.0,
            title="Voxel size",
            description="of the grid that the network sees",
            json_schema_extra={"unit": "mm"},
        )
        n4: bool = Field(
            default=False, title="N4", description="correct the bias field first; a minute a scan"
        )
        register: bool = Field(
            default=True, title="Register to MNI", description="rigidly, so that heads lie alike"
        )
        turn_from_deg: float = Field(
            default=15.0,
            ge=0.0,
            le=45.0,
            title="Turn from",
            description="heads that lie closer to MNI keep their voxels, which turning would blur",
            json_schema_extra={"unit": "°"},
        )
        margin_mm: float = Field(
            default=8.0,
            ge=0.0,
            le=60.0,
            title="Margin",
            description="how far the grid reaches beyond the brain on every side",
            json_schema_extra={"unit": "mm"},
        )
        brain_only: bool = Field(
            default=False, description="in whole heads what lies outside the brain is background"
        )
