"""Training, as a job."""

from __future__ import annotations

import math
from typing import Any

from monet_core.jobs.control import Control
from monet_core.jobs.events import Done, Event, Phase, Reporter
from monet_core.models import resolve_model
from monet_core.training import TrainingRequest, complete_settings, train
from monet_core.training.config import CONFIG
from monet_core.worker.requests import TrainRequest
from monet_core.worker.threads import use_threads


def train_model(request: TrainRequest, report: Reporter, control: Control) -> dict[str, Any]:
    """Train; see `TrainRequest`. A run that is to be resumed but was not begun yet is begun."""
    report(Phase("Starting"))
    use_threads(request.threads)
    ends: list[Done] = []

    def tell(event: Event) -> None:
        # A job has one end, and that is the worker's to tell.
        if isinstance(event, Done):
            ends.append(event)
        else:
            report(event)

    model = train(_request(request), tell, control)
    return {"model": str(model), **_json_ready(ends[-1].result if ends else {})}


def _request(request: TrainRequest) -> TrainingRequest:
    start = resolve_model(request.start) if request.start else None
    return TrainingRequest(
        data=request.data,
        out=request.out,
        settings=complete_settings(request.stage, request.recipe, start, request.settings),
        labels=request.labels,
        start=start,
        resume=request.resume and (request.out / CONFIG).exists(),
        decisions=request.decisions,
        unknown=request.unknown,
        missing=request.missing,
        cache=request.cache,
        previews=request.previews,
    )


def _json_ready(values: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v
            for k, v in values.items()}  # fmt: skip
