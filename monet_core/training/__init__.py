"""Both training stages: patches, augmentation, the loop, checkpoints, recipes."""

from monet_core.augmentation import AugmentationSettings
from monet_core.training.records import read_metrics
from monet_core.training.settings import (
    FULL,
    PARTIAL,
    Recipe,
    Stage,
    TrainingSettings,
    recipe_settings,
)
from monet_core.training.train import TrainingRequest, settings_from_start, train

__all__ = [
    "FULL",
    "PARTIAL",
    "AugmentationSettings",
    "Recipe",
    "Stage",
    "TrainingRequest",
    "TrainingSettings",
    "read_metrics",
    "recipe_settings",
    "settings_from_start",
    "train",
]
