"""Which segmentations a review goes through, and in which order. No Qt."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from monet_app.origins import Origin, by_origin
from monet_core.workspace import Rating, ScanEntry, SegmentationEntry, Study

Order = Literal["outliers", "random", "study"]
ORDERS: dict[Order, str] = {
    "outliers": "Most unusual first",
    "random": "At random",
    "study": "As in the study",
}


@dataclass(frozen=True)
class Choice:
    """What to review: segmentations of one origin, in an order; `seed` makes "random" repeatable.

    `unrated_only` leaves out what `rater` rated before; `blinded` hides the names of scans and of
    who or what made the segmentations.
    """

    origin: Origin
    order: Order = "outliers"
    unrated_only: bool = True
    blinded: bool = False
    rater: str = ""
    seed: int = 0


@dataclass(frozen=True)
class Item:
    """One segmentation to rate. `name` is what is shown, `reason` why it comes early."""

    scan: ScanEntry
    segmentation: SegmentationEntry
    name: str
    reason: str = ""
    blinded: bool = False

    @property
    def shown_scan(self) -> ScanEntry:
        """The scan as the rater may see it."""
        return replace(self.scan, name=self.name)

    @property
    def shown_segmentation(self) -> SegmentationEntry:
        """The segmentation as the rater may see it."""
        if not self.blinded:
            return self.segmentation
        return replace(self.segmentation, name="Segmentation", model="")


def origins(study: Study) -> dict[Origin, int]:
    """What may be reviewed: every origin with its number of scans, the most frequent first."""
    found = {origin: len(of) for origin, of in by_origin(study.all_segmentations()).items()}
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def latest_ratings(ratings: Iterable[Rating], rater: str | None = None) -> dict[int, Rating]:
    """The last rating (of one rater, or of anyone: None) by segmentation's id."""
    return {
        rating.segmentation_id: rating
        for rating in ratings
        if rating.segmentation_id is not None and rater in (None, rating.rater)
    }


def queue_of(
    study: Study, choice: Choice, ranking: Sequence[tuple[int, str]] | None = None
) -> list[Item]:
    """The items of a review; `ranking` gives (segmentation id, reason), the first to look at first.

    What the ranking does not know comes last.
    """
    entries = by_origin(study.all_segmentations()).get(choice.origin, {})
    rated = latest_ratings(study.ratings(), choice.rater) if choice.unrated_only else {}
    pairs = [
        (scan, entries[scan.id])
        for scan in study.scans()
        if scan.id in entries and entries[scan.id].id not in rated
    ]
    reasons: Mapping[int, str] = {}
    if choice.order == "random":
        random.Random(choice.seed).shuffle(pairs)
    elif choice.order == "outliers" and ranking is not None:
        reasons = dict(ranking)
        place = {segmentation: number for number, (segmentation, _) in enumerate(ranking)}
        pairs.sort(key=lambda pair: place.get(pair[1].id, len(place)))
    return [
        Item(scan, entry, f"Scan {number}" if choice.blinded else scan.name,
             reasons.get(entry.id, ""), choice.blinded)
        for number, (scan, entry) in enumerate(pairs, start=1)
    ]  # fmt: skip
