"""What one check over all usable subjects comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from monet_core.datasets.findings import Finding
from monet_core.protocols import Protocol


@dataclass(frozen=True, eq=False)
class Outcome:
    """Findings; names of subjects to leave out; indices that count as not annotated, by name."""

    findings: list[Finding] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    excluded: dict[str, set[int]] = field(default_factory=dict)

    def add(self, other: Outcome) -> None:
        """Take over what another check found."""
        self.findings.extend(other.findings)
        self.left_out.update(other.left_out)
        for name, regions in other.excluded.items():
            self.excluded.setdefault(name, set()).update(regions)


def named(protocol: Protocol, indices: Sequence[int], most: int = 6) -> str:
    """Regions for a message: "10 Left-Thalamus, 11 Left-Caudate and 3 more"."""
    shown = ", ".join(f"{index} {protocol.region(index).name}" for index in indices[:most])
    rest = len(indices) - most
    return f"{shown} and {rest} more" if rest > 0 else shown
