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
        space. `margin_mm`: how far the grid reaches beyond the brain on every side.
        `brain_only`: in whole heads what lies outside the brain becomes background; set in
        models that were trained on skull-stripped scans alone.
        """

        model_config = ConfigDict(extra="forbid", frozen=True)

        spacing_mm: float = Field(default=1.0, gt=0.2, le=5.0)
        n4: bool = False
        register: bool = True
        margin_mm: float = Field(default=8.0, ge=0.0, le=60.0)
        brain_only: bool = False
