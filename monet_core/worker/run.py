"""Which request is done by what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from monet_core.jobs.control import Control
from monet_core.jobs.events import Reporter
from monet_core.worker import requests


def run(request: requests.Request, report: Reporter, control: Control) -> dict[str, Any]:
    """Do what is asked; the result of Done. Raises MonetError, CancelledError."""
    return _worker_of(request)(request, report, control)


def _worker_of(request: requests.Request) -> Callable[..., dict[str, Any]]:
    """The function for a request; only its own libraries are loaded."""
    if isinstance(request, requests.CheckRequest):
        from monet_core.worker.checking import check

        return check
    if isinstance(request, requests.SegmentRequest):
        from monet_core.worker.segmenting import segment_scans

        return segment_scans
    if isinstance(request, requests.TrainRequest):
        from monet_core.worker.training import train_model

        return train_model
    from monet_core.worker import estimating

    if isinstance(request, requests.EstimateTrainingRequest):
        return estimating.estimate_training
    if isinstance(request, requests.EstimateSegmentingRequest):
        return estimating.estimate_segmenting
    return estimating.tell_devices
