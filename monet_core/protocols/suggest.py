"""Suggesting which region of one protocol is which of another, for a lab's own atlas."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from monet_core.errors import ProtocolError
from monet_core.protocols.finding import find_mapping
from monet_core.protocols.mapping import ProtocolMapping
from monet_core.protocols.name_likeness import name_likeness
from monet_core.protocols.overlap import Pair, overlap_shares
from monet_core.protocols.protocol import Protocol

By = Literal["name", "overlap", "both", "link"]

LIKELY = 0.6
"""Suggestions of this confidence or more are worth accepting at once."""
_NAME = 0.6  # names that are less alike suggest nothing
_OVERLAP = 0.5  # nor does a region most of which lies elsewhere
_UNKNOWN_SIDE = 0.8  # as much of a region without a side must lie in one that has a side
_TOUCHES = 0.05
_SHOWN, _N_SHOWN = 0.2, 5
_NOT_EXACT = 0.8
_CLEAR_BY = 0.1


@dataclass(frozen=True)
class Suggestion:
    """What a source region may be in the target protocol; `target` None: nothing fits.

    `confidence` is 0 to 1, `by` what it rests on: the protocols' own links (or a mapping of the
    user's), the names, the overlap in label maps, or both of these. `alternatives` are other
    targets with their likeness, best first.
    """

    source: int
    target: int | None
    by: By
    confidence: float
    alternatives: tuple[tuple[int, float], ...] = ()

    @property
    def likely(self) -> bool:
        """Whether there is a target, and hardly a doubt about it."""
        return self.target is not None and self.confidence >= LIKELY


def suggest_mapping(
    source: Protocol, target: Protocol, pairs: Iterable[Pair] = ()
) -> list[Suggestion]:
    """One suggestion per source region, in the order of `source.regions`; never across sides.

    `pairs` are label maps of the same scan in either protocol, on one grid. Raises
    ProtocolError where two of a pair differ in shape, or a mapping of the user's is damaged.
    """
    names = name_likeness(source, target)
    shares = overlap_shares(source, target, pairs)
    linked = _links(source, target)
    rows = zip(source.regions, names, shares, strict=True)
    return [
        _suggest(region.index, target, named, _usable(region.hemisphere, target, share), linked)
        for region, named, share in rows
    ]


def mapping_from(
    source: Protocol,
    target: Protocol,
    suggestions: Iterable[Suggestion],
    accepted: Collection[int] | None = None,
    chosen: Mapping[int, int | None] | None = None,
) -> ProtocolMapping:
    """The mapping of the suggestions whose source is `accepted` (None: of the likely ones).

    `chosen` holds what the user decided otherwise: source -> target, None for background.
    Raises ProtocolError where an index is in neither protocol, or sides are exchanged.
    """
    table = {
        each.source: each.target
        for each in suggestions
        if (each.likely if accepted is None else each.source in accepted)
    }
    table |= dict(chosen or {})
    stated = {index: mapped for index, mapped in sorted(table.items()) if mapped is not None}
    return ProtocolMapping(source, target, stated)


def _links(source: Protocol, target: Protocol) -> dict[int, tuple[int, float]]:
    """Target and confidence of the source regions that the tables link."""
    try:
        mapping = find_mapping(source, target)
    except ProtocolError as error:
        if error.code == "no-mapping":
            return {}
        raise
    said = source.relations.get(target.name, {}), target.relations.get(source.name, {})
    words = {i: said[0].get(i) or said[1].get(t, "") for i, t in mapping.table.items()}
    exact = {i for i, text in words.items() if text in ("", "same")}
    return {i: (t, 1.0 if i in exact else _NOT_EXACT) for i, t in mapping.table.items()}


def _usable(hemisphere: str, target: Protocol, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """What overlap says of a region without a side counts for a side only where it is clear."""
    if hemisphere != "M":
        return shares
    sided = np.array([region.hemisphere != "M" for region in target.regions])
    return np.where(sided & (shares < _UNKNOWN_SIDE), 0.0, shares)


def _suggest(
    index: int,
    target: Protocol,
    names: NDArray[np.float64],
    shares: NDArray[np.float64],
    linked: Mapping[int, tuple[int, float]],
) -> Suggestion:
    seen = bool(np.isfinite(shares).all())
    overlap = shares if seen else np.zeros_like(names)
    named = np.where(overlap >= _TOUCHES, names, 0.5 * names) if seen else names
    combined = 1 - (1 - named) * (1 - overlap)
    order = np.argsort(-combined, kind="stable")
    best = int(order[0])
    fits = named[best] >= _NAME or overlap[best] >= _OVERLAP
    chosen = target.indices[best] if fits else None
    by: By = _reason(float(named[best]), float(overlap[best]))
    confidence = _confidence(combined[order]) if fits else 0.0
    if index in linked:
        (chosen, confidence), by = linked[index], "link"
    others = [
        (target.indices[k], round(float(combined[k]), 3))
        for k in order[: _N_SHOWN + 1].tolist()
        if combined[k] >= _SHOWN and target.indices[k] != chosen
    ]
    return Suggestion(index, chosen, by, round(confidence, 3), tuple(others[:_N_SHOWN]))


def _reason(named: float, overlap: float) -> By:
    if named >= _NAME and overlap >= _TOUCHES:
        return "both"
    return "overlap" if overlap > named else "name"


def _confidence(ranked: NDArray[np.float64]) -> float:
    """The best likeness, up to halved where the second is as good."""
    best, second = float(ranked[0]), float(ranked[1]) if len(ranked) > 1 else 0.0
    return best * (0.5 + 0.5 * min(1.0, (best - second) / _CLEAR_BY))
