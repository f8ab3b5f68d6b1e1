"""From a corrected segmentation to the next training, and to the next scan to correct. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from monet_app.atlas.versions import model_behind
from monet_app.session import Session
from monet_app.words import count
from monet_core.errors import MonetError
from monet_core.quality import Candidate, candidates, outliers, rank, suggest_next
from monet_core.workspace import ScanEntry, SegmentationEntry, Study
from monet_core.workspace.tables import BY_PEOPLE

MOST = 8


@dataclass(frozen=True)
class NextScan:
    """A scan that would teach a model most; `reason` is one sentence."""

    entry: ScanEntry
    reason: str


def teach(session: Session, entry: SegmentationEntry) -> None:
    """Put a corrected scan into the training set and show Train, filled in with what fits.

    Asks for "train" with: data (the study's table), start (path of the model that made what was
    corrected, None where it is not installed), atlas (as in `SegmentationEntry.protocol`).
    """
    study = session.study
    if study is None:
        return
    start = model_behind(study, entry, session.model_entries)

    def added(table: Path) -> None:
        session.scans_changed.emit()
        subject = {
            "data": table,
            "start": start.path if start is not None else None,
            "atlas": entry.protocol,
        }
        session.ask_for("train", subject)

    session.run(_add, study, entry, done=added, doing="Adding to the training set")


def training_scans(study: Study, protocol: str) -> int:
    """How many scans of the training set people annotated in this atlas."""
    annotated = {e.scan_id for e in study.all_segmentations() if _by_people(e, protocol)}
    return sum(scan.id in annotated and scan.split == "train" for scan in study.scans())


def next_scans(study: Study, protocol: str) -> list[NextScan]:
    """Scans that nobody annotated in this atlas, the one first that teaches most; takes a while."""
    annotated = {e.scan_id for e in study.all_segmentations() if _by_people(e, protocol)}
    open_ = {scan.id: scan for scan in study.scans() if scan.id not in annotated}
    entropies = study.entropies()
    entropies = entropies[entropies["protocol"] == protocol]
    volumes = study.volumes()
    volumes = volumes[volumes["protocol"] == protocol].reset_index(drop=True)
    ranking = rank(outliers(volumes)) if len(volumes) else None
    pairs = [(scan.id, scan.name) for scan in open_.values()]
    best = suggest_next(candidates(pairs, entropies, ranking))
    return [NextScan(open_[each.scan_id], _reason(each)) for each in best[:MOST]]


def _add(study: Study, entry: SegmentationEntry) -> Path:
    study.set_split(entry.scan_id, "train")
    return study.to_table(study.jobs.parent / "training.tsv", entry.protocol)


def _by_people(entry: SegmentationEntry, protocol: str) -> bool:
    return entry.protocol == protocol and entry.source in BY_PEOPLE


def _reason(found: Candidate) -> str:
    if found.entropy is not None:
        return f"The model was unsure: {found.entropy:.2f} nats on average."
    if found.outlyingness is not None and found.outlyingness >= 1:
        return "Its volumes are unusual."
    return "It has no entropy map: segment it with uncertainty to know more."


def describe(study: Study, entry: SegmentationEntry) -> str:
    """What the training set holds, in a line."""
    try:
        number = training_scans(study, entry.protocol)
    except MonetError:
        return ""
    return f"{count(number, 'annotated scan')} in the training set."
