"""Correcting a segmentation by hand: a copy is painted in, kept safe, and saved. No Qt."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from psygnal import Signal

from monet_app.atlas import recovery
from monet_app.atlas.brush import LARGEST_MM, SMALLEST_MM, Brush
from monet_app.atlas.keeping import Keeping
from monet_app.atlas.recovery import Recovery
from monet_app.atlas.versions import begin_version, drop_version, save_version
from monet_app.session import Session
from monet_app.shown import Shown, key_of
from monet_app.stage.protocol import Plane, Tool
from monet_core.protocols import Region
from monet_core.scans import LabelMap
from monet_core.workspace import SegmentationEntry

Ask = Callable[[str, Callable[[str], None]], None]
"""(name, answer): asks what becomes of unsaved painting: save, keep, discard or stay."""


class CorrectModel:
    """Which segmentation is painted in, with what, and what is not saved yet.

    `key` is the stage's key of the copy that is painted in, None where nothing is corrected.
    `dirty` says that something is not saved, `kept_at` when it was last kept safe (time.time()),
    `fresh` that the copy was never saved.
    """

    changed = Signal()
    saved = Signal(object)

    def __init__(self, session: Session) -> None:
        self.session = session
        self.key: str | None = None
        self.brush = Brush()
        self.dirty = False
        self.busy = ""
        self.kept_at: float | None = None
        self.keeping = Keeping(session)
        self.ask: Ask | None = None
        self.active = True
        self._edits = self._kept_edits = 0
        self.fresh = False
        self._restoring: Recovery | None = None
        self._waiting: Callable[[], None] | None = None
        session.leaving.add(self)
        session.region_picked.connect(self._region_picked)
        session.shown_changed.connect(self._shown_changed)
        session.study_changed.connect(lambda _: self._look())
        if session.stage is not None:
            session.stage.edited.connect(self._edited)
            session.stage.picked.connect(self._picked)
        self._look()

    # -- what can be corrected --------------------------------------------------------------

    @property
    def choices(self) -> list[Shown]:
        """What is on the stage and may be corrected."""
        return [shown for shown in self.session.shown.values() if shown.key != self.key]

    @property
    def shown(self) -> Shown | None:
        """What is painted in."""
        return self.session.shown.get(self.key) if self.key is not None else None

    @property
    def region(self) -> Region | None:
        """The region that is painted."""
        shown = self.shown
        known = shown is not None and self.brush.region in shown.protocol.indices
        return shown.protocol.region(self.brush.region) if shown is not None and known else None

    def begin(self, key: str, copy: bool = True) -> None:
        """Paint in a copy of a segmentation on the stage; in itself where it was corrected before.

        The segmentation that is copied stays as it is, switched off.
        """
        study, scan, parent = self.session.study, self.session.current, self.session.shown.get(key)
        if study is None or scan is None or parent is None:
            return
        if not copy and parent.entry.source == "edited":
            self._start(parent, fresh=False)
            return
        self._say("Making a copy…")

        def made(entry: SegmentationEntry) -> None:
            self._say("")
            if key in self.session.shown:
                self.session.set_visible(key, False)
            self.session.show(entry, lambda shown: self._start(shown, fresh=True))

        self.session.run(
            begin_version, study, scan, parent, done=made, failed=self._failed("Making a copy"),
        )  # fmt: skip

    # -- the tool in the hand ---------------------------------------------------------------

    def take(self, tool: Tool | None) -> None:
        """Another tool; None puts it down."""
        self._hold(tool=tool)

    def choose_region(self, index: int) -> None:
        """The region to paint."""
        shown = self.shown
        if shown is not None and index in shown.protocol.indices:
            self._hold(region=index)

    def region_under_cursor(self) -> bool:
        """Take the region at the cross-hair; False where there is background."""
        stage = self.session.stage
        if stage is None or self.key is None:
            return False
        index = stage.probe(stage.cursor).regions.get(self.key, 0)
        self.choose_region(index)
        return index != 0

    def set_size(self, size_mm: float) -> None:
        """Diameter of the brush in mm."""
        self._hold(size_mm=min(max(size_mm, SMALLEST_MM), LARGEST_MM))

    def set_three_d(self, three_d: bool) -> None:
        """Paint a ball, or on the slice only."""
        self._hold(three_d=three_d)

    def undo(self) -> None:
        """Take the last stroke back."""
        if self.session.stage is not None and self.key is not None:
            self.session.stage.undo()

    def redo(self) -> None:
        """Do it again."""
        if self.session.stage is not None and self.key is not None:
            self.session.stage.redo()

    def interpolate(self, plane: Plane) -> None:
        """Fill the region between its painted slices, and say how much that was."""
        stage, region = self.session.stage, self.region
        if stage is None or self.key is None or region is None:
            return
        added = stage.interpolate(self.key, region.index, plane)
        text = f"{region.name}: {added} voxels filled between {plane} slices."
        nothing = f"{region.name}: there is no gap between {plane} slices that hold it."
        self.session.notify("info", text if added else nothing)

    def set_active(self, active: bool) -> None:
        """The panel is shown, or another one: then the mouse is no brush."""
        self.active = active
        self._hold()

    # -- keeping, saving, leaving -----------------------------------------------------------

    def autosave(self) -> None:
        """Keep what was painted since the last time; called each minute and on losing focus."""
        shown, edits = self.shown, self._edits
        if shown is not None and self.dirty and edits != self._kept_edits:
            self.keeping.keep(shown, lambda: self._kept(edits))

    def save(self, then: Callable[[], None] | None = None) -> None:
        """Write the corrected version in the background; `then` goes on where that worked."""
        study, shown, stage = self.session.study, self.shown, self.session.stage
        if study is None or shown is None or stage is None or self.busy:
            return
        edits, labels = self._edits, stage.edited_labels(shown.key)
        self._say("Saving…")

        def done(entry: SegmentationEntry) -> None:
            self._say("")
            self._was_saved(entry, LabelMap(labels, shown.labels.geometry, shown.labels.forms))
            if self._edits == edits:
                self.dirty = False
                self.keeping.drop(entry.id)
            self.changed.emit()
            self.saved.emit(entry)
            waiting, self._waiting = self._waiting, None
            for go_on in (then, waiting):
                if go_on:
                    go_on()

        self.session.run(
            save_version, study, shown.entry, labels, shown.labels, self.session.scan,
            shown.protocol, done=done, failed=self._failed("Saving"),
        )  # fmt: skip

    def finish(self) -> None:
        """Put the tools away; asks first where something is not saved."""
        if self.may_leave(self.finish):
            self._put_down()

    def may_leave(self, go_on: Callable[[], None]) -> bool:
        """See `Guard`: whether nothing would be lost; else the user is asked."""
        shown = self.shown
        if shown is None:
            return True
        if self.busy:
            self._waiting = go_on
            return False
        if not self.dirty:
            self._drop_if_fresh()
            self._put_down()
            return True
        self.keeping.keep(shown, self._look)
        if self.ask is None:
            self._put_down()
            return True
        self._rest()
        self.ask(shown.entry.name, lambda answer: self._answered(answer, go_on))
        return False

    def holds(self, key: str) -> bool:
        """See `Guard`."""
        return self.dirty and key == self.key

    def end(self) -> None:
        """See `Guard`: the program ends; what was painted is found again next time."""
        shown = self.shown
        if self.dirty and shown is not None:
            self.keeping.keep_now(shown)
        else:
            self._drop_if_fresh()

    def discard(self) -> None:
        """Throw away what was not saved."""
        study, shown = self.session.study, self.shown
        if study is None or shown is None:
            return
        self.dirty = False
        self.keeping.drop(shown.entry.id)
        if self.fresh:
            self._drop_if_fresh()
            self._put_down()
        else:
            self._put_down()
            self.session.show(shown.entry)

    # -- after a crash ----------------------------------------------------------------------

    def restore(self, kept: Recovery) -> None:
        """Go on painting where it ended: opens the scan, shows what was painted."""
        study = self.session.study
        if study is None or not self.session.leaving.may(lambda: self.restore(kept)):
            return
        entry = study.segmentation(kept.segmentation_id)
        self._restoring = kept
        if self.session.current is None or self.session.current.id != entry.scan_id:
            self.session.open_scan(study.scan(entry.scan_id), failed=self._not_restored)
        else:
            self._shown_changed()

    # -- inside -----------------------------------------------------------------------------

    def _start(self, shown: Shown, fresh: bool, dirty: bool = False) -> None:
        self.key, self.fresh, self.dirty = shown.key, fresh, dirty
        self._edits, self._kept_edits, self.kept_at = int(dirty), int(dirty), None
        if not self.region_under_cursor() and self.region is None:
            self.brush = replace(self.brush, region=shown.protocol.indices[0])
        self.take(self.brush.tool or "paint")

    def _hold(self, **changes: Any) -> None:
        self.brush = replace(self.brush, **changes)
        stage, brush = self.session.stage, self.brush
        if stage is not None:
            tool = brush.tool if self.active and self.key is not None else None
            stage.edit(self.key, brush.region, tool, brush.size_mm, brush.three_d)
        self.changed.emit()

    def _look(self) -> None:
        self.keeping.look(but=self.shown.entry.id if self.shown is not None else None)

    def _rest(self) -> None:
        if self.session.stage is not None:
            self.session.stage.edit(None)

    def _put_down(self) -> None:
        self._rest()
        self.key, self.dirty, self.fresh, self.kept_at = None, False, False, None
        self._look()
        self.changed.emit()

    def _edited(self, key: str) -> None:
        if key == self.key:
            self._edits += 1
            self.dirty = True
            self.changed.emit()

    def _picked(self, key: str, index: int) -> None:
        if key == self.key and index:
            self.choose_region(index)
            self.take("paint")

    def _region_picked(self, key: str, index: int) -> None:
        """In Regions, of this segmentation or of another with the same atlas."""
        mine, other = self.shown, self.session.shown.get(key)
        atlases = {each.protocol.fingerprint for each in (mine, other) if each is not None}
        if mine is not None and other is not None and len(atlases) == 1:
            self.choose_region(index)

    def _shown_changed(self) -> None:
        kept, study, current = self._restoring, self.session.study, self.session.current
        if kept is not None and study is not None and current is not None:
            entry = study.segmentation(kept.segmentation_id)
            if entry.scan_id == current.id:
                self._restoring = None
                self.session.show(entry, lambda shown: self._restore(kept, shown))
        if self.key is not None and self.key not in self.session.shown:
            self._put_down()  # it was taken off the stage, with its edits
        self.changed.emit()

    def _restore(self, kept: Recovery, shown: Shown) -> None:
        decisions = self.session.current.decisions if self.session.current else None
        if decisions is None:
            return

        def ready(labels: LabelMap) -> None:
            if shown.key in self.session.shown:
                self.session.replace(shown.key, labels)
                fresh = shown.entry.source == "preview"
                self._start(self.session.shown[shown.key], fresh=fresh, dirty=True)
                self._look()

        self.session.run(
            recovery.restored, kept, shown.labels, decisions,
            done=ready, doing="Restoring what was painted",
        )  # fmt: skip

    def _not_restored(self, _: Exception) -> None:
        self._restoring = None

    def _answered(self, answer: str, go_on: Callable[[], None]) -> None:
        if answer == "save":
            self.save(then=lambda: self._leave(go_on))
        elif answer == "keep":
            self._leave(go_on)
        elif answer == "discard":
            self.discard()
            go_on()
        else:
            self._hold()

    def _leave(self, go_on: Callable[[], None]) -> None:
        self._put_down()
        go_on()

    def _kept(self, edits: int) -> None:
        self._kept_edits, self.kept_at = edits, time.time()
        self.changed.emit()

    def _was_saved(self, entry: SegmentationEntry, labels: LabelMap) -> None:
        self.fresh = False
        before = self.session.shown.get(key_of(entry))
        if before is not None:
            labels = replace(labels, path=entry.path)
            self.session.shown[before.key] = Shown(entry, labels, before.protocol, before.visible)
        self.session.segmentations_changed.emit()
        self.session.notify("info", f"Saved as {entry.name}: {entry.path.name}.")

    def _drop_if_fresh(self) -> None:
        """A copy in which nothing was painted is no version."""
        study, shown = self.session.study, self.shown
        if self.fresh and study is not None and shown is not None:
            self.fresh, key = False, self.key
            self.key = None
            self.session.hide(str(key))
            drop_version(study, shown.entry)

    def _say(self, busy: str) -> None:
        self.busy = busy
        self.changed.emit()

    def _failed(self, doing: str) -> Callable[[Exception], None]:
        def failed(error: Exception) -> None:
            self._waiting = None
            self._say("")
            self.session.tell(error, doing)

        return failed
