"""What work would take, and what there is to do it with: memory, devices, seconds."""

from __future__ import annotations

import os
import platform
from typing import Any

import psutil
import torch

from monet_core.errors import NotEnoughMemoryError
from monet_core.jobs.control import Control
from monet_core.jobs.events import Phase, Reporter
from monet_core.models import load_model, resolve_model, shipped_model
from monet_core.segmenting import free_bytes, plan, resolve_device, resolve_precision
from monet_core.segmenting.memory import handling_peak_bytes
from monet_core.segmenting.preprocessing import preprocessing_of
from monet_core.training import TrainingSettings, complete_settings
from monet_core.training.memory import fitted, step_bytes
from monet_core.training.subjects import load_protocols
from monet_core.training.timing import seconds_per_step
from monet_core.worker.requests import (
    DevicesRequest,
    EstimateSegmentingRequest,
    EstimateTrainingRequest,
)
from monet_core.worker.threads import use_threads


def tell_devices(_: DevicesRequest, report: Reporter, __: Control) -> dict[str, Any]:
    """See `DevicesRequest`."""
    report(Phase("Looking at the devices"))
    return {"devices": devices()}


def devices() -> list[dict[str, Any]]:
    """What can be computed with: the CPU first, then every graphics card."""
    memory = psutil.virtual_memory()
    title = f"CPU, {os.cpu_count() or 1} cores"
    free = free_bytes(torch.device("cpu"))
    found = [_device("cpu", title, free, int(memory.total))]
    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        name = torch.cuda.get_device_name(number)
        found.append(_device(f"cuda:{number}", name, int(free), int(total)))
    if torch.backends.mps.is_available():
        title = f"Graphics of {platform.processor() or 'this Mac'}"
        reason = "3-D networks are not computed rightly there yet; the CPU is used"
        found.append(_device("mps", title, None, None, reason))
    return found


def _device(
    name: str, title: str, free: int | None, total: int | None, reason: str = ""
) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "free_bytes": free,
        "total_bytes": total,
        "usable": not reason,
        "reason": reason,
    }


def estimate_training(
    request: EstimateTrainingRequest, report: Reporter, control: Control
) -> dict[str, Any]:
    """See `EstimateTrainingRequest`."""
    report(Phase("Counting memory"))
    use_threads(request.threads)
    start = resolve_model(request.start) if request.start else None
    wanted = complete_settings(request.stage, request.recipe, start, request.settings)
    classes = {name: p.n_classes for name, p in load_protocols(wanted).items()}
    try:
        settings, notes = fitted(wanted, classes, sharing=wanted.devices)
        fits, texts = True, [str(note) for note in notes]
    except NotEnoughMemoryError as error:
        settings, fits, texts = wanted, False, [str(error)]
    samples = request.scans * settings.patches_per_scan
    steps = settings.epochs * -(-samples // (settings.batch * settings.devices))
    seconds = None
    if fits and request.measure:
        report(Phase("Timing a few steps"))
        seconds = seconds_per_step(settings, classes, control)
    return {
        **_memory(settings, classes),
        "fits": fits,
        "patch": settings.patch,
        "batch": settings.batch,
        "notes": texts,
        "steps": steps,
        "seconds_per_step": seconds,
        "seconds": None if seconds is None else seconds * steps,
        "devices": devices(),
    }


def _memory(settings: TrainingSettings, classes: dict[str, int]) -> dict[str, Any]:
    device = resolve_device(settings.device)
    precision = resolve_precision(settings.precision, device)
    workers = settings.workers if device.type == "cpu" else 0
    needed = step_bytes(
        settings.network, classes, settings.patch, settings.batch, precision, workers
    )
    return {
        "needed_bytes": needed,
        "free_bytes": free_bytes(device),
        "device": str(device),
        "precision": precision,
    }


def estimate_segmenting(
    request: EstimateSegmentingRequest, report: Reporter, _: Control
) -> dict[str, Any]:
    """See `EstimateSegmentingRequest`. The brain is taken to fill the scan's whole field of view,
    so that less may be needed."""
    report(Phase("Counting memory"))
    model = load_model(resolve_model(request.model) if request.model else shipped_model())
    device = resolve_device(request.settings.device)
    precision = resolve_precision(request.settings.precision, device)
    free = free_bytes(device)
    spacing = preprocessing_of(model.manifest).spacing_mm
    sides = zip(request.shape, request.spacing, strict=True)
    image = [max(1, round(number * step / spacing)) for number, step in sides]
    patch = request.settings.patch or model.manifest.patch
    common = {"device": str(device), "precision": precision, "free_bytes": free,
              "devices": devices()}  # fmt: skip
    try:
        made = plan(
            image,
            patch,
            model.decoders,
            model.manifest.network,
            precision,
            free,
            request.settings,
            request.shape,
        )
    except NotEnoughMemoryError as error:
        return {**common, "needed_bytes": None, "fits": False, "patch": patch,
                "notes": [str(error)]}  # fmt: skip
    handling = handling_peak_bytes(request.shape, len(model.decoders))
    notes = [str(note) for note in made.notes]
    needed = max(made.peak_bytes, handling) if device.type == "cpu" else made.peak_bytes
    return {**common, "needed_bytes": needed, "fits": True, "patch": made.patches[0],
            "notes": notes}  # fmt: skip
