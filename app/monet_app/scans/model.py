"""What the Scans panel knows and does: rows, inspection in the background, splits. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from psygnal import Signal

from monet_app.scans.rows import Column, Row, arranged, read_rows, with_entry
from monet_app.session import Session
from monet_core.datasets import Split
from monet_core.errors import DatasetError
from monet_core.workspace import ScanEntry, Study

T = TypeVar("T")


class ScansModel:
    """The scans of the study: filtered and sorted in `shown`, all of them in `rows` (by id).

    Scans that were never read are inspected in the background, one at a time; those that
    `look_at` names (what is on the screen) come first.
    """

    listed = Signal()
    """Other rows are shown, or in another order."""
    row_changed = Signal(int)
    """(place): a row of `shown` says something else."""
    progressed = Signal()
    """Reading, adding or inspecting began or ended."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.rows: dict[int, Row] = {}
        self.shown: list[Row] = []
        self.loading = False
        self.adding = False
        self._text, self._state = "", "all"
        self._column, self._descending = Column.NAME, False
        self._places: dict[int, int] = {}
        self._waiting: dict[int, None] = {}
        self._first: list[int] = []
        self._inspecting: int | None = None
        self._given_up = False
        self._revision = -1
        session.study_changed.connect(self._study_changed)
        for changed in (session.scans_changed, session.segmentations_changed,
                        session.ratings_changed):  # fmt: skip
            changed.connect(self.reload)
        session.noticed.connect(self._noticed)
        session.current_changed.connect(self._opened)
        self.reload()

    @property
    def to_inspect(self) -> int:
        """How many scans were not read yet."""
        return len(self._waiting) + (self._inspecting is not None)

    # -- rows -------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read the rows anew."""
        study = self.session.study
        if study is None:
            self._take([])
            return
        self.loading = not self.rows
        self.progressed.emit()
        self.session.run(
            _read, study, done=lambda answer: self._read(study, *answer),
            failed=self._not_read, key="scan rows",
        )  # fmt: skip

    def look_around(self) -> None:
        """Read the rows anew where another window changed the study."""
        study = self.session.study
        if study is not None and self._inspecting is None:
            self.session.run(
                study.revision, key="study revision",
                done=lambda number: None if number == self._revision else self.reload(),
            )  # fmt: skip

    def find(self, text: str) -> None:
        """Show the rows that match what was typed."""
        self._text = text
        self._arrange()

    def filter(self, state: str) -> None:
        """Show the rows of a state (a key of `FILTERS`)."""
        self._state = state
        self._arrange()

    def sort(self, column: Column, descending: bool) -> None:
        """Sort by a column."""
        self._column, self._descending = column, descending
        self._arrange()

    def place_of(self, scan_id: int | None) -> int | None:
        """Where a scan is among the rows that are shown."""
        return self._places.get(scan_id) if scan_id is not None else None

    # -- opening ----------------------------------------------------------------------------

    def open(self, scan_id: int) -> None:
        """Show a scan on the stage."""
        if scan_id in self.rows:
            self.session.open_scan(self.rows[scan_id].entry)

    def step(self, by: int) -> int | None:
        """Open the next (1) or previous (-1) of the rows that are shown; its id."""
        current = self.session.current
        place = self.place_of(current.id) if current is not None else None
        wanted = (0 if by > 0 else len(self.shown) - 1) if place is None else place + by
        if not 0 <= wanted < len(self.shown):
            return None
        scan_id = self.shown[wanted].entry.id
        self.open(scan_id)
        return scan_id

    def add(self, paths: Iterable[Path]) -> None:
        """Add scans and show the first of them."""
        self.adding = True
        self.progressed.emit()
        self.session.add_scans(paths, show=True)

    # -- changing ---------------------------------------------------------------------------

    def set_split(self, ids: Collection[int], split: Split | None) -> None:
        """Say what scans are for."""
        self._change(lambda study: [study.set_split(each, split) for each in ids])

    def remove(self, ids: Collection[int]) -> None:
        """Take scans out of the study; no file is deleted."""
        chosen = list(ids)
        current = self.session.current
        if current is not None and current.id in chosen:
            if not self.session.leaving.may(lambda: self.remove(chosen)):
                return
            self.session.close_scan()
        self.session.select([each for each in self.session.selected if each not in chosen])
        self._change(lambda study: [study.remove(each) for each in chosen])

    def _change(self, change: Callable[[Study], object]) -> None:
        study = self.session.study
        if study is not None:
            self.session.run(
                change, study, doing="Changing the study",
                done=lambda _: self.session.scans_changed.emit(),
            )  # fmt: skip

    # -- inspecting -------------------------------------------------------------------------

    def look_at(self, ids: Sequence[int]) -> None:
        """These scans are on the screen: read them first, and see whether their files are there."""
        self._first = list(ids)
        self._inspect()
        paths = {each: self.rows[each].entry.path for each in ids if each in self.rows}
        self.session.run(_missing, paths, done=self._found_missing, key="scan files")

    def read_again(self, ids: Iterable[int]) -> None:
        """Read scans that were read before: their files may be other ones now."""
        wanted = dict.fromkeys(each for each in ids if each in self.rows)
        self._waiting = {**wanted, **self._waiting}
        self._inspect()

    def _inspect(self) -> None:
        study = self.session.study
        if study is None or self._inspecting is not None or not self._waiting:
            return
        wanted = next((each for each in self._first if each in self._waiting), None)
        scan_id = next(iter(self._waiting)) if wanted is None else wanted
        del self._waiting[scan_id]
        self._inspecting = scan_id
        self.session.run(
            study.inspect, scan_id,
            done=lambda entry: self._inspected(study, scan_id, entry),
            failed=lambda error: self._not_inspected(study, error),
        )  # fmt: skip

    def _inspected(self, study: Study, asked: int, entry: ScanEntry) -> None:
        if study is not self.session.study:
            return
        self._inspecting = None
        if entry.id != asked:  # a DICOM series that was there already
            self._waiting.clear()
            self.session.scans_changed.emit()
            return
        if asked in self.rows:
            self._replace(with_entry(self.rows[asked], entry))
        self._go_on()

    def _not_inspected(self, study: Study, error: Exception) -> None:
        if study is not self.session.study:
            return
        self._inspecting = None
        if not isinstance(error, DatasetError):  # removed meanwhile: nothing to tell
            self._waiting.clear()
            self._given_up = True
            self.session.tell(error, "Reading scans")
        self._go_on()

    def _go_on(self) -> None:
        self.progressed.emit()
        if self._waiting:
            self._inspect()
        else:
            self.session.scans_changed.emit()

    def _found_missing(self, missing: dict[int, bool]) -> None:
        for scan_id, gone in missing.items():
            row = self.rows.get(scan_id)
            if row is not None and row.gone != gone and not row.entry.problem:
                self._replace(replace(row, gone=gone))

    # -- inside -----------------------------------------------------------------------------

    def _study_changed(self, _: object) -> None:
        self._waiting.clear()
        self._first, self._inspecting, self._given_up = [], None, False
        self._take([])

    def _read(self, study: Study, rows: list[Row], revision: int) -> None:
        if study is self.session.study:
            self._revision = revision
            self._take(rows)

    def _not_read(self, error: Exception) -> None:
        self.loading = False
        self.progressed.emit()
        self.session.tell(error, "Reading the study")

    def _take(self, rows: list[Row]) -> None:
        self.loading = self.adding = False
        gone = {each for each, row in self.rows.items() if row.gone}
        self.rows = {
            row.entry.id: replace(row, gone=True) if row.entry.id in gone else row for row in rows
        }
        self._waiting = {
            row.entry.id: None
            for row in rows
            if not (self._given_up or row.entry.inspected or row.entry.id == self._inspecting)
        }
        self._arrange()
        self.progressed.emit()
        self._inspect()

    def _arrange(self) -> None:
        self.shown = arranged(
            self.rows.values(), self._text, self._state, self._column, self._descending
        )
        self._places = {row.entry.id: place for place, row in enumerate(self.shown)}
        self.listed.emit()

    def _replace(self, row: Row) -> None:
        self.rows[row.entry.id] = row
        place = self._places.get(row.entry.id)
        if place is not None:
            self.shown[place] = row
            self.row_changed.emit(place)

    def _opened(self, entry: ScanEntry | None) -> None:
        """What could be opened is there, and was perhaps mended meanwhile."""
        row = self.rows.get(entry.id) if entry is not None else None
        if row is not None and (row.gone or row.entry.problem):
            self.read_again([row.entry.id])

    def _noticed(self, _: object) -> None:
        """Adding may have ended with an error."""
        if self.adding:
            self.adding = False
            self.progressed.emit()


def _read(study: Study) -> tuple[list[Row], int]:
    revision = study.revision()
    return read_rows(study), revision


def _missing(paths: dict[int, Path]) -> dict[int, bool]:
    return {scan_id: not path.exists() for scan_id, path in paths.items()}
