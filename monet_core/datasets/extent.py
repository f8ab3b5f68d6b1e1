"""Whether there is enough to train and choose on: scans, a validation split, every region."""

from __future__ import annotations

from collections.abc import Sequence

from monet_core.datasets.dataset import Dataset
from monet_core.datasets.findings import Finding
from monet_core.datasets.outcome import named
from monet_core.datasets.survey import Annotated
from monet_core.errors import Verdict
from monet_core.protocols import Protocol

_FEW_SCANS = 3


def check_extent(dataset: Dataset, protocol: Protocol, group: Sequence[Annotated]) -> list[Finding]:
    """Warnings for 1 or 2 training scans, no validation scan, regions in no training scan.

    `group` are the usable subjects (bad input 45).
    """
    training = [member for member in group if (member.subject.split or "train") == "train"]
    if not training:
        return []
    findings = []
    if len(training) < _FEW_SCANS:
        count = "1 training scan" if len(training) == 1 else f"{len(training)} training scans"
        message = f"only {count} can be used; the model may hardly fit other people."
        findings.append(_warning(dataset, "few-training-scans", message, "Add annotated scans."))
    if not any(member.subject.split == "validation" for member in group):
        message = "no validation scans, so it cannot be seen which epoch is the best."
        remedy = "Put 1 or 2 scans into a folder validation, or name a split in the table."
        findings.append(_warning(dataset, "no-validation", message, remedy))
    return findings + _absent_regions(dataset, protocol, training)


def _absent_regions(
    dataset: Dataset, protocol: Protocol, training: Sequence[Annotated]
) -> list[Finding]:
    present: set[int] = set().union(*(member.present(protocol) for member in training))
    absent = [index for index in protocol.indices if index not in present]
    if not absent:
        return []
    message = (
        f"{len(absent)} of {len(protocol.indices)} regions are in no training scan and will never "
        f"be found: {named(protocol, absent)}."
    )
    region = absent[0] if len(absent) == 1 else None
    return [_warning(dataset, "absent-regions", message, region=region)]


def _warning(
    dataset: Dataset, code: str, message: str, remedy: str = "", region: int | None = None
) -> Finding:
    return Finding(Verdict.WARNING, code, "", message, remedy, region, file=str(dataset.root))
