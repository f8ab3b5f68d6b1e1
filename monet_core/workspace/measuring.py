"""Volumes and entropies of a study's segmentations, computed once per file."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from monet_core.errors import MonetError, ProtocolError
from monet_core.jobs.events import Cancel, Message, Phase, Progress, Reporter
from monet_core.protocols import Protocol, load_protocol
from monet_core.quality import entropy_map_of, region_entropies
from monet_core.scans import LabelMap, read_labels
from monet_core.workspace.computed import file_stamp, recall_all, remember
from monet_core.workspace.counting import (
    Counts,
    Owner,
    counts_of_volumes,
    label_counts,
    volume_tables,
)
from monet_core.workspace.database import Database
from monet_core.workspace.entries import ScanEntry, SegmentationEntry
from monet_core.workspace.labels import beside

log = logging.getLogger(__name__)
_STALE_S = 2.0
_OWNER = ["scan", "scan_id", "segmentation", "segmentation_id", "protocol"]


@dataclass(frozen=True)
class Measured:
    """A segmentation with its scan and its protocol."""

    entry: SegmentationEntry
    scan: ScanEntry
    protocol: Protocol

    def owner(self) -> Owner:
        """The columns that say whose figures they are."""
        values = (self.scan.name, self.scan.id, self.entry.name, self.entry.id, self.entry.protocol)
        return dict(zip(_OWNER, values, strict=True))


class Measuring:
    """Measures segmentations, and remembers."""

    def __init__(self, database: Database, report: Reporter, cancel: Cancel) -> None:
        self._database = database
        self._report = report
        self._cancel = cancel

    def volumes(self, segmentations: Sequence[Measured]) -> pd.DataFrame:
        """A row per region; see `Study.volumes`."""
        done = self._all("volumes", segmentations, _counts_text, lambda s: file_stamp(s.entry.path))
        counts = [(one.owner(), one.protocol, Counts.of_text(text)) for one, text in done]
        return volume_tables(counts, _OWNER)

    def entropies(self, segmentations: Sequence[Measured]) -> pd.DataFrame:
        """A row per region; see `Study.entropies`."""
        with_map = [one for one in segmentations if entropy_map_of(one.entry.path)]
        done = self._all("entropy", with_map, _entropy_text, _entropy_stamp)
        tables = []
        for one, text in done:
            table = pd.read_json(io.StringIO(text), orient="split")
            for column, (name, value) in enumerate(one.owner().items()):
                table.insert(column, name, value)
            tables.append(table)
        columns = [*_OWNER, "index", "name", "voxels", "entropy"]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)

    def _all(
        self,
        kind: str,
        segmentations: Sequence[Measured],
        measure: Callable[[Measured], str],
        stamp_of: Callable[[Measured], str],
    ) -> list[tuple[Measured, str]]:
        """What `measure` says of each, remembered; those that cannot be read are told of."""
        known = recall_all(self._database, kind)
        self._report(Phase("Measuring"))
        done = []
        for number, one in enumerate(segmentations, start=1):
            self._cancel.check()
            stamp, text = known.get(one.entry.id, ("", None))
            now = stamp_of(one)
            # Where the file is away, what was measured before still holds.
            if text is None or (now and now != stamp):
                text = self._measure(one, measure)
                if text is not None:
                    remember(self._database, kind, one.entry.id, now, text)
            if text is not None:
                done.append((one, text))
            self._report(Progress(number, len(segmentations)))
        return done

    def _measure(self, one: Measured, measure: Callable[[Measured], str]) -> str | None:
        try:
            return measure(one)
        except (MonetError, OSError, MemoryError) as error:
            self._report(Message(f"{one.scan.name}: {error}", "warning"))
            return None


def measured(
    entries: Sequence[SegmentationEntry], scans: Sequence[ScanEntry], report: Reporter
) -> list[Measured]:
    """Those whose protocol is known and can be loaded, previews left out."""
    by_id = {scan.id: scan for scan in scans}
    protocols: dict[str, Protocol | None] = {}
    found = []
    for entry in entries:
        if not entry.protocol or entry.source == "preview" or entry.scan_id not in by_id:
            continue
        if entry.protocol not in protocols:
            protocols[entry.protocol] = _protocol(entry.protocol, report)
        protocol = protocols[entry.protocol]
        if protocol is not None:
            found.append(Measured(entry, by_id[entry.scan_id], protocol))
    return found


def _protocol(name: str, report: Reporter) -> Protocol | None:
    try:
        return load_protocol(name)
    except ProtocolError as error:
        report(Message(str(error), "warning"))
        return None


def _counts_text(one: Measured) -> str:
    counts = _counts_of_table(one.entry.path)
    if counts is None:
        counts = label_counts(_labels(one))
    return counts.to_text()


def _labels(one: Measured) -> LabelMap:
    return read_labels(one.entry.path, one.scan.decisions)


def _counts_of_table(labels: Path) -> Counts | None:
    """From the volumes beside the label map; None where there are none that can be trusted."""
    path = beside(labels, "_desc-volumes_stats.tsv")
    try:
        # Somebody may have edited the labels since.
        if path.stat().st_mtime + _STALE_S < labels.stat().st_mtime:
            return None
        counts = counts_of_volumes(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.debug("no volumes beside %s (%s)", labels, error)
        return None
    return counts if counts.voxels else None


def _entropy_stamp(one: Measured) -> str:
    entropy = entropy_map_of(one.entry.path)
    return file_stamp(one.entry.path, entropy) if entropy else ""


def _entropy_text(one: Measured) -> str:
    entropy = entropy_map_of(one.entry.path)
    if entropy is None:
        raise FileNotFoundError(str(one.entry.path))
    table = region_entropies(_labels(one), entropy, one.protocol, one.scan.decisions)
    return json.dumps(json.loads(table.to_json(orient="split", index=False, double_precision=6)))
