"""What a comparison does to the stage: columns, the map of differences, one region alone. No Qt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from monet_app.compare.result import Result
from monet_app.session import Session, key_of
from monet_core.evaluation import source_indices

DIFFERENCE = "difference"
RED = 2.6
"""Where the colour map "hot" is full red is 1/2.6 of its range; beyond it would whiten tissue."""


class Views:
    """Arranges the stage for a result while Compare is shown, and puts it back after."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.side_by_side = True
        self.difference = True
        self.active = True
        self._result: Result | None = None
        self._isolated: int | None = None
        self._differences: NDArray[np.int32] | None = None
        self._asked: set[str] = set()
        self._arranged = self._arranging = False
        self._before = "four"
        session.shown_changed.connect(self._arrange)
        if session.stage is not None:
            session.stage.layoutChanged.connect(self._layout_changed)

    def show(self, result: Result | None) -> None:
        """Show a result, or nothing."""
        if result is None and self.active:
            self._clear()
        elif self._isolated is not None:
            self.isolate(self._result, None)
        self._result, self._isolated, self._differences = result, None, None
        self._asked.clear()
        self._arranged = False
        self._arrange()
        if not self._arranged:
            self._show_difference()

    def set_side_by_side(self, on: bool) -> None:
        """One column per segmentation, or the usual views."""
        self.side_by_side, self._arranged = on, False
        self._arrange() if on else self._usual_layout()

    def set_difference(self, on: bool) -> None:
        """Lay the map of differences over the scan, or take it off."""
        self.difference = on
        self._show_difference()

    def set_region_differences(self, differences: NDArray[np.int32] | None) -> None:
        """Show the differences in one region (counted pairs, on the result's grid); None: all."""
        self._differences = differences
        self._show_difference()

    def isolate(self, result: Result | None, index: int | None) -> None:
        """Draw region `index` of the result's protocol alone in every segmentation; None: all."""
        stage, self._isolated = self.session.stage, index
        if stage is None or result is None:
            return
        for entry, (_, protocol) in zip(result.entries, result.segmented.values(), strict=True):
            if key_of(entry) in self.session.shown:
                indices = None if index is None else source_indices(protocol, result.target, index)
                stage.isolate(key_of(entry), indices)

    def enter(self) -> None:
        """Compare is shown (again)."""
        self.active, self._arranged = True, False
        self._arrange()
        if not self._arranged:
            self._show_difference()
        self.isolate(self._result, self._isolated)

    def leave(self) -> None:
        """Another activity is shown: the stage is as it was."""
        if self.active:
            self.active = False
            self._clear()

    # -- inside -----------------------------------------------------------------------------

    def _clear(self) -> None:
        stage = self.session.stage
        if stage is None:
            return
        stage.remove_map(DIFFERENCE)
        if self._result is not None and self._isolated is not None:
            kept = self._isolated
            self.isolate(self._result, None)
            self._isolated = kept
        self._usual_layout()

    def _usual_layout(self) -> None:
        stage = self.session.stage
        if stage is not None and stage.layout == "side-by-side":
            with self._changing_layout():
                stage.set_layout(self._before)

    @contextmanager
    def _changing_layout(self) -> Iterator[None]:
        """Views come and go without the map: it is taken off before, and drawn anew after."""
        stage = self.session.stage
        if stage is not None:
            stage.remove_map(DIFFERENCE)
        self._arranging = True
        try:
            yield
        finally:
            self._arranging = False
        self._show_difference()

    def _layout_changed(self, _: str) -> None:
        """Views that were not there before have no map yet."""
        if self._result is not None and not self._arranging:
            self._show_difference()

    def _arrange(self) -> None:
        """Columns, as soon as all compared segmentations are on the stage; after that, not again:
        whoever chooses another layout by hand keeps it."""
        stage, result = self.session.stage, self._result
        if stage is None or result is None or not self.active or self._arranged:
            return
        keys = [key_of(entry) for entry in result.entries]
        for entry, key in zip(result.entries, keys, strict=True):
            if key not in self.session.shown and key not in self._asked:
                self._asked.add(key)
                self.session.show(entry)
        if self.side_by_side and all(key in self.session.shown for key in keys):
            self._arranged = True
            if stage.layout != "side-by-side":
                self._before = stage.layout
            with self._changing_layout():
                stage.set_side_by_side(keys)

    def _show_difference(self) -> None:
        stage, result = self.session.stage, self._result
        if stage is None or not self.active:
            return
        if result is None or not self.difference:
            stage.remove_map(DIFFERENCE)
            return
        everywhere = result.comparison.disagreement
        data = everywhere if self._differences is None else self._differences
        limits = (0.0, RED * max(1, int(everywhere.max(initial=0))))
        stage.show_map(DIFFERENCE, data.astype(np.float32), result.comparison.like.geometry,
                       colormap="hot", limits=limits)  # fmt: skip
