"""Random changes of a scan and its labels, made while a patch is cut out of them."""

from monet_core.augmentation.intensity import change_intensities
from monet_core.augmentation.sampling import one_thread, sample_labels, sample_patch
from monet_core.augmentation.settings import AugmentationSettings

__all__ = [
    "AugmentationSettings",
    "change_intensities",
    "one_thread",
    "sample_labels",
    "sample_patch",
]
