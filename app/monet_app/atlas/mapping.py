"""Which region of one atlas is which of another: suggested, corrected, saved. No Qt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from psygnal import Signal

from monet_app.atlases import atlas_names
from monet_app.session import Session
from monet_core.errors import MonetError
from monet_core.protocols import Protocol, ProtocolMapping, Region, load_protocol, save_mapping
from monet_core.protocols.overlap import Pair
from monet_core.protocols.own_mappings import own_mapping
from monet_core.protocols.region import OTHER_SIDE
from monet_core.protocols.suggest import Suggestion, suggest_mapping
from monet_core.scans import onto_grid, read_labels
from monet_core.workspace import Study

MOST_SCANS = 3
_SIDES = {"L": "left", "R": "right"}
_BY = {
    "name": "by name",
    "overlap": "by place",
    "both": "by name and place",
    "link": "from the tables",
}


@dataclass(frozen=True)
class MappingRow:
    """A source region and what it is in the target.

    `target` None: background. `accepted` says that the user, or an earlier mapping, decided it;
    else it is a suggestion of `confidence` 0 to 1, made `by` name or place.
    """

    source: Region
    target: int | None
    accepted: bool
    confidence: float = 0.0
    by: str = ""
    alternatives: tuple[int, ...] = ()

    @property
    def open(self) -> bool:
        """Whether nobody has said yet what it is."""
        return not self.accepted


class MappingModel:
    """The mapping between two atlases, as rows: the open ones first, the least sure on top.

    `error` is why the last choice was refused; `busy` what goes on.
    """

    changed = Signal()

    def __init__(self, session: Session) -> None:
        self.session = session
        self.source: Protocol | None = None
        self.target: Protocol | None = None
        self.rows: list[MappingRow] = []
        self.error = ""
        self.busy = ""
        self.unsaved = False
        self.scans = 0

    @property
    def atlases(self) -> list[str]:
        """What can be mapped."""
        study = self.session.study
        return atlas_names(study.atlases if study is not None else None)

    def choose(self, source: str, target: str) -> None:
        """Map `source` to `target` (shipped names or tables): suggestions come in the background.

        A mapping that was saved before is taken up; suggestions only fill what it leaves open.
        """
        self.leave()
        if source == target:
            self._fail("Choose two different atlases.")
            return
        self._say("Comparing names and places…")
        self.session.run(
            suggestions, self.session.study, source, target,
            done=self._suggested, failed=self._failed, key="mapping",
        )  # fmt: skip

    def leave(self) -> None:
        """Another pair is meant; what was decided for this one is saved."""
        if self.unsaved and self.mapped:
            self.save()
        self.source = self.target = None
        self.rows, self.error, self.unsaved = [], "", False
        self.changed.emit()

    # -- deciding ---------------------------------------------------------------------------

    def accept(self, index: int) -> None:
        """The suggestion for source region `index` is right."""
        self._put(index, accepted=True)

    def accept_all(self, least: float = 0.0) -> None:
        """All suggestions of at least this confidence are right."""
        for row in self.rows:
            if not row.accepted and row.target is not None and row.confidence >= least:
                self._replace(replace(row, accepted=True))
        self._told()

    def reopen(self, index: int) -> None:
        """It is a suggestion again."""
        self._put(index, accepted=False)

    def clear(self, index: int) -> None:
        """Nothing is said of a source region any more."""
        self._put(index, target=None, accepted=False)

    def clear_all(self) -> None:
        """Begin anew."""
        self.rows = [replace(row, target=None, accepted=False) for row in self.rows]
        self._told()

    def set_target(self, index: int, target: int | None) -> bool:
        """Source region `index` is `target`, or background; False where the sides differ."""
        row = self._row(index)
        problem = self._crossed(row.source, target)
        if problem:
            self._fail(problem)
            return False
        self._put(index, target=target, accepted=True)
        return True

    def choices(self, index: int) -> list[Region]:
        """Target regions that a source region may be: the likely ones first, no other side's."""
        row, target = self._row(index), self.target
        if target is None:
            return []
        likely = [target.region(each) for each in row.alternatives]
        fit = [r for r in target.regions if not self._crossed(row.source, r.index)]
        return [*likely, *(region for region in fit if region not in likely)]

    # -- results ----------------------------------------------------------------------------

    @property
    def mapped(self) -> int:
        """Source regions that have a target."""
        return sum(row.accepted and row.target is not None for row in self.rows)

    @property
    def summary(self) -> str:
        """How far it is: "120 of 138 regions mapped; 14 of 15 of the target can be filled"."""
        if self.source is None or self.target is None:
            return ""
        filled = len({row.target for row in self.rows if row.accepted and row.target is not None})
        open_ = sum(row.open for row in self.rows)
        return (
            f"{self.mapped} of {len(self.rows)} regions mapped, {open_} open; "
            f"{filled} of {len(self.target.regions)} regions of the target can be filled."
        )

    def save(self) -> Path | None:
        """Write the accepted rows where every conversion looks first; None where it failed."""
        if self.source is None or self.target is None:
            return None
        table = {r.source.index: r.target for r in self.rows if r.accepted and r.target is not None}
        if not table:
            self._fail("Nothing is accepted yet: accept the suggestions that are right.")
            return None
        try:
            study = self.session.study
            own = self.source.file is not None or self.target.file is not None
            folder = study.atlases if study is not None and not own else None
            path = save_mapping(ProtocolMapping(self.source, self.target, table), folder)
        except MonetError as error:
            self.session.tell(error, "Saving the mapping")
            return None
        self.unsaved = False
        self.session.notify("info", f"Saved: {self.source.name} to {self.target.name} ({path}).")
        self.changed.emit()
        return path

    # -- inside -----------------------------------------------------------------------------

    def _suggested(self, found: Suggested) -> None:
        self.source, self.target, self.scans = found.source, found.target, found.scans
        self.rows = sorted(found.rows, key=_order)
        self._say("")

    def _row(self, index: int) -> MappingRow:
        return next(row for row in self.rows if row.source.index == index)

    def _put(self, index: int, **changes: object) -> None:
        self._replace(replace(self._row(index), **changes))  # type: ignore[arg-type]
        self._told()

    def _replace(self, row: MappingRow) -> None:
        """In place: rows do not jump away under the mouse."""
        self.rows = [row if each.source == row.source else each for each in self.rows]

    def _told(self) -> None:
        self.error, self.unsaved = "", True
        self.changed.emit()

    def _crossed(self, source: Region, target: int | None) -> str:
        if self.target is None or target is None:
            return ""
        other = self.target.region(target)
        if OTHER_SIDE.get(source.hemisphere) != other.hemisphere:
            return ""
        sides = f"{_SIDES[source.hemisphere]}, {other.name} {_SIDES[other.hemisphere]}"
        return f"{source.name} is {sides}: a mapping must not exchange the sides."

    def _fail(self, problem: str) -> None:
        self.error = problem
        self.changed.emit()

    def _failed(self, error: Exception) -> None:
        self.error = str(error)
        self._say("")

    def _say(self, busy: str) -> None:
        self.busy = busy
        self.changed.emit()


@dataclass(frozen=True)
class Suggested:
    """What was found out in the background; `scans` were compared voxel by voxel."""

    source: Protocol
    target: Protocol
    rows: list[MappingRow]
    scans: int


def suggestions(study: Study | None, source: str, target: str) -> Suggested:
    """Rows for every source region, from an earlier mapping and from names and places.

    Raises ProtocolError where an atlas or an earlier mapping cannot be read.
    """
    ours, theirs = load_protocol(source), load_protocol(target)
    pairs = list(label_pairs(study, source, target)) if study is not None else []
    before = own_mapping(ours, theirs)
    said = before.table if before is not None else None
    rows = [_row_of(ours, each, said) for each in suggest_mapping(ours, theirs, pairs)]
    return Suggested(ours, theirs, rows, len(pairs))


def label_pairs(study: Study, source: str, target: str) -> Iterator[Pair]:
    """Label maps of scans that have both atlases, on one grid; of a few scans at the most."""
    found = 0
    for scan in study.scans():
        newest = {each.protocol: each for each in study.segmentations(scan.id)}
        if source not in newest or target not in newest:
            continue
        try:
            ours = read_labels(newest[source].path, scan.decisions)
            theirs = read_labels(newest[target].path, scan.decisions)
        except (MonetError, OSError):
            continue
        moved = onto_grid(theirs.data, theirs.geometry, ours.geometry)
        if moved is not None:
            yield ours.data, moved
            found += 1
        if found == MOST_SCANS:
            return


def _row_of(source: Protocol, found: Suggestion, said: Mapping[int, int] | None) -> MappingRow:
    region = source.region(found.source)
    others = tuple(index for index, _ in found.alternatives)
    likely = others if found.target is None else (found.target, *others)
    row = MappingRow(region, found.target, False, found.confidence, _BY[found.by], likely)
    mapped = said.get(region.index) if said is not None else None
    if mapped is None:
        return row
    return replace(row, target=mapped, accepted=True, confidence=1.0, by="saved")


def _order(row: MappingRow) -> tuple[bool, bool, float, int]:
    """Open ones first; of these, those without a suggestion, then the least sure."""
    return row.accepted, row.target is not None, row.confidence, row.source.index
