"""The atlases of a study: those that ship, and the lab's own, which can be edited. No Qt."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from psygnal import Signal

from monet_app.atlases import atlas_names, atlas_title
from monet_app.session import Session
from monet_core.errors import MonetError, Note
from monet_core.protocols import (
    Protocol,
    import_protocol,
    load_protocol,
    save_protocol,
    shipped_protocols,
)
from monet_core.protocols.shipped import is_shipped
from monet_core.scans import Decisions
from monet_core.workspace import SegmentationEntry

Change = Callable[[Protocol], Protocol]
_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")


@dataclass(frozen=True)
class AtlasEntry:
    """An atlas in the list; `key` is as in `SegmentationEntry.protocol`, `problem` in words."""

    key: str
    title: str
    own: bool
    problem: str = ""


class LibraryModel:
    """Which atlases there are, which is looked at, and what was changed in it.

    `atlas` is the chosen one with changes that are not saved yet; `error` why the last change
    was refused; `notes` what was mended while importing.
    """

    entries_changed = Signal()
    atlas_changed = Signal()

    def __init__(self, session: Session) -> None:
        self.session = session
        self.entries: list[AtlasEntry] = []
        self.chosen = ""
        self.atlas: Protocol | None = None
        self.error = ""
        self.notes: tuple[Note, ...] = ()
        self._history: list[Protocol] = []
        self._undone: list[Protocol] = []
        session.study_changed.connect(lambda _: self.refresh())
        self.refresh()

    # -- the list ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Look again which atlases there are; the chosen one and its changes stay."""
        names = atlas_names(self._folder)
        self.entries = [_entry(name) for name in names]
        self.entries_changed.emit()
        if self.chosen not in names:
            self.choose(names[0])

    def choose(self, key: str) -> None:
        """Look at another atlas; unsaved changes of the last one are saved first."""
        if key == self.chosen:
            return
        self.save()
        self.chosen, self.error, self.notes = key, "", ()
        self._history, self._undone = [], []
        try:
            self.atlas = load_protocol(key)
        except (MonetError, OSError) as error:
            self.atlas, self.error = None, _words(error)
        self.atlas_changed.emit()

    @property
    def own(self) -> bool:
        """Whether the chosen atlas is the lab's and may be changed."""
        return bool(self.chosen) and self.chosen not in shipped_protocols()

    # -- importing and exporting ------------------------------------------------------------

    def import_file(self, path: Path) -> None:
        """Take over a label table of any program, or the values of a label map.

        Segmentations of the study help to tell the sides that a table does not state.
        """
        self._import(Path(path), [])

    def import_maps(self, entries: Sequence[SegmentationEntry]) -> None:
        """An atlas of the values in segmentations of the study, which are then of this atlas."""
        if entries:
            self._import(entries[0].path, list(entries))

    @property
    def unknown_maps(self) -> list[SegmentationEntry]:
        """Segmentations of the study whose atlas nobody knows."""
        study = self.session.study
        return [each for each in study.all_segmentations() if not each.protocol] if study else []

    def add(self, atlas: Protocol) -> str:
        """Keep an atlas in the study and look at it; its key, "" where it cannot be kept."""
        if self._folder is None:
            self.session.notify("warning", "Open a study first; the atlas is kept there.")
            return ""
        try:
            kept = save_protocol(replace(atlas, name=_free(self._folder, atlas.name)), self._folder)
        except MonetError as error:
            self.session.tell(error, "Keeping the atlas")
            return ""
        self.refresh()
        self.choose(str(kept.file))
        self.notes = tuple(atlas.notes)
        self.atlas_changed.emit()
        return str(kept.file)

    def copy(self) -> None:
        """A copy of the chosen atlas in the study, to be changed."""
        if self.atlas is not None:
            self.add(replace(self.atlas, notes=()))

    def export(self, path: Path) -> None:
        """Write the chosen atlas for other programs, by the ending of the file's name.

        .tsv is a BIDS table, .label ITK-SNAP's, .ctbl 3D Slicer's, else it is a FreeSurfer LUT.
        """
        if self.atlas is None:
            return
        path = Path(path)
        try:
            _write(self.atlas, path)
        except MonetError as error:
            self.session.tell(error, "Exporting the atlas")
            return
        self.session.notify("info", f"Exported to {path}.")

    # -- changing ---------------------------------------------------------------------------

    @property
    def changed(self) -> bool:
        """Whether something is not saved."""
        return bool(self._history)

    @property
    def can_redo(self) -> bool:
        """Whether something that was taken back can be made again."""
        return bool(self._undone)

    def change(self, change: Change) -> bool:
        """Apply a change from `editing`; False, with `error` in words, where it is refused."""
        if self.atlas is None or not self.own:
            return False
        try:
            changed = change(self.atlas)
        except MonetError as error:
            self.error = _words(error)
            self.atlas_changed.emit()
            return False
        if changed.regions != self.atlas.regions:
            self._history.append(self.atlas)
            self._undone.clear()
            self.atlas = changed
        self.error = ""
        self.atlas_changed.emit()
        return True

    def undo(self) -> None:
        """Take the last change back."""
        self._move(self._history, self._undone)

    def redo(self) -> None:
        """Make it again."""
        self._move(self._undone, self._history)

    def save(self) -> None:
        """Write the table; what is on the stage takes the new names and colours."""
        if self.atlas is None or not self.changed:
            return
        try:
            self.atlas.to_tsv(Path(self.chosen))
        except MonetError as error:
            self.session.tell(error, "Saving the atlas")
            return
        self._history.clear()
        self._undone.clear()
        self.entries = [_entry(each.key) for each in self.entries]
        self.entries_changed.emit()
        self.atlas_changed.emit()
        for shown in list(self.session.shown.values()):
            if shown.entry.protocol == self.chosen:
                self.session.show(shown.entry)

    # -- inside -----------------------------------------------------------------------------

    def _import(self, path: Path, entries: list[SegmentationEntry]) -> None:
        study = self.session.study
        maps = [each.path for each in entries[1:]]

        def read() -> Protocol:
            decisions = study.scan(entries[0].scan_id).decisions if study and entries else None
            return import_protocol(path, maps=maps, decisions=decisions or Decisions())

        def done(atlas: Protocol) -> None:
            key = self.add(atlas)
            if key and study is not None and entries:
                for entry in entries:
                    study.set_protocol(entry.id, key)
                self.session.segmentations_changed.emit()

        self.session.run(read, done=done, doing="Reading the atlas")

    @property
    def _folder(self) -> Path | None:
        return self.session.study.atlases if self.session.study is not None else None

    def _move(self, source: list[Protocol], target: list[Protocol]) -> None:
        if source and self.atlas is not None:
            target.append(self.atlas)
            self.atlas = source.pop()
            self.error = ""
            self.atlas_changed.emit()


def _entry(key: str) -> AtlasEntry:
    own = key not in shipped_protocols()
    try:
        return AtlasEntry(key, atlas_title(load_protocol(key)), own)
    except (MonetError, OSError) as error:
        return AtlasEntry(key, Path(key).stem, own, _words(error))


def _write(atlas: Protocol, path: Path) -> None:
    ending = path.suffix.lower()
    if ending == ".tsv":
        atlas.to_tsv(path)
    elif ending == ".label":
        atlas.to_itksnap(path)
    elif ending == ".ctbl":
        atlas.to_slicer(path)
    else:
        atlas.to_freesurfer_lut(path)


def _free(folder: Path, name: str) -> str:
    """A name that no atlas has yet: "malc-copy", "lab-2"."""
    stem = _UNSAFE.sub("-", name).strip("-. ")[:80].removesuffix("_dseg") or "atlas"
    stem = f"{stem}-copy" if is_shipped(stem) else stem
    names = (f"{stem}-{number}" if number > 1 else stem for number in count(1))
    return next(each for each in names if not (folder / f"{each}.tsv").exists())


def _words(error: Exception) -> str:
    if isinstance(error, MonetError):
        return f"{error.problem.rstrip('.')}. {error.remedy}".strip()
    return str(error)
