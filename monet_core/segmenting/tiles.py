"""Whole-scan prediction from overlapping tiles, without classes x whole-scan floats.

Gaussian-weighted features, of which a network's head makes logits, are summed in a slab as thick
as one tile, which moves along one axis of the scan; planes that no later tile reaches leave the
slab, and only there does the head make logits, a few voxels' at a time, for the argmax. Tiles and
weights are those of MONAI's `sliding_window_inference` with `mode="gaussian"`, to which the
result is equal, as a head commutes with weighted means.

No tile is skipped, an empty one neither: what a network says about a constant tile is not known
beforehand, and preprocessing has cropped the scan to the brain already.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from monet_core.jobs.events import Cancel, Progress, Reporter, silent
from monet_core.segmenting.grids import Onto, OtherGrid, SameGrid
from monet_core.segmenting.slab import Slab
from monet_core.segmenting.tiling import Tiling, Triple, tiling, window

if TYPE_CHECKING:
    from monet_core.networks import Logits, MONet

Precision = Literal["32", "bf16"]
Swaps = Mapping[str, NDArray[np.integer]]


@dataclass(frozen=True, eq=False)
class Prediction:
    """Per decoder: `classes` uint8 (uint16 above 256 classes) (X, Y, Z), most probable class.

    On the image's grid, or on the one that was asked for. `entropy`: float16, same shape, entropy
    in nats of the mean logits' softmax: 0 where the network is sure, ln(number of classes) where
    all classes are equally probable; None if not asked for.
    """

    classes: dict[str, NDArray[np.unsignedinteger]]
    entropy: dict[str, NDArray[np.float16]] | None


def predict(
    network: MONet,
    image: NDArray[np.float32],
    *,
    patch: int | Sequence[int],
    overlap: float = 0.5,
    device: str | torch.device = "cpu",
    precision: Precision = "32",
    decoders: Sequence[str] | None = None,
    mirror: Swaps | None = None,
    entropy: bool = False,
    onto: Onto | None = None,
    batch: int = 1,
    report: Reporter = silent,
    cancel: Cancel | None = None,
) -> Prediction:
    """Label `image`, float32 (X, Y, Z) in model space (RAS+, normalised), with every decoder.

    `patch` in voxels; `decoders` restricts what is returned. `mirror` (per decoder the class that
    each class becomes in a left-right mirror) averages in the logits of the mirrored tile. `onto`:
    a grid to be labelled instead of the image's own; classes are 0 where it reaches beyond that.
    The network is moved to `device`; its training mode is put back afterwards.
    Raises CancelledError, and torch.OutOfMemoryError on a GPU.
    """
    device = torch.device(device)
    tiles = tiling(image.shape, patch, overlap, int(network.divisor))
    padded = torch.from_numpy(np.require(tiles.pad(image), np.float32, ["C", "W"]))
    clock = _Clock(tiles.count, report)
    slabs: dict[str, Slab] = {}
    with _evaluating(network, device), torch.inference_mode():
        for corners, following in tiles.layers():
            for first in range(0, len(corners), batch):
                if cancel is not None:
                    cancel.check()
                some = corners[first : first + batch]
                x = torch.stack([padded[window(c, tiles.patch)] for c in some])[:, None].to(device)
                for mirrored in (False, True) if mirror is not None else (False,):
                    logits = _logits(network, x, precision, decoders, mirrored)
                    slabs = slabs or _slabs(tiles, logits, mirror, entropy, onto)
                    _add(slabs, logits, some, mirrored)
                    del logits  # before the next forward pass makes its own
                clock.tick(len(some))
            for slab in slabs.values():
                slab.flush(following)
    return _prediction(slabs)


def _logits(
    network: MONet,
    x: Tensor,
    precision: Precision,
    decoders: Sequence[str] | None,
    mirrored: bool,
) -> dict[str, Logits]:
    """Finest logits per wanted decoder, of the tiles or of their mirror images."""
    with torch.autocast(x.device.type, torch.bfloat16, enabled=precision == "bf16"):
        outputs = network(x.flip(2) if mirrored else x, only=decoders)
    return {name: finest for name, (finest, *_) in outputs.items()}


def _slabs(
    tiles: Tiling,
    logits: dict[str, Logits],
    mirror: Swaps | None,
    entropy: bool,
    onto: Onto | None,
) -> dict[str, Slab]:
    grid = SameGrid(tiles) if onto is None else OtherGrid(onto, tiles)
    slabs = {}
    for name, some in logits.items():
        swap = None if mirror is None else torch.from_numpy(np.asarray(mirror[name], np.int64))
        slabs[name] = Slab(tiles, some, swap, entropy, grid)
    return slabs


def _add(
    slabs: dict[str, Slab], logits: dict[str, Logits], corners: Sequence[Triple], mirrored: bool
) -> None:
    for name, some in logits.items():
        for features, corner in zip(some.features, corners, strict=True):
            slabs[name].add(features, corner, mirrored)


def _prediction(slabs: dict[str, Slab]) -> Prediction:
    entropy = {}
    for name, slab in slabs.items():
        values = slab.entropy()
        if values is not None:
            entropy[name] = values
    return Prediction({name: slab.classes() for name, slab in slabs.items()}, entropy or None)


@contextmanager
def _evaluating(network: MONet, device: torch.device) -> Iterator[None]:
    training = network.training
    network.to(device).eval()
    try:
        yield
    finally:
        network.train(training)


class _Clock:
    """Reports progress with the time that remains, from the mean time of a tile."""

    def __init__(self, total: int, report: Reporter) -> None:
        self._total, self._done, self._report = total, 0, report
        self._began = time.monotonic()

    def tick(self, tiles: int) -> None:
        self._done += tiles
        per_tile = (time.monotonic() - self._began) / self._done
        remaining = per_tile * (self._total - self._done)
        self._report(Progress(self._done, self._total, remaining))
