"""What a review does to the stage: the item, a region of it, the map of uncertainty. No Qt."""

from __future__ import annotations

import numpy as np

from monet_app.background import Failed
from monet_app.review.queue import Item
from monet_app.segment.maps import UncertaintyMaps
from monet_app.session import Session, key_of
from monet_core.evaluation import Place, region_place
from monet_core.workspace import ScanEntry


class ReviewViews:
    """Shows items, alone on their scan; what the rater set (opacity, layout) stays as it is."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.uncertainty = False
        self._contrast: str | tuple[float, float] | None = None
        self._wanted: tuple[Item, int] | None = None
        self._item: Item | None = None
        self._opened: ScanEntry | None = None
        self._maps = UncertaintyMaps(session)  # hears of a change before this does
        session.shown_changed.connect(self._shown)

    def show(self, item: Item, failed: Failed) -> None:
        """Open the scan of an item with the segmentation that is to be rated, and no other."""
        self._item, self._contrast = item, self._contrast_now()
        self._opened = item.shown_scan
        self.session.open_scan(
            self._opened, keep_cursor=True, segmentations=[item.shown_segmentation],
            failed=failed,
        )  # fmt: skip

    def is_shown(self, item: Item) -> bool:
        """Whether the segmentation of an item is on the stage, as it was opened here."""
        return self.is_opened(item) and key_of(item.segmentation) in self.session.shown

    def is_opened(self, item: Item) -> bool:
        """Whether the scan on the stage is the item's, opened here: under its name, if blinded."""
        return item is self._item and self.session.current is self._opened

    def is_alone(self, item: Item) -> bool:
        """Whether nothing but the item is on the stage."""
        return self.is_opened(item) and [*self.session.shown] == [key_of(item.segmentation)]

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

    @property
    def has_uncertainty(self) -> bool:
        """Whether a map of uncertainty was written with the segmentation on the stage."""
        return self._item is not None and key_of(self._item.segmentation) in self._maps.available

    def set_uncertainty(self, on: bool) -> None:
        """Lay the map of uncertainty over the scan, of this item and of those to come."""
        self.uncertainty = on
        if on:
            self._show_uncertainty()
        else:
            self._maps.hide()

    def _shown(self) -> None:
        item = self._item
        if item is None or not self.is_shown(item):
            return
        self._set_contrast()
        if self._wanted is not None and self._wanted[0] is item:
            self.go_to_region(*self._wanted)
        if self.uncertainty:
            self._show_uncertainty()

    def _contrast_now(self) -> str | tuple[float, float] | None:
        """The levels as a preset's name, or as shares of the usual range: for the next scan."""
        stage = self.session.stage
        if stage is None or self.session.scan is None:
            return self._contrast
        low, high = stage.levels
        for name, levels in stage.levels_presets.items():
            if np.allclose(levels, (low, high), rtol=1e-3):
                return name
        first, last = next(iter(stage.levels_presets.values()))
        width = (last - first) or 1.0
        return (low - first) / width, (high - first) / width

    def _set_contrast(self) -> None:
        """Scans differ in intensities, so what stays the same is the part of their range."""
        stage, contrast = self.session.stage, self._contrast
        self._contrast = None
        if stage is None or contrast is None:
            return
        if isinstance(contrast, str):
            levels = stage.levels_presets.get(contrast)
        else:
            first, last = next(iter(stage.levels_presets.values()))
            levels = (first + contrast[0] * (last - first), first + contrast[1] * (last - first))
        if levels is not None:
            stage.set_levels(*levels)

    def _show_uncertainty(self) -> None:
        if self._item is not None and self.is_shown(self._item):
            self._maps.show(key_of(self._item.segmentation))
