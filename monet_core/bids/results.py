"""What the participant level left: label maps with their records and volumes, and outcomes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from monet_core.bids.layout import anat_folders, with_prefix
from monet_core.datasets import names
from monet_core.errors import ProtocolError, Verdict
from monet_core.jobs.events import Cancel, Message, Phase, Progress, Reporter
from monet_core.protocols import Protocol, is_shipped, load_protocol
from monet_core.workspace.counting import Counts, counts_of_volumes
from monet_core.workspace.labels import beside, is_ours, record_of

OUTCOMES = "outcomes.jsonl"
"""As `segmenting.outcomes` writes it, which loads torch."""
Record = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """One label map of a scan.

    `stem` names the scan ("sub-01_ses-2"), `atlas` is the file name's seg- label, `scan` the file
    name of the T1. `entropy`: mean over the labelled voxels in nats, None where not computed.
    `warnings` are sentences, about the scan or this label map.
    """

    stem: str
    subject: str
    session: str
    atlas: str
    labels: Path
    scan: str
    model: str
    weights: str
    warnings: tuple[str, ...]
    entropy: float | None
    counts: Counts


@dataclass(frozen=True)
class Last:
    """The last outcome on record of a scan: "done", "warnings" or "failed", and why (sentences)."""

    outcome: str
    code: str
    reason: str


def read_results(
    out: Path,
    participants: Sequence[str],
    sessions: Sequence[str],
    report: Reporter,
    cancel: Cancel,
) -> list[Result]:
    """The results in derivatives, of `participants` and `sessions` only, if any; by scan and atlas.

    Those of other programs, and corrected copies, are left out; those that cannot be read are told.
    """
    subjects = {with_prefix(label, "sub-") for label in participants}
    wanted = {with_prefix(label, "ses-") for label in sessions}
    folders = [
        each
        for each in anat_folders(out)
        if (not subjects or each[0] in subjects) and (not wanted or each[1] in wanted)
    ]
    report(Phase("Reading results"))
    results: list[Result] = []
    for number, (subject, session, folder) in enumerate(folders, start=1):
        cancel.check()
        results += _results_in(subject, session, folder, report)
        report(Progress(number, len(folders)))
    return results


def protocol_of(result: Result) -> Protocol:
    """The atlas of a result: the one that ships, where it is that, else its table's.

    Raises ProtocolError where the table is gone or damaged.
    """
    record = record_of(result.labels)
    name = str(record.get("Atlas") or result.atlas)
    if is_shipped(name):
        shipped = load_protocol(name)
        if shipped.fingerprint == record.get("AtlasFingerprint"):
            return shipped
    return replace(load_protocol(beside(result.labels, "_dseg.tsv")), name=name)


@dataclass(frozen=True)
class Group:
    """All results of one atlas; `atlas` is the seg- label of their files."""

    atlas: str
    protocol: Protocol
    results: list[Result]


def by_atlas(results: Sequence[Result], report: Reporter) -> list[Group]:
    """Results by their atlas, the one with the most regions first; without those whose table is
    gone or damaged, which is told."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.atlas, []).append(result)
    found = []
    for atlas, members in groups.items():
        try:
            found.append(Group(atlas, protocol_of(members[0]), members))
        except ProtocolError as error:
            report(Message(f"atlas {atlas} is left out: {error}", "warning"))
    return sorted(found, key=lambda group: -len(group.protocol.regions))


def last_outcomes(out: Path) -> dict[str, Last]:
    """By the scans' file names; lines that a crash cut short are passed over."""
    found: dict[str, Last] = {}
    try:
        text = (out / OUTCOMES).read_text(encoding="utf-8")
    except OSError:
        return found
    for line in text.splitlines():
        try:
            record = json.loads(line)
            notes = record["notes"]
            reason = "; ".join(note["message"] for note in notes)
            code = notes[0]["code"] if notes else ""
            found[record["scan"]] = Last(record["outcome"], code, reason)
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _results_in(subject: str, session: str, folder: Path, report: Reporter) -> Iterator[Result]:
    for path in sorted(folder.glob("sub-*_dseg.json")):
        labels = path.with_name(path.name.removesuffix(".json") + ".nii.gz")
        record = record_of(labels)
        if not is_ours(record) or record.get("Manual") is not False:
            continue
        stem = names.labels_stem(labels) or ""
        atlas = names.segmentation(stem) or ""
        try:
            counts = counts_of_volumes(beside(labels, "_desc-volumes_stats.tsv"))
            scan = stem.removesuffix(f"_seg-{atlas}")
            yield _result(scan, subject, session, atlas, labels, record, counts)
        except (OSError, ValueError, KeyError, TypeError) as error:
            text = f"{labels}: its volumes or record cannot be read ({error}); segment it again"
            report(Message(text, "warning"))


def _result(
    stem: str,
    subject: str,
    session: str,
    atlas: str,
    labels: Path,
    record: Mapping[str, Any],
    counts: Counts,
) -> Result:
    model, entropy = record["Model"], record.get("MeanEntropy")
    return Result(
        stem=stem,
        subject=subject,
        session=session,
        atlas=atlas,
        labels=labels,
        scan=str(record["Sources"][0]).rpartition("/")[2],
        model=str(model["Name"]),
        weights=str(model.get("WeightsSha256", "")),
        warnings=tuple(
            note["message"]
            for note in record.get("Notes", ())
            if note["verdict"] == Verdict.WARNING.value
        ),
        entropy=None if entropy is None else float(entropy),
        counts=counts,
    )
