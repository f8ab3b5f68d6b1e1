"""A review: one segmentation after the other is shown, looked at, rated, and kept. No Qt."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Literal

from psygnal import Signal

from monet_app.origins import Origin
from monet_app.review.flags import Findings, Flag, look_at_volumes
from monet_app.review.queue import Choice, Item, latest_ratings, origins, queue_of
from monet_app.review.views import ReviewViews
from monet_app.session import Session, key_of
from monet_app.words import count, duration
from monet_core.errors import MonetError
from monet_core.jobs import Cancel, CancelledError, Event, Progress
from monet_core.workspace import Grade, Rating, SegmentationEntry, Study

TAGS = ("leak into dura", "missing temporal pole", "L/R swapped", "motion", "other")
GRADES: dict[Grade, str] = {"pass": "Pass", "fail": "Fail", "edit": "To edit"}
GRADE_WORDS: dict[Grade, str] = {"pass": "passed", "fail": "failed", "edit": "to edit"}
Look = Literal["views", "mosaic", "grid"]


@dataclass(frozen=True)
class Draft:
    """Note and tags of a segmentation that is not rated yet."""

    note: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kept:
    """A rating that was just saved, and what it is of."""

    item: Item
    rating: Rating


class ReviewModel:
    """The queue, where the rater is in it, and what was said.

    `ready` says whether the item can be rated: it is shown, or cannot be shown at all (then
    `problem` says why). `look` is how items are shown: in the views, or as pictures of slices.
    """

    queue_changed = Signal()
    item_changed = Signal()
    findings_changed = Signal()
    rated = Signal(object)

    def __init__(self, session: Session, clock: Callable[[], float] = time.monotonic) -> None:
        self.session = session
        self.views = ReviewViews(session)
        self.choice: Choice | None = None
        self.items: list[Item] = []
        self.position = 0
        self.finished = False
        self.ready = False
        self.problem = ""
        self.look: Look = "views"
        self.findings: Findings | None = None
        self.progress: Progress | None = None
        self.looking = False
        self.kept: Kept | None = None
        self.ratings: dict[int, Rating] = {}
        self._drafts: dict[int, Draft] = {}
        self._to_correct: SegmentationEntry | None = None
        self._since: float | None = None
        self._clock = clock
        self._cancel = Cancel()
        session.current_changed.connect(self._current_changed)
        session.shown_changed.connect(self._on_stage)
        session.study_changed.connect(lambda _: self.stop())

    # -- beginning and ending ---------------------------------------------------------------

    @property
    def study(self) -> Study | None:
        """The session's study."""
        return self.session.study

    @property
    def rater(self) -> str:
        """Who rates."""
        return self.session.settings.rater

    def origins(self) -> dict[Origin, int]:
        """What may be reviewed, with the number of scans."""
        return origins(self.study) if self.study is not None else {}

    def waiting(self, choice: Choice) -> int:
        """How many segmentations a review of this choice would go through."""
        return len(queue_of(self.study, choice)) if self.study is not None else 0

    def start(self, choice: Choice) -> None:
        """Begin a review; the most unusual first needs all volumes, which may take a while."""
        if self.study is None:
            return
        self.stop()
        self.choice = choice
        self._recall()
        if choice.order != "outliers":
            self._begin(queue_of(self.study, choice))
        self._look_at_volumes(choice)

    def go_on_without_volumes(self) -> None:
        """Do not wait for the volumes: begin in the order of the study."""
        self._cancel.set()
        if self.choice is not None and self.study is not None and not self.items:
            self._begin(queue_of(self.study, replace(self.choice, order="study")))

    def stop(self) -> None:
        """Leave the review; everything that was rated is kept."""
        self._cancel.set()
        self.choice, self.items, self.position = None, [], 0
        self.finished, self.ready, self.problem = False, False, ""
        self.findings, self.progress, self.looking, self.kept = None, None, False, None
        self.queue_changed.emit()

    # -- going through ----------------------------------------------------------------------

    @property
    def item(self) -> Item | None:
        """The item that is to be rated now."""
        if self.finished or not self.items:
            return None
        return self.items[self.position]

    def go(self, position: int) -> None:
        """Show another item."""
        if 0 <= position < len(self.items):
            self.position, self.finished = position, False
            self._show()

    def next(self) -> None:
        """The next item; after the last, the first that is not rated, or the end."""
        if self.position + 1 < len(self.items):
            self.go(self.position + 1)
        else:
            self._go_to_unrated()

    def previous(self) -> None:
        """The item before."""
        self.go(len(self.items) - 1 if self.finished else self.position - 1)

    def set_look(self, look: Look) -> None:
        """Show items in the views, or as pictures."""
        if look != self.look:
            self.look = look
            if self.item is not None:
                self._show()

    def back_to_item(self) -> None:
        """Show the item again, after something else was opened or laid over it."""
        item = self.item
        if item is None or (self.look == "views" and self.ready and self.views.is_alone(item)):
            return
        self._show()

    def picture_shown(self, segmentation_id: int) -> None:
        """The picture of an item is on the screen: it can be rated."""
        item = self.item
        if self.look != "views" and item is not None and item.segmentation.id == segmentation_id:
            self._is_shown("")

    # -- rating -----------------------------------------------------------------------------

    @property
    def draft(self) -> Draft:
        """Note and tags of the item, as typed so far or as rated before."""
        item = self.item
        if item is None:
            return Draft()
        rated = self.ratings.get(item.segmentation.id)
        before = Draft(rated.note, rated.tags) if rated else Draft()
        return self._drafts.get(item.segmentation.id, before)

    def set_draft(self, note: str | None = None, tags: Iterable[str] | None = None) -> None:
        """Keep what is typed or ticked until it is rated."""
        item, draft = self.item, self.draft
        if item is not None:
            self._drafts[item.segmentation.id] = Draft(
                draft.note if note is None else note,
                draft.tags if tags is None else tuple(tag for tag in TAGS if tag in set(tags)),
            )

    def rate(self, grade: Grade) -> Rating | None:
        """Rate the item: on the disk when this returns, then the next is shown.

        None (and nothing is rated) while the item is not shown yet, or where it cannot be kept;
        the user is then told.
        """
        item, study = self.item, self.study
        if item is None or study is None or not self.ready:
            return None
        draft = self.draft
        try:
            rating = study.rate(
                item.scan.id, grade, segmentation_id=item.segmentation.id, note=draft.note.strip(),
                tags=draft.tags, rater=self.rater, seconds=round(self.seconds, 2),
            )  # fmt: skip
        except MonetError as error:
            self.session.tell(error, "Keeping the rating")
            return None
        self._drafts.pop(item.segmentation.id, None)
        self.ratings[item.segmentation.id] = rating
        self.kept = Kept(item, rating)
        self.rated.emit(self.kept)
        self.session.ratings_changed.emit()
        self._go_to_unrated()
        return rating

    @property
    def seconds(self) -> float:
        """How long the item has been shown."""
        return 0.0 if self._since is None else self._clock() - self._since

    def correct(self) -> None:
        """Open what was just rated "to edit" in the atlas workshop, once it is on the stage."""
        if self.kept is not None:
            item = self.kept.item
            self._to_correct = item.segmentation
            self.session.open_scan(item.scan, segmentations=[item.segmentation])

    def export(self, path: Path) -> None:
        """Write all ratings of the study as TSV."""
        if self.study is not None:
            self.session.run(
                self.study.export_ratings, path, doing="Exporting the ratings",
                done=lambda _: self.session.notify("info", f"The ratings are in {path}."),
            )  # fmt: skip

    # -- what is told -----------------------------------------------------------------------

    @property
    def n_rated(self) -> int:
        """How many items of the queue are rated."""
        return sum(item.segmentation.id in self.ratings for item in self.items)

    @property
    def statistics(self) -> str:
        """ "18 rated: 12 passed, 4 to edit, 2 failed; 14 s each"."""
        rated = [self.ratings[i.segmentation.id] for i in self.items
                 if i.segmentation.id in self.ratings]  # fmt: skip
        if not rated:
            return "Nothing is rated yet."
        grades = [each.grade for each in rated]
        parts = [
            f"{grades.count(grade)} {word}"
            for grade, word in GRADE_WORDS.items()
            if grade in grades
        ]
        timed = [each.seconds for each in rated if each.seconds > 0]
        each = f"; {duration(median(timed))} each" if timed else ""
        return f"{len(rated)} rated: {', '.join(parts)}{each}"

    @property
    def flags(self) -> list[Flag]:
        """The unusual regions of the item; empty while the volumes are not known."""
        if self.findings is None or self.item is None:
            return []
        return self.findings.flags(self.item.segmentation.id)

    def go_to_flag(self, flag: Flag) -> None:
        """Move the cross-hair into an unusual region, in the views."""
        if self.item is not None:
            self.set_look("views")
            self.views.go_to_region(self.item, flag.index)

    # -- inside -----------------------------------------------------------------------------

    def _recall(self) -> None:
        """What this rater said before, so that it can be seen and changed."""
        assert self.study is not None
        self.ratings = latest_ratings(self.study.ratings(), self.rater)

    def _begin(self, items: list[Item]) -> None:
        self.items = items
        if items:
            self.position = 0
            self._first_unrated_or_end(start=0)
        self.queue_changed.emit()
        if self.item is not None:
            self._show()

    def _first_unrated_or_end(self, start: int) -> None:
        order = [*range(start, len(self.items)), *range(start)]
        found = next((n for n in order if self.items[n].segmentation.id not in self.ratings), None)
        self.finished = found is None
        self.position = self.position if found is None else found

    def _go_to_unrated(self) -> None:
        self._first_unrated_or_end(start=self.position + 1)
        self._show()

    def _look_at_volumes(self, choice: Choice) -> None:
        assert self.study is not None
        study, cancel = self.study, Cancel()
        self._cancel, self.looking, self.progress = cancel, True, None
        everything = replace(choice, unrated_only=False, order="study")
        ids = [item.segmentation.id for item in queue_of(study, everything)]

        def report(event: Event) -> None:
            if isinstance(event, Progress):
                self.progress = event

        def done(findings: Findings) -> None:
            if cancel is self._cancel:
                self._looked(findings)

        def failed(error: Exception) -> None:
            if cancel is self._cancel:
                self._not_looked(error)

        self.queue_changed.emit()
        self.session.run(
            look_at_volumes, study, choice.origin.protocol, ids, report, cancel,
            done=done, failed=failed,
        )  # fmt: skip

    def _looked(self, findings: Findings) -> None:
        self.findings, self.looking = findings, False
        if self.choice is not None and self.study is not None and not self.items:
            self._begin(queue_of(self.study, self.choice, findings.ranking))
        self.findings_changed.emit()

    def _not_looked(self, error: Exception) -> None:
        self.looking = False
        if not isinstance(error, CancelledError):
            self.session.tell(error, "Looking for unusual volumes")
        self.go_on_without_volumes()
        self.findings_changed.emit()

    def _show(self) -> None:
        item = self.item
        self._to_correct = None
        self.ready, self.problem, self._since = False, "", None
        self.item_changed.emit()
        if item is not None and self.look == "views":
            self.views.show(item, failed=lambda error: self._cannot(item, error))

    def _cannot(self, item: Item, error: Exception) -> None:
        if item is self.item:
            self._is_shown(error.problem if isinstance(error, MonetError) else str(error))

    def _on_stage(self) -> None:
        """The session put something on the stage: is it what is to be corrected, or rated?"""
        waiting = self._to_correct
        if waiting is not None and key_of(waiting) in self.session.shown:
            self._to_correct = None
            self.session.ask_for("atlas", waiting)
            return
        item = self.item
        if item is None or self.look != "views" or self.ready:
            return
        if self.views.is_opened(item):
            shown = self.views.is_shown(item)
            self._is_shown("" if shown else "The segmentation cannot be read.")

    def _is_shown(self, problem: str) -> None:
        if not self.ready:
            self.ready, self.problem, self._since = True, problem, self._clock()
            self.item_changed.emit()

    def _current_changed(self, _: object) -> None:
        """Something was opened elsewhere: what is on the stage is not to be rated."""
        item = self.item
        if item is not None and self.look == "views" and not self.views.is_opened(item):
            self.ready, self._since = False, None
            self.problem = "Something else is on the stage."
            self.item_changed.emit()


def rated_words(kept: Kept) -> str:
    """ "sub-18 passed, 14 s; saved"."""
    seconds = f", {duration(kept.rating.seconds)}" if kept.rating.seconds else ""
    return f"{kept.item.name} {GRADE_WORDS[kept.rating.grade]}{seconds}; saved"


def left_words(model: ReviewModel) -> str:
    """ "18 of 60"; at the end, what is left."""
    if model.finished:
        left = len(model.items) - model.n_rated
        return f"{count(left, 'segmentation')} not rated" if left else "All are rated."
    return f"{model.position + 1} of {len(model.items)}"
