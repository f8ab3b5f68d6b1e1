"""What a model's scans go through before the network. Loads without torch."""

from __future__ import annotations

from pydantic import ValidationError

from monet_core.errors import ModelError
from monet_core.models.manifest import Manifest
from monet_core.preprocessing.settings import PreprocessingSettings


def preprocessing_of(manifest: Manifest) -> PreprocessingSettings:
    """What a model's scans go through; ModelError where this program does not know it."""
    try:
        return PreprocessingSettings.model_validate(manifest.preprocessing)
    except ValidationError as error:
        first = error.errors()[0]
        where = " > ".join(str(part) for part in first["loc"])
        raise ModelError(
            "bad-preprocessing",
            f"the preprocessing of the model {manifest.name} is not known here:"
            f" {where}: {first['msg']}",
            remedy="Update this program, or get the model again.",
        ) from error
