"""Which protocol segmentations of different atlases can be compared in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monet_core.errors import ProtocolError
from monet_core.protocols import Protocol, find_mapping, load_protocol, shipped_protocols

# A protocol of which less can be filled is proposed only where there is nothing better.
WELL_COVERED = 0.8


@dataclass(frozen=True)
class Common:
    """A protocol to compare in, and those of its regions that every segmentation can have."""

    protocol: Protocol
    regions: tuple[int, ...]

    @property
    def share(self) -> float:
        """How much of the protocol can be compared, 0 to 1."""
        return len(self.regions) / len(self.protocol.indices)


def common_protocols(protocols: Sequence[Protocol]) -> list[Common]:
    """The protocols that all of `protocols` map to, the one to propose first.

    Where all are the same it is that one; else the coarsest, which is the one with the fewest
    regions of those that are well covered. Empty where nothing is common.
    """
    candidates = {each.fingerprint: each for each in protocols}
    own = next(iter(candidates)) if len(candidates) == 1 else ""
    for name in shipped_protocols():
        shipped = load_protocol(name)
        candidates.setdefault(shipped.fingerprint, shipped)
    found = [
        Common(target, regions)
        for target in candidates.values()
        if (regions := _common_regions(protocols, target))
    ]
    return sorted(found, key=lambda each: _rank(each, own))


def _rank(common: Common, own: str) -> tuple[bool, bool, int, int]:
    return (
        common.protocol.fingerprint != own,
        common.share < WELL_COVERED,
        len(common.protocol.indices),
        -len(common.regions),
    )


def _common_regions(protocols: Sequence[Protocol], target: Protocol) -> tuple[int, ...]:
    covered: set[int] = set(target.indices)
    for protocol in protocols:
        try:
            covered &= set(find_mapping(protocol, target).covered)
        except ProtocolError:
            return ()
    return tuple(sorted(covered))
