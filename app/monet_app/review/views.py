"""What a review does to the stage: the item, a region of it, the map of uncertainty. No Qt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monet_app.background import Failed
from monet_app.review.queue import Item
from monet_app.session import Session, key_of
from monet_core.evaluation import Place, region_place
from monet_core.quality import entropy_map_of
from monet_core.scans import Geometry, read_scan

UNCERTAINTY = "uncertainty"
# Entropy in nats: even odds between two regions are 0.69; most of a border lies below 1.
LIMITS = (0.0, 1.2)
Map = tuple[NDArray[np.float32], Geometry]


class ReviewViews:
    """Shows items, alone on their scan; what the rater set (opacity, layout) stays as it is."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.uncertainty = False
        self._levels: tuple[float, float] | None = None
        self._wanted: tuple[Item, int] | None = None
        self._item: Item | None = None
        session.shown_changed.connect(self._shown)

    def show(self, item: Item, failed: Failed) -> None:
        """Open the scan of an item with the segmentation that is to be rated, and no other."""
        self._item = item
        self.session.open_scan(
            item.shown_scan, keep_cursor=True, segmentations=[item.shown_segmentation],
            failed=failed,
        )  # fmt: skip

    def is_shown(self, item: Item) -> bool:
        """Whether the segmentation of an item is on the stage."""
        current = self.session.current
        key = key_of(item.segmentation)
        return current is not None and current.id == item.scan.id and key in self.session.shown

    def go_to_region(self, item: Item, index: int) -> None:
        """Move the cross-hair into a region, or its other side where it is missing."""
        if not self.is_shown(item):
            self._wanted = item, index
            return
        self._wanted = None
        shown = self.session.shown[key_of(item.segmentation)]
        pair = shown.protocol.region(index).pair
        self.session.pick_region(shown.key, index)

        def found(place: Place | None) -> None:
            if place is not None:
                self.session.go_to(place.ras_mm)
            elif pair is not None and self.is_shown(item):
                self.session.run(region_place, shown.labels, (pair,), done=mirrored, key="region")

        def mirrored(place: Place | None) -> None:
            if place is not None:
                self.session.go_to(place.ras_mm)

        self.session.run(region_place, shown.labels, (index,), done=found, key="region")

    def uncertainty_of(self, item: Item | None) -> Path | None:
        """The map of uncertainty that was written with an item's segmentation."""
        return None if item is None else entropy_map_of(item.segmentation.path)

    def set_uncertainty(self, on: bool) -> None:
        """Lay the map of uncertainty over the scan, of this item and of those to come."""
        self.uncertainty = on
        if on:
            self._show_uncertainty()
        elif self.session.stage is not None:
            self.session.stage.remove_map(UNCERTAINTY)

    def _shown(self) -> None:
        item = self._item
        if item is None or not self.is_shown(item):
            return
        if self._wanted is not None and self._wanted[0] is item:
            self.go_to_region(*self._wanted)
        if self.uncertainty:
            self._show_uncertainty()

    def _show_uncertainty(self) -> None:
        item, stage = self._item, self.session.stage
        path = self.uncertainty_of(item)
        if item is None or stage is None or path is None:
            return

        def ready(read: Map) -> None:
            if self.is_shown(item) and self.uncertainty:
                stage.show_map(UNCERTAINTY, *read, colormap="magma", limits=LIMITS)

        self.session.run(
            read_map, path, done=ready, doing="Reading the uncertainty", key=UNCERTAINTY
        )


def read_map(path: Path) -> Map:
    """A map of numbers (X, Y, Z) and its grid; raises ScanError where it cannot be read."""
    scan = read_scan(path)
    return scan.data, scan.geometry
