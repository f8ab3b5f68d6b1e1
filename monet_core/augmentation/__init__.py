"""Random changes of a scan and its labels, made while a patch is cut out of them.

The settings load without torch.
"""

from typing import TYPE_CHECKING

from monet_core.augmentation.settings import AugmentationSettings
from monet_core.lazy import lazy

if TYPE_CHECKING:
    from monet_core.augmentation.intensity import change_intensities
    from monet_core.augmentation.sampling import one_thread, sample_labels, sample_patch
else:
    __getattr__ = lazy(
        __name__,
        {
            "intensity": "change_intensities",
            "sampling": "one_thread sample_labels sample_patch",
        },
    )

__all__ = [
    "AugmentationSettings",
    "change_intensities",
    "one_thread",
    "sample_labels",
    "sample_patch",
]
