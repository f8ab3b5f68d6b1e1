"""Batches in an order that depends on seed and step alone, so that any step can be resumed."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from monet_core.training.patches import PatchDataset


@dataclass(frozen=True)
class Batch:
    """Patches with the same kind of annotation: `image` (B, 1, X, Y, Z) float32, one class map
    (B, X, Y, Z) per annotated decoder in `targets`, and the names of the scans. `unannotated`
    holds the main decoder's classes that these scans are not annotated for."""

    image: Tensor
    targets: dict[str, Tensor]
    names: tuple[str, ...]
    unannotated: tuple[int, ...] = ()


@dataclass(frozen=True)
class Schedule:
    """How samples are dealt out: `samples` per epoch, `batch` in a step, to `world` processes.

    What a step sees does not depend on how many processes share it.
    """

    samples: int
    batch: int
    world: int = 1

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps of one epoch, the last one filled up from the next epoch's samples."""
        return -(-self.samples // self.batch)

    def indices(self, step: int, rank: int) -> range:
        """Global sample numbers of one step on one process: a stretch of the step's, as long
        as the others' or one longer. Sample n belongs to epoch n // samples."""
        first, last = (self.batch * r // self.world for r in (rank, rank + 1))
        return range(step * self.batch + first, step * self.batch + last)


class StepSampler(Sampler[list[int]]):
    """Yields the sample numbers of steps `start` to `stop`, one list a step."""

    def __init__(self, schedule: Schedule, start: int, stop: int, rank: int) -> None:
        self._schedule, self._start, self._stop, self._rank = schedule, start, stop, rank

    def __len__(self) -> int:
        return max(0, self._stop - self._start)

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(self._start, self._stop):
            yield list(self._schedule.indices(step, self._rank))


def batches(
    dataset: PatchDataset,
    sampler: StepSampler,
    unannotated: Mapping[str, tuple[int, ...]],
    workers: int,
    pin: bool,
    most: int,
) -> Iterable[list[Batch]]:
    """A loader whose workers live for the whole run; each item is one step's batches, of `most`
    patches each."""
    return DataLoader(
        dataset,
        batch_sampler=sampler,
        num_workers=workers,
        collate_fn=partial(collate, unannotated=dict(unannotated), most=most),
        worker_init_fn=_leave_signals_to_the_trainer,
        pin_memory=pin,
        prefetch_factor=2 if workers else None,
    )


def collate(
    items: Sequence[dict[str, Any]], unannotated: Mapping[str, tuple[int, ...]], most: int
) -> list[Batch]:
    """Stack samples in batches of at most `most` with the same kind of annotation.

    `unannotated` gives, by scan name, classes that the scan is not annotated for.
    """
    stretches = [items[first : first + most] for first in range(0, len(items), most)]
    return [batch for stretch in stretches for batch in _by_kind(stretch, unannotated)]


def _by_kind(
    items: Sequence[dict[str, Any]], unannotated: Mapping[str, tuple[int, ...]]
) -> list[Batch]:
    kinds: dict[tuple[tuple[str, ...], tuple[int, ...]], list[dict[str, Any]]] = {}
    for item in items:
        kind = tuple(sorted(item["targets"])), unannotated.get(item["name"], ())
        kinds.setdefault(kind, []).append(item)
    return [
        Batch(
            image=torch.stack([item["image"] for item in same]),
            targets={n: torch.stack([item["targets"][n] for item in same]) for n in decoders},
            names=tuple(item["name"] for item in same),
            unannotated=missing,
        )
        for (decoders, missing), same in kinds.items()
    ]


def _leave_signals_to_the_trainer(_: int) -> None:
    """Ctrl-C reaches every process of a terminal; only the trainer may decide when to stop.

    Workers end by themselves when it does, however it ends.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
