"""What the Compare panel does: choose segmentations of the current scan, compare, look. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from psygnal import Signal

from monet_app.compare.result import Look, Result, first_result, look_at, with_distances
from monet_app.compare.views import Views
from monet_app.origins import Origin, origin_of, shown_names
from monet_app.session import Session
from monet_core.datasets.names import stem_of
from monet_core.errors import MonetError
from monet_core.evaluation import Common, Place, common_protocols
from monet_core.protocols import Protocol, load_protocol
from monet_core.scans import LabelMap
from monet_core.workspace import ScanEntry, SegmentationEntry

FEWEST, MOST = 2, 4


class CompareModel:
    """Which segmentations are compared and how, and what came of it.

    `chosen` are ids of segmentations in the order in which they were chosen; `proposals` the
    protocols that all of them map to, the best first. `busy` says what goes on.
    """

    choices_changed = Signal()
    result_changed = Signal()
    place_changed = Signal()

    def __init__(self, session: Session) -> None:
        self.session = session
        self.views = Views(session)
        self.entries: list[SegmentationEntry] = []
        self.protocols: dict[int, Protocol] = {}
        self.names: dict[int, str] = {}
        self.chosen: tuple[int, ...] = ()
        self.proposals: list[Common] = []
        self.common: Common | None = None
        self.reference: int | None = None
        self.result: Result | None = None
        self.busy = ""
        self.error: Exception | None = None
        self.place: Place | None = None
        self.looking_at: int | None = None
        self.searching = False
        self._origins: tuple[Origin, ...] = ()
        self._atlases: set[str] = set()
        self._round = 0
        self._start_next = False
        session.current_changed.connect(self._scan_changed)
        session.segmentations_changed.connect(self.refresh)
        self.refresh()

    # -- choosing ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Look again which segmentations the current scan has; the choice is kept."""
        study, current = self.session.study, self.session.current
        found = study.segmentations(current.id) if study and current else []
        self.entries = [each for each in found if each.source != "preview"]
        self.names = shown_names(self.entries)
        self.protocols = {}
        for entry in self.entries:
            protocol = _protocol(entry)
            if protocol is not None:
                self.protocols[entry.id] = protocol
        kept = tuple(each for each in self.chosen if each in self.protocols)
        if len(kept) < FEWEST:
            kept = self._proposed_choice()
        self._set_chosen(kept)

    @property
    def chosen_entries(self) -> list[SegmentationEntry]:
        """The chosen segmentations, in the order of choosing."""
        by_id = {each.id: each for each in self.entries}
        return [by_id[each] for each in self.chosen]

    @property
    def ready(self) -> bool:
        """Whether a comparison can start."""
        return len(self.chosen) >= FEWEST and self.common is not None

    def choose(self, segmentation_id: int, chosen: bool = True) -> None:
        """Take a segmentation in or out; at most four at once."""
        others = tuple(each for each in self.chosen if each != segmentation_id)
        if chosen and len(others) >= MOST:
            self.session.notify("warning", f"At most {MOST} segmentations are compared at once.")
            self.choices_changed.emit()
        elif segmentation_id in self.protocols:
            self._set_chosen((*others, segmentation_id) if chosen else others)

    def set_target(self, name: str) -> None:
        """Compare in another of the proposed protocols."""
        self.common = next((c for c in self.proposals if c.protocol.name == name), self.common)
        self.choices_changed.emit()

    def set_reference(self, segmentation_id: int | None) -> None:
        """Compare each with this one only; None: each with each."""
        self.reference = segmentation_id if segmentation_id in self.chosen else None
        self.choices_changed.emit()

    def set_protocol(self, segmentation_id: int, protocol: str) -> None:
        """Say which atlas a segmentation is of."""
        if self.session.study is not None:
            self.session.study.set_protocol(segmentation_id, protocol)
            self.session.segmentations_changed.emit()

    def add_file(self, path: Path, protocol: str) -> None:
        """Add a label file of the current scan, made by any tool, and choose it."""
        study, current = self.session.study, self.session.current
        if study is None or current is None:
            return

        def added(entry: SegmentationEntry) -> None:
            self.session.segmentations_changed.emit()
            self.choose(entry.id)

        self.session.run(
            study.add_segmentation, current.id, Path(path), protocol, "import", stem_of(path),
            done=added, doing="Adding a label file",
        )  # fmt: skip

    # -- comparing --------------------------------------------------------------------------

    def start(self) -> None:
        """Compare in the background: Dice at once, then the distances."""
        current = self.session.current
        if not self.ready or current is None or self.common is None:
            return
        self._round += 1
        if self.looking_at is not None:
            self.all_regions()
        entries = {self.names[each.id]: each for each in self.chosen_entries}
        reference = None if self.reference is None else self.names[self.reference]
        self._say("Comparing…")
        done, failed = self._this_round(self._compared), self._this_round(self._failed)
        self.session.run(
            first_result, entries, current.decisions, self.common.protocol, reference,
            self._known(), done=done, failed=failed,
        )  # fmt: skip

    def start_in(self, entry: ScanEntry) -> None:
        """Open another scan and compare the same kinds of segmentations there."""
        self._start_next = True
        self.session.open_scan(entry)

    def cancel(self) -> None:
        """Do not wait any longer; what was found so far stays."""
        self._round += 1
        self._say("")

    def look_at(self, row: int) -> None:
        """Fly to where the region of a row of the table differs most, and show it alone."""
        if self.result is None:
            return
        result, (a, b, index) = self.result, self._row(row)
        self.looking_at, self.place, self.searching = index, None, True
        self.place_changed.emit()
        self.views.isolate(result, index)
        self.session.run(
            look_at, result, a, b, index,
            done=self._found, doing="Looking for the place", key="worst-place",
        )  # fmt: skip

    def all_regions(self) -> None:
        """End the isolation of a region."""
        self.looking_at = None
        self.views.isolate(self.result, None)
        self.views.set_region_differences(None)
        self.place_changed.emit()

    # -- inside -----------------------------------------------------------------------------

    def _row(self, row: int) -> tuple[str, str, int]:
        assert self.result is not None
        found = self.result.table.iloc[row]
        return str(found["a"]), str(found["b"]), int(found["index"])

    def _proposed_choice(self) -> tuple[int, ...]:
        """What was compared in the last scan; else one made by hand, and the newest other; of
        one atlas where there are two."""
        known = [each for each in self.entries if each.id in self.protocols]
        newest = {origin_of(each): each.id for each in known}
        again = tuple(newest[origin] for origin in self._origins if origin in newest)
        if len(again) >= FEWEST or len(known) < FEWEST:
            return again or tuple(each.id for each in known)
        manual = next((each for each in known if each.source == "manual"), None)
        one = manual or known[-1]
        others = [each for each in known if each is not one]
        others = [each for each in others if self._one_atlas(each, one)] or others
        return (one.id, others[-1].id) if manual else (others[0].id, one.id)

    def _one_atlas(self, one: SegmentationEntry, other: SegmentationEntry) -> bool:
        return self.protocols[one.id].fingerprint == self.protocols[other.id].fingerprint

    def _set_chosen(self, chosen: tuple[int, ...]) -> None:
        self.chosen = chosen
        if self.reference not in chosen:
            self.reference = None
        if len(chosen) >= FEWEST:
            self._origins = tuple(origin_of(each) for each in self.chosen_entries)
        self._propose([self.protocols[each] for each in chosen])
        self.choices_changed.emit()

    def _propose(self, protocols: list[Protocol]) -> None:
        """Which protocols can be compared in; one that was set stays for the same atlases."""
        atlases = {each.name for each in protocols}
        before = self.common.protocol.name if self.common and atlases == self._atlases else None
        self.proposals = common_protocols(protocols) if len(protocols) >= FEWEST else []
        kept = [each for each in self.proposals if each.protocol.name == before]
        self.common = next(iter([*kept, *self.proposals]), None)
        self._atlases = atlases

    def _known(self) -> dict[int, LabelMap]:
        """Label maps that the stage has already; what is being edited is read from its file."""
        return {each.entry.id: each.labels for each in self.session.shown.values()}

    def _this_round(self, then: Callable[[Any], None]) -> Callable[[Any], None]:
        """`then`, unless another comparison was started or it was cancelled meanwhile."""
        now = self._round
        return lambda answer: then(answer) if now == self._round else None

    def _compared(self, result: Result) -> None:
        self.error, self.result = None, result
        self._say("Measuring distances…")
        self.views.show(result)
        self.session.run(
            with_distances, result,
            done=self._this_round(self._measured), failed=self._this_round(self._failed),
        )  # fmt: skip

    def _measured(self, result: Result) -> None:
        self.result = result
        self._say("")

    def _failed(self, error: Exception) -> None:
        self.error = error
        self._say("")

    def _say(self, busy: str) -> None:
        self.busy = busy
        if busy.startswith("Comparing"):
            self.error = None
        self.result_changed.emit()

    def _found(self, look: Look) -> None:
        self.place, self.searching = look.place, False
        place = look.place or look.region
        if self.looking_at is not None:
            self.views.set_region_differences(look.differences)
            if place is not None:
                self.session.go_to(place.ras_mm)
        self.place_changed.emit()

    def _scan_changed(self, _: object) -> None:
        self._round += 1
        self.result, self.error, self.busy = None, None, ""
        self.place, self.looking_at, self.chosen = None, None, ()
        self.views.show(None)
        self.refresh()
        self.result_changed.emit()
        if self._start_next:
            self._start_next = False
            self.start()


def _protocol(entry: SegmentationEntry) -> Protocol | None:
    """The atlas of a segmentation; None where it is not known or cannot be read."""
    try:
        return load_protocol(entry.protocol) if entry.protocol else None
    except (MonetError, OSError):
        return None
