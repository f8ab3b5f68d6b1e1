"""How much memory a prediction takes, and how much there is.

The model adds up the tensors that are alive at once in the most expensive moments of `predict`,
counted in bytes from the network's widths; its allowance for the allocator was calibrated against
the high-water mark of the resident set (see tests/segmenting/test_memory.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path

import psutil
import torch

from monet_core.networks import NetworkSettings
from monet_core.segmenting.tiles import Precision
from monet_core.segmenting.tiling import Tiling, tiling

ALLOWANCE = 128 * 2**20
"""Bytes that convolutions take for themselves, and that the C heap keeps in fragments from tensors
too small to be mapped one by one; what it keeps differs by some 70 MB from run to run."""
HANDLING_BASE = 200 * 2**20
"""Bytes that registration takes whatever the scan's size; measured: 176 MB."""
HANDLING_PER_VOXEL = 16
"""Bytes per voxel of the scan's own grid; measured on 52 million voxels: 14."""
MARGIN = 1.1
"""On top of what is counted, since a prediction of memory must not be too low."""


def predict_peak_bytes(
    image_shape: Sequence[int],
    patch: int | Sequence[int],
    decoders: Mapping[str, int],
    network: NetworkSettings,
    precision: Precision = "32",
    *,
    overlap: float = 0.5,
    mirror: bool = False,
    entropy: bool = False,
    onto: Sequence[int] | None = None,
) -> int:
    """Most bytes that `predict` (batch 1) takes on top of network and image, arguments as there.

    `decoders`: classes per decoder, background included; `onto`: shape of the grid to be labelled.
    The resident set of the process before
    the call comes on top.
    """
    tiles = tiling(image_shape, patch, overlap, 2 ** (network.levels - 1))
    voxels, number = prod(tiles.patch), 2 if precision == "bf16" else 4
    width, each = network.width * number, 2 if mirror else 1
    slabs = len(decoders) * prod(tiles.slab_shape) * (each * width + 4)  # 4: sums of weights
    # Mean features, in 32 bits, of two planes.
    slabs += len(decoders) * 2 * prod(tiles.slab_shape[1:]) * each * network.width * 4
    adding = slabs + len(decoders) * voxels * width
    running = _forward_bytes(network, len(decoders), voxels, number)
    if tiles.count * each > 1:
        running += slabs
    counted = _array_bytes(tiles, decoders, entropy, onto) + 4 * voxels + max(adding, running)
    return int(MARGIN * (counted + ALLOWANCE))


def handling_peak_bytes(scan_shape: Sequence[int], decoders: int) -> int:
    """Most bytes that a scan of `scan_shape` takes outside of `predict`.

    Reading, registering, resampling, and bringing labels of so many decoders back to its grid;
    the resident set of the process before comes on top.
    """
    return HANDLING_BASE + prod(scan_shape) * (HANDLING_PER_VOXEL + 4 * (decoders - 1))


def free_bytes(device: torch.device) -> int:
    """Bytes that can still be had on `device`; on the CPU within a container's limit, if any."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return min([int(psutil.virtual_memory().available), *_container_limits()])


def _array_bytes(
    tiles: Tiling, decoders: Mapping[str, int], entropy: bool, onto: Sequence[int] | None
) -> int:
    """The padded image, and per decoder the results: padded, and cropped, or on another grid."""
    per_voxel = sum((1 if n <= 256 else 2) + (2 if entropy else 0) for n in decoders.values())
    padded = 4 * prod(tiles.size) if tiles.size != tiles.shape else 0
    labelled = prod(tiles.size) + prod(tiles.shape) if onto is None else prod(onto)
    return padded + per_voxel * labelled


def _forward_bytes(network: NetworkSettings, decoders: int, voxels: int, number: int) -> int:
    """Most bytes alive within one forward pass over a tile of `voxels`."""
    channels = max([*_encoder(network), *_decoders(network, decoders)])
    cast = voxels * number if number < 4 else 0  # autocast's copy of the input
    return int(channels * voxels * number) + cast


def _encoder(network: NetworkSettings) -> Iterator[float]:
    """Per block of the encoder: channels alive, in units of full-resolution channels."""
    inputs, kept = network.in_channels, 0.0
    for level, width in enumerate(network.encoder_widths):
        yield kept + _block(inputs, width) / 8**level
        kept += width / 8**level
        inputs = width


def _decoders(network: NetworkSettings, decoders: int) -> Iterator[float]:
    """Per block of the decoders, as `_encoder`; the last features of earlier decoders stay."""
    widths = network.widths
    skips = network.encoder_widths
    kept = sum(width / 8**level for level, width in enumerate(skips))
    for _ in range(decoders):
        for level in reversed(range(len(widths) - 1)):
            below = widths[level + 1] / 8 if level < len(widths) - 2 else 0
            inputs = widths[level] + skips[level]
            yield kept + (below + _block(inputs, widths[level])) / 8**level
        kept += widths[0]


def _block(inputs: int, width: int) -> int:
    """Channels alive in a block's last norm: the block's input, the norm's before and after it."""
    return inputs + 3 * width


def _container_limits() -> Iterator[int]:
    """What a container (cgroup v2) may still take; nothing where there is no limit."""
    root = Path("/sys/fs/cgroup")
    try:
        limit = (root / "memory.max").read_text().strip()
        if limit.isdigit():
            yield max(0, int(limit) - int((root / "memory.current").read_text()))
    except (OSError, ValueError):
        return
