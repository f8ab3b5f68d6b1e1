"""Validation while training: whole scans by sliding window, Dice of every region."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from monet_core.evaluation import dice_per_region, region_set
from monet_core.jobs import Cancel
from monet_core.jobs.sharing import Each, one_by_one
from monet_core.networks import MONet
from monet_core.protocols import Protocol
from monet_core.segmenting import predict
from monet_core.training.patches import PreparedSubject
from monet_core.training.settings import FULL, PARTIAL, TrainingSettings
from monet_core.training.subjects import extraction_mapping

Seen = Callable[[PreparedSubject, Mapping[str, NDArray], Sequence["ScanDice"]], None]
"""Called with each validation scan, its predicted classes (X, Y, Z) per decoder in model space, and
its scores."""


@dataclass(frozen=True)
class ScanDice:
    """Dice of one validation scan and decoder: region index -> Dice (nan: absent in both)."""

    scan: str
    decoder: str
    regions: dict[int, float]

    @property
    def mean(self) -> float:
        """Mean over the regions present in truth or prediction; nan without any."""
        values = np.array(list(self.regions.values()))
        return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def validate(
    network: MONet,
    subjects: list[PreparedSubject],
    protocols: dict[str, Protocol],
    settings: TrainingSettings,
    device: str,
    precision: Literal["32", "bf16"],
    cancel: Cancel,
    seen: Seen = lambda *_: None,
    each: Each = one_by_one,
) -> list[ScanDice]:
    """Segment every validation scan in model space and compare with its prepared labels."""

    def score(subject: PreparedSubject) -> list[ScanDice]:
        prediction = predict(
            network,
            subject.image,
            patch=settings.patch,
            overlap=settings.validation_overlap,
            device=device,
            precision=precision,
            decoders=subject.decoders,
            cancel=cancel,
        )
        own = [
            _score(subject, decoder, prediction.classes[decoder], protocols[decoder], chosen)
            for decoder, chosen in scored_regions(subject.decoders, protocols, settings).items()
        ]
        seen(subject, prediction.classes, own)
        return own

    return [score for own in each(score, subjects) for score in own]


def scored_regions(
    decoders: Collection[str], protocols: Mapping[str, Protocol], settings: TrainingSettings
) -> dict[str, tuple[int, ...]]:
    """The indices that each decoder is scored on, for a scan with labels for `decoders`.

    Partial labels that were extracted from full ones say nothing of regions that the full
    protocol does not have.
    """
    chosen = {name: region_set(protocols[name], settings.evaluated_regions) for name in decoders}
    if {FULL, PARTIAL} <= chosen.keys():
        covered = set(extraction_mapping(protocols, settings).covered)
        chosen[PARTIAL] = tuple(index for index in chosen[PARTIAL] if index in covered)
    return chosen


def _score(
    subject: PreparedSubject,
    decoder: str,
    predicted: NDArray,
    protocol: Protocol,
    indices: Sequence[int],
) -> ScanDice:
    classes = [protocol.indices.index(index) + 1 for index in indices]
    dice = dice_per_region(predicted, np.asarray(subject.labels[decoder]), classes)
    by_index = {i: dice[c] for i, c in zip(indices, classes, strict=True)}
    return ScanDice(subject.name, decoder, by_index)


def mean_dice(scores: list[ScanDice], decoder: str) -> float:
    """Mean over scans of the mean Dice of one decoder; nan without a score."""
    means = [score.mean for score in scores if score.decoder == decoder]
    finite = [value for value in means if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")


def region_means(scores: Sequence[ScanDice], decoder: str) -> dict[int, float]:
    """Per region the mean Dice over the scans that have one; regions without are left out."""
    found: dict[int, list[float]] = {}
    for score in scores:
        for index, value in score.regions.items() if score.decoder == decoder else ():
            if np.isfinite(value):
                found.setdefault(index, []).append(value)
    return {index: float(np.mean(values)) for index, values in found.items()}
