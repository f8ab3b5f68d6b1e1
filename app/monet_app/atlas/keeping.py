"""`Keeping`: what is painted is kept safe on the disk, and found again after a crash. No Qt."""

from __future__ import annotations

from collections.abc import Callable

from psygnal import Signal

from monet_app.atlas import recovery
from monet_app.atlas.recovery import Recovery
from monet_app.atlas.versions import drop_version
from monet_app.session import Session
from monet_app.shown import Shown, key_of
from monet_core.errors import MonetError


class Keeping:
    """The recovery files of the open study; `found` are those of an earlier time."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        self.session = session
        self.found: list[Recovery] = []
        self._wanted: set[int] = set()

    def look(self, but: int | None = None) -> None:
        """List what was painted and never saved, without the segmentation `but`."""
        study = self.session.study
        kept = recovery.found(study) if study is not None else []
        self.found = [each for each in kept if each.segmentation_id != but]
        self.changed.emit()

    def title(self, kept: Recovery) -> str:
        """What it is of, as users know it: scan and segmentation."""
        study = self.session.study
        if study is None:
            return ""
        entry = study.segmentation(kept.segmentation_id)
        return f"{study.scan(entry.scan_id).name}: {entry.name}"

    def keep(self, shown: Shown, done: Callable[[], None]) -> None:
        """Write the edits of a segmentation on the stage, in the background."""
        study, stage = self.session.study, self.session.stage
        if study is None or stage is None:
            return
        self._wanted.add(shown.entry.id)

        def kept(_: Recovery) -> None:
            if shown.entry.id not in self._wanted:  # saved or thrown away while it was written
                recovery.drop(study, shown.entry.id)
            done()

        self.session.run(
            recovery.keep, study, shown.entry, stage.edited_labels(shown.key), shown.labels,
            done=kept, doing="Keeping the painting safe", key="recovery",
        )  # fmt: skip

    def keep_now(self, shown: Shown) -> None:
        """Write them before this returns."""
        study, stage = self.session.study, self.session.stage
        if study is None or stage is None:
            return
        try:
            recovery.keep(study, shown.entry, stage.edited_labels(shown.key), shown.labels)
        except (MonetError, KeyError) as error:
            self.session.tell(error, "Keeping the painting safe")

    def drop(self, segmentation_id: int) -> None:
        """It was saved, or is not wanted."""
        self._wanted.discard(segmentation_id)
        if self.session.study is not None:
            recovery.drop(self.session.study, segmentation_id)

    def forget(self, kept: Recovery) -> None:
        """The user does not want it; a copy that was never saved goes with it."""
        study = self.session.study
        if study is None:
            return
        entry = study.segmentation(kept.segmentation_id)
        self.drop(entry.id)
        if entry.source == "preview":
            self.session.hide(key_of(entry))
            drop_version(study, entry)
        self.look()
