"""From a checked data set to prepared, memory-mapped subjects with targets for every decoder."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monet_core.datasets import CheckReport, Split, Subject
from monet_core.errors import TrainingError
from monet_core.jobs import Cancel, Phase, Progress, Reporter
from monet_core.protocols import Protocol, ProtocolMapping, Unknown, find_mapping, load_protocol
from monet_core.scans import Decisions
from monet_core.training.cache import LabelSource, PreparedCache
from monet_core.training.patches import PreparedSubject
from monet_core.training.settings import FULL, PARTIAL, TrainingSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingData:
    """Prepared subjects and what the losses must know of their annotations.

    `extraction` is the table full class -> partial class of a MO-Net, else None. `unannotated`
    gives, by scan name, the main decoder's classes that the scan is not annotated for.
    """

    train: list[PreparedSubject]
    validation: list[PreparedSubject]
    protocols: dict[str, Protocol]
    extraction: NDArray[np.integer] | None
    unannotated: dict[str, tuple[int, ...]]

    @property
    def swaps(self) -> dict[str, NDArray[np.integer]]:
        """Class permutation of every decoder under a left-right mirror."""
        return {name: protocol.swap_classes() for name, protocol in self.protocols.items()}

    def group(
        self, decoder: str, annotated: Collection[str], unannotated: tuple[int, ...]
    ) -> NDArray[np.integer] | None:
        """Which annotated class each class of `decoder` shows as; None where they are the same.

        A decoder that knows more than the annotation sees all its classes outside of it as
        background; so does one whose classes were not annotated in a scan (marginal loss).
        """
        if decoder not in annotated:
            return self.extraction
        if not unannotated:
            return None
        main = FULL if FULL in annotated else PARTIAL
        hidden = np.asarray(unannotated)
        if decoder != main and self.extraction is not None:
            hidden = np.unique(self.extraction[hidden])
        table = np.arange(self.protocols[decoder].n_classes)
        table[hidden] = 0
        return table


def load_protocols(settings: TrainingSettings) -> dict[str, Protocol]:
    """The protocol of every decoder."""
    return {name: load_protocol(value) for name, value in settings.protocols.items()}


def prepare_data(
    reports: Mapping[str, CheckReport],
    settings: TrainingSettings,
    protocols: dict[str, Protocol],
    cache: PreparedCache,
    decisions: Decisions,
    unknown: Unknown,
    tell: Reporter,
    cancel: Cancel,
) -> TrainingData:
    """Prepare every usable subject of both splits (from the cache where it was done before).

    `reports` holds a checked data set per decoder: the scans annotated in its protocol.
    """
    tell(Phase("Preparing scans"))
    splits: tuple[Split, ...] = ("train", "validation")
    jobs = [
        (decoder, split, subject)
        for decoder, checked in reports.items()
        for split in splits
        for subject in checked.usable(split)
    ]
    ready: dict[Split, list[PreparedSubject]] = {split: [] for split in splits}
    for done, (decoder, split, subject) in enumerate(jobs):
        cancel.check()
        tell(Progress(done, len(jobs), text=subject.name))
        sources = label_sources(subject, decoder, settings, protocols)
        ready[split].append(
            cache.prepare(
                subject.name,
                subject.scan,
                sources,
                settings.preprocessing,
                decisions,
                unknown,
                tell,
                cancel,
            )
        )
    tell(Progress(len(jobs), len(jobs)))
    joint = {FULL, PARTIAL} <= protocols.keys()
    extraction = _extraction(protocols, settings).class_table() if joint else None
    hidden = _unannotated(reports[settings.main_decoder], protocols[settings.main_decoder])
    return TrainingData(ready["train"], ready["validation"], protocols, extraction, hidden)


def label_sources(
    subject: Subject, decoder: str, settings: TrainingSettings, protocols: dict[str, Protocol]
) -> dict[str, LabelSource]:
    """Where each decoder's target comes from, for a subject annotated for `decoder`.

    A fully annotated scan gives the full target as it is and the partial one extracted from it;
    a scan annotated in the partial protocol only gives the partial target.
    Raises TrainingError for a scan without labels.
    """
    if subject.labels is None:
        raise TrainingError("no-labels", "has no labels to train on", file=subject.scan)
    sources = {decoder: LabelSource(subject.labels, protocols[decoder])}
    if decoder == FULL and PARTIAL in protocols:
        mapping = _extraction(protocols, settings)
        sources[PARTIAL] = LabelSource(subject.labels, protocols[PARTIAL], mapping)
    return sources


def _extraction(protocols: dict[str, Protocol], settings: TrainingSettings) -> ProtocolMapping:
    return find_mapping(protocols[FULL], protocols[PARTIAL], settings.mapping_variant)


def _unannotated(report: CheckReport, protocol: Protocol) -> dict[str, tuple[int, ...]]:
    """Excluded regions of the integrity report as classes."""
    return {
        name: tuple(protocol.indices.index(index) + 1 for index in regions)
        for name, regions in report.excluded_regions.items()
        if regions
    }


def run_cache(folder: Path | None) -> PreparedCache:
    """The cache of prepared scans: `folder`, or the user's cache folder."""
    if folder is None:
        from platformdirs import user_cache_path

        folder = user_cache_path("monet-studio") / "prepared"
    return PreparedCache(folder)
