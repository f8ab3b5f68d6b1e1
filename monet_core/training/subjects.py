"""From a checked data set to prepared, memory-mapped subjects with targets for every decoder."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monet_core.datasets import CheckReport, Split, Subject
from monet_core.errors import Note, TrainingError
from monet_core.jobs import Cancel, Phase, Progress, Reporter
from monet_core.jobs.sharing import Each, one_by_one
from monet_core.protocols import (
    Protocol,
    ProtocolMapping,
    Unknown,
    find_mapping,
    load_protocol,
    with_links,
)
from monet_core.scans import Decisions
from monet_core.training.cache import LabelSource, PreparedCache
from monet_core.training.patches import PreparedSubject
from monet_core.training.settings import FULL, PARTIAL, TrainingSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingData:
    """Prepared subjects and what the losses must know of their annotations.

    `extraction` is the table full class -> partial class of a MO-Net, else None. `unannotated`
    gives, by scan name, the main decoder's classes that the scan is not annotated for; `scans` the
    files as they were found.
    """

    train: list[PreparedSubject]
    validation: list[PreparedSubject]
    protocols: dict[str, Protocol]
    extraction: NDArray[np.integer] | None
    unannotated: dict[str, tuple[int, ...]]
    scans: Mapping[str, Path] = field(default_factory=dict)

    @property
    def swaps(self) -> dict[str, NDArray[np.integer]]:
        """Class permutation of every decoder under a left-right mirror."""
        return {name: protocol.swap_classes() for name, protocol in self.protocols.items()}

    @property
    def not_extracted(self) -> NDArray[np.integer]:
        """The partial classes that no full class is a part of: full labels say nothing of them."""
        if self.extraction is None:
            return np.empty(0, np.intp)
        return np.setdiff1d(np.arange(self.protocols[PARTIAL].n_classes), self.extraction)

    def group(
        self, decoder: str, annotated: Collection[str], unannotated: tuple[int, ...]
    ) -> NDArray[np.integer] | None:
        """Which annotated class each class of `decoder` shows as; None where they are the same.

        A decoder that knows more than the annotation sees all its classes outside of it as
        background; so does one whose classes were not annotated in a scan (marginal loss), and
        the partial one for regions that the full protocol does not have.
        """
        if decoder not in annotated:
            return self.extraction
        main = FULL if FULL in annotated else PARTIAL
        hidden = np.asarray(unannotated, np.intp)
        if decoder != main and self.extraction is not None:
            hidden = np.union1d(self.extraction[hidden], self.not_extracted)
        if not hidden.any():
            return None
        table = np.arange(self.protocols[decoder].n_classes)
        table[hidden] = 0
        return table


def load_protocols(settings: TrainingSettings) -> dict[str, Protocol]:
    """The protocol of every decoder; the settings' mapping becomes links of the full one, so that
    the model's segmentations can be mapped wherever they go."""
    protocols = {name: load_protocol(value) for name, value in settings.protocols.items()}
    if settings.mapping is not None and {FULL, PARTIAL} <= protocols.keys():
        protocols[FULL] = with_links(extraction_mapping(protocols, settings))
    return protocols


def prepare_data(
    reports: Mapping[str, CheckReport],
    settings: TrainingSettings,
    protocols: dict[str, Protocol],
    cache: PreparedCache,
    decisions: Decisions,
    unknown: Unknown,
    tell: Reporter,
    cancel: Cancel,
    each: Each = one_by_one,
) -> TrainingData:
    """Prepare every usable subject of both splits (from the cache where it was done before).

    `reports` holds a checked data set per decoder: the scans annotated in its protocol. `each`
    may share the work among processes, which then must all see the cache.
    """
    tell(Phase("Preparing scans"))
    splits: tuple[Split, ...] = ("train", "validation")
    jobs = [
        (decoder, split, subject)
        for decoder, checked in reports.items()
        for split in splits
        for subject in checked.usable(split)
    ]

    def prepared(number: int) -> PreparedSubject:
        cancel.check()
        decoder, _, subject = jobs[number]
        tell(Progress(number, len(jobs), text=subject.name))
        return cache.prepare(
            subject.name,
            subject.scan,
            label_sources(subject, decoder, settings, protocols),
            settings.preprocessing,
            decisions,
            unknown,
            tell,
            cancel,
        )

    subjects = each(prepared, range(len(jobs)))
    ready: dict[Split, list[PreparedSubject]] = {split: [] for split in splits}
    for (_, split, _), subject in zip(jobs, subjects, strict=True):
        ready[split].append(subject)
    tell(Progress(len(jobs), len(jobs)))
    joint = {FULL, PARTIAL} <= protocols.keys()
    extraction = extraction_mapping(protocols, settings).class_table() if joint else None
    hidden = _unannotated(reports[settings.main_decoder], protocols[settings.main_decoder])
    scans = {subject.name: subject.scan for _, _, subject in jobs}
    return TrainingData(ready["train"], ready["validation"], protocols, extraction, hidden, scans)


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
        mapping = extraction_mapping(protocols, settings)
        sources[PARTIAL] = LabelSource(subject.labels, protocols[PARTIAL], mapping)
    return sources


def with_own_mapping(
    settings: TrainingSettings, protocols: dict[str, Protocol]
) -> tuple[TrainingSettings, tuple[Note, ...]]:
    """`settings` of a joint training with the user's own mapping written in, and what to tell.

    A run then keeps its mapping, whatever becomes of the user's file. Raises ProtocolError where
    there is no mapping from the full to the partial protocol.
    """
    if not {FULL, PARTIAL} <= protocols.keys():
        return settings, ()
    mapping = extraction_mapping(protocols, settings)
    if any(note.code == "own-mapping" for note in mapping.notes):
        settings = settings.model_copy(update={"mapping": dict(mapping.table)})
    return settings, mapping.notes


def extraction_mapping(
    protocols: Mapping[str, Protocol], settings: TrainingSettings
) -> ProtocolMapping:
    """Which partial region every full region is (a part of): the settings' table, or the known one.

    Raises ProtocolError where that does not fit, or nothing is known.
    """
    if settings.mapping is not None:
        return ProtocolMapping(protocols[FULL], protocols[PARTIAL], settings.mapping)
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
