"""From a scan to model space and back: conform, N4, rigid registration, normalisation."""

from monet_core.preprocessing.prepared import Prepared, prepare_labels
from monet_core.preprocessing.preparing import is_whole_head, prepare
from monet_core.preprocessing.resampling import resample
from monet_core.preprocessing.settings import PreprocessingSettings
from monet_core.preprocessing.template import load_template

__all__ = [
    "Prepared",
    "PreprocessingSettings",
    "is_whole_head",
    "load_template",
    "prepare",
    "prepare_labels",
    "resample",
]
