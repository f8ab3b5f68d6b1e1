"""How much memory a training step takes, and settings that fit the memory there is.

The tensors that the backward pass needs are counted from the network's widths; what else is alive
at the peak, and the allowance, were calibrated against the high-water mark of the resident set
(tests/training/test_memory.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch

from monet_core.errors import Note, NotEnoughMemoryError, Verdict
from monet_core.networks import MONet, NetworkSettings
from monet_core.segmenting import resolve_device, resolve_precision
from monet_core.segmenting.memory import free_bytes
from monet_core.training.settings import TrainingSettings

MARGIN = 1.25
"""On top of what is counted, for the allocator and copies within convolutions."""
ALLOWANCE = 150 * 2**20
"""Bytes whatever the patch: chunks of the loss, code that is loaded on the first step."""
PER_PARAMETER = 20
"""Bytes: weight, gradient, two moments of Adam and the moving average, in 32 bits."""
PER_SAMPLED_VOXEL = 60
"""Bytes that making a patch takes in each of the worker processes; measured: 45."""
SMALLEST = 32
"""Patches are not made smaller than this many voxels a side for want of memory."""
STEP = 16
"""Patches shrink by this many voxels a side, or by the network's divisor where that is larger."""


def step_bytes(
    network: NetworkSettings,
    decoders: Mapping[str, int],
    patch: int,
    batch: int = 1,
    precision: str = "32",
    workers: int = 0,
) -> int:
    """Most bytes that training takes besides program and data.

    `decoders`: classes per decoder, background included; they hardly matter, since logits are
    never stored. `patch` is a side in voxels.
    """
    voxels, number = batch * patch**3, 2 if precision == "bf16" else 4
    kept = sum(_encoder(network)) + len(decoders) * sum(_decoder(network))
    passing = 4 * network.width
    # Pooling remembers places as 64-bit numbers.
    pooled = enumerate(network.encoder_widths[:-1])
    places = sum(width / 8 ** (level + 1) for level, width in pooled)
    counted = voxels * (number * (kept + passing) + 8 * places)
    with torch.device("meta"):
        parameters = sum(p.numel() for p in MONet(network, decoders).parameters())
    sampling = PER_SAMPLED_VOXEL * patch**3 * max(1, workers)
    return int(MARGIN * counted + PER_PARAMETER * parameters + sampling) + ALLOWANCE


def fitted(
    settings: TrainingSettings,
    decoders: Mapping[str, int],
    free: int | None = None,
    sharing: int = 1,
) -> tuple[TrainingSettings, list[Note]]:
    """`settings` with a batch and then a patch that fit `free` bytes (asked of the device if None).

    `sharing`: so many processes share this machine's memory, each on a device of its own unless
    that is the CPU.

    What is made smaller is told in a note. Raises NotEnoughMemoryError where not even the
    smallest patch fits.
    """
    device = resolve_device(settings.device)
    precision = resolve_precision(settings.precision, device)
    if free is None:
        free = free_bytes(device) // (sharing if device.type == "cpu" else 1)
    wanted = None
    for patch, batch in _smaller(settings):
        workers = settings.workers if device.type == "cpu" else 0
        needed = step_bytes(settings.network, decoders, patch, batch, precision, workers)
        wanted = needed if wanted is None else wanted
        if needed <= free:
            chosen = settings.model_copy(update={"patch": patch, "batch": batch})
            return chosen, [] if chosen == settings else [_note(settings, chosen, wanted, free)]
    raise NotEnoughMemoryError(
        "not-enough-memory",
        f"training takes at least {needed / 1e9:.1f} GB of memory on {device}"
        f" and {free / 1e9:.1f} GB are free",
        remedy="Close other programs, use a narrower network (--width), or another --device.",
    )


def _smaller(settings: TrainingSettings) -> Iterator[tuple[int, int]]:
    """(patch, batch) as wanted, then with smaller batches, then with smaller patches."""
    batch = settings.batch
    while batch >= 1:
        yield settings.patch, batch
        batch //= 2
    divisor = 2 ** (settings.network.levels - 1)
    step = max(STEP, divisor)
    patch = (settings.patch - 1) // step * step
    while patch >= max(SMALLEST, 2 * divisor):
        yield patch, 1
        patch -= step


def _note(wanted: TrainingSettings, chosen: TrainingSettings, needed: int, free: int) -> Note:
    text = (
        f"patches of {wanted.patch} voxels a side and batch {wanted.batch} would take"
        f" {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free, so patches of {chosen.patch}"
        f" and batch {chosen.batch} are used"
    )
    return Note(Verdict.WARNING, "smaller-patches", text)


def _encoder(network: NetworkSettings) -> Iterator[float]:
    """Per level: channels kept for the backward pass, in units of full-resolution channels."""
    inputs = network.in_channels
    for level, width in enumerate(network.encoder_widths):
        # The block's input, and of each convolution its output and its activation.
        thin = network.thin_top and level == 0
        block = (2 if thin else 4) * width
        if network.residual and not thin:
            block += 3 * width  # the shortcut's convolution and norm, and the sum
        yield (inputs + block) / 8**level
        inputs = width


def _decoder(network: NetworkSettings) -> Iterator[float]:
    """Per level, as `_encoder`: concatenation, block, and the features' gradient at a head."""
    heads = network.levels - 1 if network.deep_supervision else 1
    for level, width in enumerate(network.widths[:-1]):
        block = (2 if network.thin_top and level == 0 else 4) * width
        kept = width + network.encoder_widths[level] + block
        yield (kept + (width if level < heads else 0)) / 8**level
