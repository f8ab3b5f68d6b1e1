"""From a scan to model space and back: conform, N4, rigid registration, normalisation."""

from monet_core.preprocessing.prepared import (
    Prepared,
    prepare_labels,
    restore_labels,
    restore_volume,
)
from monet_core.preprocessing.preparing import prepare
from monet_core.preprocessing.resampling import resample
from monet_core.preprocessing.settings import PreprocessingSettings

__all__ = [
    "Prepared",
    "PreprocessingSettings",
    "prepare",
    "prepare_labels",
    "resample",
    "restore_labels",
    "restore_volume",
]
