"""Tiles that fit the memory that is free, smaller ones where they must be, and the CPU at last."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from monet_core.errors import Note, NotEnoughMemoryError, Verdict
from monet_core.jobs.events import Cancel, Message, Reporter
from monet_core.models import Model
from monet_core.networks import MONet, NetworkSettings
from monet_core.segmenting.devices import resolve_device, resolve_precision
from monet_core.segmenting.grids import Onto
from monet_core.segmenting.memory import free_bytes, predict_peak_bytes
from monet_core.segmenting.settings import SegmentSettings
from monet_core.segmenting.tiles import Precision, Prediction, predict
from monet_core.segmenting.tiling import tiling

T = TypeVar("T")
SHARES = (1.0, 0.75, 0.5, 0.375, 0.25)  # of the wanted tile's side, tried in this order
SMALLEST = 32  # voxels; smaller tiles see too little to label anything


@dataclass(frozen=True)
class Plan:
    """`patches`: tile sides in voxels that fit, largest first; `peak_bytes` of the first one."""

    patches: tuple[int, ...]
    peak_bytes: int
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, eq=False)
class Outcome:
    """A prediction, and how it came about."""

    prediction: Prediction
    device: str
    precision: Precision
    patch: int
    peak_bytes: int
    notes: tuple[Note, ...]


def plan(
    image_shape: Sequence[int],
    patch: int,
    decoders: Mapping[str, int],
    network: NetworkSettings,
    precision: Precision,
    free: int,
    settings: SegmentSettings,
    onto: Sequence[int] | None = None,
) -> Plan:
    """The wanted tile side `patch`, or smaller ones where its peak exceeds `free` bytes.

    `onto`: shape of the grid to be labelled, the image's own if None. Raises NotEnoughMemoryError
    where even the smallest does not fit.
    """
    sides = _sides(patch, image_shape, 2 ** (network.levels - 1))
    peaks = [
        predict_peak_bytes(
            image_shape,
            side,
            decoders,
            network,
            precision,
            overlap=settings.overlap,
            mirror=settings.mirror,
            entropy=settings.entropy,
            onto=onto,
        )
        for side in sides
    ]
    fitting = [k for k, peak in enumerate(peaks) if peak <= free]
    if not fitting:
        raise _too_little(min(peaks), free)
    first = fitting[0]
    notes = () if first == 0 else (_smaller(sides[0], sides[first], peaks[0], free),)
    return Plan(tuple(sides[k] for k in fitting), peaks[first], notes)


def predict_within_memory(
    model: Model,
    image: NDArray[np.float32],
    settings: SegmentSettings,
    report: Reporter,
    cancel: Cancel,
    onto: Onto | None = None,
) -> Outcome:
    """`predict` with all decoders of `model`; where memory runs out, smaller tiles, then the CPU.

    `onto`: the grid to be labelled, the image's own if None.
    Raises NotEnoughMemoryError where the CPU's memory does not do either.
    """
    device = resolve_device(settings.device)
    notes: tuple[Note, ...] = ()
    if device.type == "cuda":
        # What is on a GPU that fails is lost, so it gets a copy.
        network = copy.deepcopy(model.network)
        try:
            return _on(device, network, model, image, settings, report, cancel, onto)
        except NotEnoughMemoryError as error:
            why = error.problem
        except torch.AcceleratorError as error:
            why = str(error).splitlines()[0]
        text = f"the GPU could not do it ({why}), so the CPU does; this takes longer"
        notes = (Note(Verdict.WARNING, "cpu-instead-of-gpu", text),)
        report(Message(text, "warning"))
    cpu = torch.device("cpu")
    outcome = _on(cpu, model.network, model, image, settings, report, cancel, onto)
    return Outcome(**{**vars(outcome), "notes": notes + outcome.notes})


def _on(
    device: torch.device,
    network: MONet,
    model: Model,
    image: NDArray[np.float32],
    settings: SegmentSettings,
    report: Reporter,
    cancel: Cancel,
    onto: Onto | None,
) -> Outcome:
    precision = resolve_precision(settings.precision, device)
    wanted = settings.patch or model.manifest.patch
    made = plan(
        image.shape,
        wanted,
        model.decoders,
        model.manifest.network,
        precision,
        free_bytes(device),
        settings,
        None if onto is None else onto.shape,
    )
    swaps = {name: protocol.swap_classes() for name, protocol in model.protocols.items()}
    notes = list(made.notes)
    for note in notes:
        report(Message(str(note), "warning"))
    for patch in made.patches:
        attempt = partial(
            predict,
            network,
            image,
            patch=patch,
            overlap=settings.overlap,
            device=device,
            precision=precision,
            mirror=swaps if settings.mirror else None,
            entropy=settings.entropy,
            onto=onto,
            report=report,
            cancel=cancel,
        )
        prediction = _unless_memory_runs_out(attempt)
        if prediction is not None:
            peak = made.peak_bytes
            return Outcome(prediction, str(device), precision, patch, peak, tuple(notes))
        note = _ran_out(patch, device)
        notes.append(note)
        report(Message(str(note), "warning"))
    raise _too_little(made.peak_bytes, free_bytes(device))


def _unless_memory_runs_out(attempt: Callable[[], T]) -> T | None:
    """The result, or None where memory ran out; then all that the attempt held is free again."""
    try:
        return attempt()
    except (torch.OutOfMemoryError, MemoryError):
        pass
    except RuntimeError as error:
        # torch's CPU allocator has no exception of its own.
        if "can't allocate memory" not in str(error):
            raise
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None


def _sides(wanted: int, shape: Sequence[int], divisor: int) -> list[int]:
    """Tile sides to try, largest first; those that give the same tiles only once."""
    sides: dict[tuple[int, ...], int] = {}
    for share in SHARES:
        side = int(wanted * share) // divisor * divisor
        if share == 1.0 or side >= max(SMALLEST, 2 * divisor):
            sides.setdefault(tiling(shape, side, 0.0, divisor).patch, side)
    return list(sides.values())


def _smaller(wanted: int, side: int, peak: int, free: int) -> Note:
    text = (
        f"tiles of {wanted} voxels would take {peak / 1e9:.1f} GB and {free / 1e9:.1f} GB are"
        f" free, so tiles of {side} are used; the result may be a little worse"
    )
    return Note(Verdict.WARNING, "smaller-tiles", text)


def _ran_out(side: int, device: torch.device) -> Note:
    text = f"memory of {device} ran out with tiles of {side} voxels"
    return Note(Verdict.WARNING, "out-of-memory", text)


def _too_little(needed: int, free: int) -> NotEnoughMemoryError:
    return NotEnoughMemoryError(
        "not-enough-memory",
        f"about {needed / 1e9:.1f} GB of memory are needed and {free / 1e9:.1f} GB are free",
        remedy="Close other programs, use a machine with more memory, or a smaller model.",
    )
