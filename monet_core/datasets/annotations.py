"""Checks of the label maps against the protocol: values, missing regions, exchanged sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from monet_core.datasets.findings import Finding
from monet_core.datasets.outcome import Outcome, named
from monet_core.datasets.survey import Annotated
from monet_core.errors import Verdict
from monet_core.protocols import UNKNOWN_OPTION, Protocol, Unknown
from monet_core.protocols.protocol import describe_values

Missing = Literal["ask", "absent", "unannotated"]

_MISSING_OPTION = "--missing-regions"


def check_unknown(group: Sequence[Annotated], protocol: Protocol, decision: Unknown) -> Outcome:
    """Values that the protocol neither names nor lists as background (bad input 26)."""
    outcome = Outcome()
    known = {0, *protocol.indices, *protocol.extra}
    for member in group:
        voxels = {v: n for v, n in member.regions.voxels.items() if v not in known}
        if not voxels:
            continue
        problem = f"{describe_values(voxels)} not in the protocol {protocol.name}"
        outcome.findings.append(_unknown_finding(member, problem, decision))
        if decision == "refuse":
            outcome.left_out.add(member.subject.name)
    return outcome


def _unknown_finding(member: Annotated, problem: str, decision: Unknown) -> Finding:
    name, file = member.subject.name, str(member.subject.labels)
    if decision == "ask":
        return Finding(
            Verdict.ASK,
            "unknown-labels",
            name,
            problem,
            f"Choose another protocol, or decide with {UNKNOWN_OPTION}: background or refuse.",
            file=file,
            option=UNKNOWN_OPTION,
            choices=("background", "refuse"),
        )
    if decision == "background":
        return Finding(
            Verdict.FIXED, "unknown-labels", name, f"{problem}; read as background.", file=file
        )
    remedy = "Convert the labels (monet convert) or choose their protocol."
    return Finding(
        Verdict.REFUSED, "unknown-labels", name, f"{problem}; left out.", remedy, file=file
    )


def check_missing(group: Sequence[Annotated], protocol: Protocol, decision: Missing) -> Outcome:
    """Empty label maps, and regions that other scans have but this one has not (bad input 28).

    A region that no scan has is not asked about here.
    """
    outcome = Outcome()
    present = {member.subject.name: member.present(protocol) for member in group}
    somewhere: set[int] = set().union(*present.values())
    for member in group:
        name = member.subject.name
        missing = sorted(somewhere - present[name])
        if not present[name]:
            outcome.findings.append(_empty_finding(member, protocol, decision))
            if decision == "unannotated":
                outcome.left_out.add(name)
        elif missing:
            outcome.findings.append(_missing_finding(member, protocol, missing, decision))
            if decision == "unannotated":
                outcome.excluded[name] = set(missing)
    return outcome


def _empty_finding(member: Annotated, protocol: Protocol, decision: Missing) -> Finding:
    problem = f"the label map holds no region of protocol {protocol.name}"
    return _missing_verdict(
        member, "empty-labels", problem, decision, "trained as all background", "left out"
    )


def _missing_finding(
    member: Annotated, protocol: Protocol, missing: list[int], decision: Missing
) -> Finding:
    plural = (
        "regions that other scans have are"
        if len(missing) > 1
        else "region that other scans have is"
    )
    problem = f"{len(missing)} {plural} missing: {named(protocol, missing)}"
    return _missing_verdict(
        member, "missing-regions", problem, decision, "trained as absent", "not annotated"
    )


def _missing_verdict(
    member: Annotated,
    code: str,
    problem: str,
    decision: Missing,
    if_absent: str,
    if_unannotated: str,
) -> Finding:
    name, file = member.subject.name, str(member.subject.labels)
    if decision == "ask":
        return Finding(
            Verdict.ASK,
            code,
            name,
            problem,
            f"Decide with {_MISSING_OPTION}: absent (in this person) or unannotated.",
            file=file,
            option=_MISSING_OPTION,
            choices=("absent", "unannotated"),
        )
    taken = if_absent if decision == "absent" else if_unannotated
    return Finding(Verdict.WARNING, code, name, f"{problem}; {taken}, as decided.", file=file)


def check_sides(group: Sequence[Annotated], protocol: Protocol) -> Outcome:
    """Left and right exchanged in an annotation, from the centroids of pairs (bad input 29)."""
    outcome = Outcome()
    for member in group:
        wrong, pairs = exchanged_pairs(member, protocol)
        if pairs and wrong > pairs / 2:
            message = (
                f"left and right look exchanged: {wrong} of {pairs} left regions lie to the right "
                "of their partners."
            )
            outcome.findings.append(
                Finding(
                    Verdict.WARNING,
                    "sides-exchanged",
                    member.subject.name,
                    message,
                    "Check the labels and the orientation in the header.",
                    file=str(member.subject.labels),
                )
            )
    return outcome


def exchanged_pairs(member: Annotated, protocol: Protocol) -> tuple[int, int]:
    """How many left regions lie right of their partners (world x), and of how many pairs."""
    centroid = member.regions.centroid
    wrong = pairs = 0
    for index in member.present(protocol):
        region = protocol.region(index)
        if region.hemisphere == "L" and region.pair in centroid:
            pairs += 1
            wrong += bool(centroid[index][0] > centroid[region.pair][0])
    return wrong, pairs
