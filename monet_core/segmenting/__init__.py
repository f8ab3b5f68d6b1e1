"""Segmentation of scans with a model: tiles, label maps on the scan grid, volumes.

Settings and what finds scans load without torch.
"""

from typing import TYPE_CHECKING

from monet_core.datasets.collecting import Failure, find_scans
from monet_core.datasets.names import stem_of
from monet_core.lazy import lazy
from monet_core.segmenting.settings import SegmentSettings

if TYPE_CHECKING:
    from monet_core.segmenting.anatomy import check_anatomy
    from monet_core.segmenting.devices import resolve_device, resolve_precision
    from monet_core.segmenting.many import segment_many
    from monet_core.segmenting.memory import free_bytes, predict_peak_bytes
    from monet_core.segmenting.outputs import DecoderFiles
    from monet_core.segmenting.planning import Plan, plan
    from monet_core.segmenting.preprocessing import preprocessing_of
    from monet_core.segmenting.single import SegmentResult, segment
    from monet_core.segmenting.tiles import Prediction, predict
else:
    __getattr__ = lazy(
        __name__,
        {
            "anatomy": "check_anatomy",
            "devices": "resolve_device resolve_precision",
            "many": "segment_many",
            "memory": "free_bytes predict_peak_bytes",
            "outputs": "DecoderFiles",
            "planning": "Plan plan",
            "preprocessing": "preprocessing_of",
            "single": "SegmentResult segment",
            "tiles": "Prediction predict",
        },
    )

__all__ = [
    "DecoderFiles",
    "Failure",
    "Plan",
    "Prediction",
    "SegmentResult",
    "SegmentSettings",
    "check_anatomy",
    "find_scans",
    "free_bytes",
    "plan",
    "predict",
    "predict_peak_bytes",
    "preprocessing_of",
    "resolve_device",
    "resolve_precision",
    "segment",
    "segment_many",
    "stem_of",
]
