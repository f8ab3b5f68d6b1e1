"""Both training stages: patches, augmentation, the loop, checkpoints, recipes.

Settings and the history of a run load without torch.
"""

from typing import TYPE_CHECKING

from monet_core.augmentation.settings import AugmentationSettings
from monet_core.lazy import lazy
from monet_core.training.history import read_metrics, read_regions
from monet_core.training.settings import (
    FULL,
    PARTIAL,
    Recipe,
    Stage,
    TrainingSettings,
    recipe_settings,
)

if TYPE_CHECKING:
    from monet_core.training.running import TrainingRequest, train
    from monet_core.training.starting import (
        complete_settings,
        settings_from_start,
        validated_settings,
    )
else:
    __getattr__ = lazy(
        __name__,
        {
            "running": "TrainingRequest train",
            "starting": "complete_settings settings_from_start validated_settings",
        },
    )

__all__ = [
    "FULL",
    "PARTIAL",
    "AugmentationSettings",
    "Recipe",
    "Stage",
    "TrainingRequest",
    "TrainingSettings",
    "complete_settings",
    "read_metrics",
    "read_regions",
    "recipe_settings",
    "settings_from_start",
    "train",
    "validated_settings",
]
