"""How many workers, and what each takes at most: known before any of them starts."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from math import prod

import torch
from monet_resources import BRAIN

from monet_core.cohort.settings import Scheduler
from monet_core.cohort.surveying import Grid
from monet_core.jobs.events import Message, Reporter
from monet_core.models import ModelEntry, read_manifest
from monet_core.networks import MONet
from monet_core.segmenting.devices import resolve_device, resolve_precision
from monet_core.segmenting.memory import free_bytes, handling_peak_bytes, predict_peak_bytes
from monet_core.segmenting.preprocessing import preprocessing_of
from monet_core.segmenting.settings import SegmentSettings
from monet_core.segmenting.stripping import STRIPPING

PROGRAM_BYTES = 750 * 2**20
"""Resident set of a worker that has loaded torch, SimpleITK, Dask and a small model, and what its
heap keeps between two scans; measured: 0.5 GB, and up to 0.25 GB more."""
_SCANS_PER_START = 2
"""So many scans at least are worth the seconds in which a worker starts."""


@dataclass(frozen=True)
class Team:
    """So many workers with so many threads each, that take so many bytes each at most.

    `threads` None: as many as torch likes; `apart`: in processes of their own, through Dask.
    """

    workers: int
    threads: int | None
    bytes_each: int
    apart: bool

    def __str__(self) -> str:
        each = f"at most {self.bytes_each / 1e9:.1f} GB"
        return f"1 worker, {each}" if self.workers == 1 else f"{self.workers} workers, {each} each"


def team(
    scheduler: Scheduler,
    grids: Iterable[Grid],
    scans: int,
    model: ModelEntry,
    settings: SegmentSettings,
    report: Reporter,
) -> Team:
    """The workers for `scans` scans that lie on `grids`.

    Where their number is not chosen: one per core, as far as memory goes, two scans each at the
    least. More than memory allows there never are, which is told. The number of threads changes
    the last bits of a result, so that workers have one each unless more are asked for: results
    then are the same by any number of workers.
    """
    each = worker_bytes(grids, model, settings)
    if scheduler.kind != "local":
        return Team(scheduler.workers or 1, scheduler.threads or 1, each, apart=True)
    fit = max(1, free_bytes(torch.device("cpu")) // each)
    wanted = scheduler.workers or _useful(scans, settings)
    if scheduler.workers and wanted > fit:
        text = f"{wanted} workers would take {wanted * each / 1e9:.1f} GB of memory, which is not"
        report(Message(f"{text} free, so there are {fit}", "warning"))
    workers = min(wanted, fit, scans)
    alone = scheduler.workers is None and workers == 1
    threads = scheduler.threads or (None if alone else 1)
    return Team(workers, threads, each, apart=workers > 1)


def _useful(scans: int, settings: SegmentSettings) -> int:
    """One for each core; one for a graphics card, whose memory is not to be shared."""
    if find_spec("distributed") is None or resolve_device(settings.device).type != "cpu":
        return 1
    return max(1, min(_cores(), scans // _SCANS_PER_START))


def _cores() -> int:
    """Those that this process may use, which a cluster restricts."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def worker_bytes(grids: Iterable[Grid], model: ModelEntry, settings: SegmentSettings) -> int:
    """Most bytes that a worker's process takes for any scan on one of `grids`."""
    brain = ModelEntry(BRAIN, read_manifest(BRAIN))
    scan = max((_scan_bytes(grid, model, brain, settings) for grid in set(grids)), default=0)
    return PROGRAM_BYTES + _weights(model) + scan


def _scan_bytes(grid: Grid, model: ModelEntry, brain: ModelEntry, settings: SegmentSettings) -> int:
    """What a scan takes on top of program and model, brain and head filling its field of view."""
    needs = [handling_peak_bytes(grid.shape, len(model.decoders))]
    needs.append(_predicting(grid, model, settings))
    if preprocessing_of(model.manifest).brain_only:
        needs.append(4 * prod(grid.shape) + _predicting(grid, brain, STRIPPING))
    return max(needs)


def _predicting(grid: Grid, model: ModelEntry, settings: SegmentSettings) -> int:
    spacing = preprocessing_of(model.manifest).spacing_mm
    sides = zip(grid.shape, grid.spacing_mm, strict=True)
    image = [max(1, round(number * step / spacing)) for number, step in sides]
    return 4 * prod(image) + predict_peak_bytes(
        image,
        settings.patch or model.manifest.patch,
        model.decoders,
        model.manifest.network,
        resolve_precision(settings.precision, torch.device("cpu")),
        overlap=settings.overlap,
        mirror=settings.mirror,
        entropy=settings.entropy,
        onto=grid.shape,
    )


def _weights(model: ModelEntry) -> int:
    with torch.device("meta"):
        network = MONet(model.manifest.network, model.decoders)
    return 4 * sum(value.numel() for value in network.state_dict().values())
