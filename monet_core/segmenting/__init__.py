"""Segmentation of scans with a model: tiles, label maps on the scan grid, volumes."""

from monet_core.segmenting.anatomy import check_anatomy
from monet_core.segmenting.devices import resolve_device, resolve_precision
from monet_core.segmenting.labelling import preprocessing_of
from monet_core.segmenting.many import Failure, find_scans, segment_many
from monet_core.segmenting.memory import free_bytes, predict_peak_bytes
from monet_core.segmenting.outputs import DecoderFiles, stem_of
from monet_core.segmenting.planning import Plan, plan
from monet_core.segmenting.settings import SegmentSettings
from monet_core.segmenting.single import SegmentResult, segment
from monet_core.segmenting.tiles import Prediction, predict

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
