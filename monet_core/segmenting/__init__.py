"""Segmentation of scans with a model: tiles, label maps on the scan grid, volumes."""

from monet_core.segmenting.devices import resolve_device, resolve_precision
from monet_core.segmenting.tiles import Prediction, predict

__all__ = ["Prediction", "predict", "resolve_device", "resolve_precision"]
