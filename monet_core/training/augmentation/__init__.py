"""Random changes of a scan and its labels, made while a patch is cut out of them."""

from monet_core.training.augmentation.sampling import sample_patch
from monet_core.training.augmentation.settings import AugmentationSettings

__all__ = ["AugmentationSettings", "sample_patch"]
