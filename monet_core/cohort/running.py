"""Segmenting a cohort: what is finished is skipped, the rest goes to as many workers as fit."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from monet_core.cohort.clusters import connected
from monet_core.cohort.dispatching import one_by_one, through_workers
from monet_core.cohort.settings import Scheduler
from monet_core.cohort.sizing import Team, team
from monet_core.cohort.surveying import Grid, Wanted, survey
from monet_core.cohort.task import After, Task, finish, load_once
from monet_core.cohort.telling import Pace, PerScan, tell_warnings
from monet_core.datasets.collecting import Failure
from monet_core.files import require_writable
from monet_core.jobs.events import Cancel, Message, Phase, Reporter, silent
from monet_core.models import ModelEntry, read_manifest
from monet_core.scans import Decisions
from monet_core.segmenting.devices import resolve_device
from monet_core.segmenting.many import Finished, Item, Started, find_items
from monet_core.segmenting.outcomes import keep_outcome, sum_up, tell_failure
from monet_core.segmenting.settings import SegmentSettings
from monet_core.segmenting.single import DEFAULTS, NO_DECISIONS, SegmentResult

LOCAL = Scheduler()


def segment_paths(
    paths: Sequence[Path],
    model: Path,
    out: Path,
    settings: SegmentSettings = DEFAULTS,
    decisions: Decisions = NO_DECISIONS,
    scheduler: Scheduler = LOCAL,
    report: Reporter = silent,
    cancel: Cancel | None = None,
    *,
    after: After | None = None,
) -> list[SegmentResult | Failure]:
    """`segment_cohort` of scans, and of the scans in folders; sums up at the end."""
    out = require_writable(Path(out))
    items, failures = find_items(paths, out, decisions, report)
    done = segment_cohort(
        items, model, out, settings, decisions, scheduler, report, cancel, after=after
    )
    outcomes = [*failures, *done]
    sum_up(outcomes, report)
    return outcomes


def segment_cohort(
    items: Sequence[Item],
    model: Path,
    out: Path,
    settings: SegmentSettings = DEFAULTS,
    decisions: Decisions = NO_DECISIONS,
    scheduler: Scheduler = LOCAL,
    report: Reporter = silent,
    cancel: Cancel | None = None,
    *,
    started: Started = lambda *_: None,
    finished: Finished = lambda *_: None,
    after: After | None = None,
) -> list[SegmentResult | Failure]:
    """Segment `items` into `out` with the model at the path `model`: outcomes in their order.

    Scans that an earlier run finished are skipped by the content of scan and model. The others go
    to workers as `scheduler` says, by default several processes of this machine where four scans
    or more are left; a single one works in this process. Scans that lose their worker or fail for
    a passing reason are tried again, then reported as any that is refused; no scan stops the
    others. `started` is called as a scan is handed out, `finished` as its outcome comes, which is
    also added to `outcomes.jsonl` in `out`, but for those that were skipped. `after` is called by
    the workers; see `After`.

    Raises, before any work, OutputError where `out` cannot be written and MonetError where model,
    device, Dask or its scheduler are not there, or workers do not see the files; CancelledError,
    with nothing half-written.
    """
    cancel, out = cancel or Cancel(), require_writable(Path(out)).absolute()
    entry = ModelEntry(Path(model).absolute(), read_manifest(model))
    if scheduler.kind == "local":
        resolve_device(settings.device)
    wanted = Wanted(entry, out, settings, decisions)
    cohort = _Cohort(items, wanted, report, finished, after)
    grids = cohort.survey(cancel)
    if grids:
        chosen = team(scheduler, grids.values(), len(grids), entry, settings, report)
        if len(items) > 1:
            report(Message(f"{len(grids)} of {len(items)} scans to segment: {chosen}"))
        cohort.segment(list(grids), scheduler, chosen, started, cancel)
    return cohort.outcomes


class _Cohort:
    """Items and what came of them so far."""

    def __init__(
        self,
        items: Sequence[Item],
        wanted: Wanted,
        report: Reporter,
        finished: Finished,
        after: After | None,
    ) -> None:
        self._items, self._wanted, self._after = items, wanted, after
        self._report, self._finished = report, finished
        self._outcomes: dict[int, SegmentResult | Failure] = {}

    @property
    def outcomes(self) -> list[SegmentResult | Failure]:
        """In the order of the items, once all are done."""
        return [self._outcomes[number] for number in range(len(self._items))]

    def survey(self, cancel: Cancel) -> dict[int, Grid]:
        """The grids of the items that are left to do, by their places."""
        grids = {}
        for number, seen in enumerate(survey(self._items, self._wanted, self._report, cancel)):
            if isinstance(seen, Grid):
                grids[number] = seen
            elif isinstance(seen, Failure):
                self._end(number, seen)
            else:
                decided = self._wanted.decided(self._items[number])
                self._end(number, finish(seen, self._after, self._wanted.model, decided))
        return grids

    def segment(
        self,
        numbers: Sequence[int],
        scheduler: Scheduler,
        chosen: Team,
        started: Started,
        cancel: Cancel,
    ) -> None:
        """Segment the items at the places `numbers`."""
        # A model that cannot be loaded is told once, before any work, not by every scan.
        load_once(self._wanted.model.path, self._wanted.model.manifest.weights_sha256)
        tasks = self._tasks(numbers, chosen, started)
        if not chosen.apart:
            self._here(tasks, len(numbers), scheduler.retries, cancel)
            return
        report, paths = self._report, [self._wanted.model.path, self._wanted.out]
        with connected(scheduler, chosen, paths, report, cancel) as client:
            report(Phase("Segmenting"))
            pace = Pace(len(numbers), chosen.workers)
            done = through_workers(tasks, client, chosen, scheduler.retries, report, cancel)
            with closing(done):
                for task, outcome in done:
                    if isinstance(outcome, SegmentResult):
                        tell_warnings(outcome, report)
                    self._end(task.number, outcome)
                    report(pace.step(outcome))

    def _here(self, tasks: Iterator[Task], total: int, retries: int, cancel: Cancel) -> None:
        per_scan = PerScan(self._report, total)

        def announced() -> Iterator[Task]:
            for task in tasks:
                per_scan.begin(task.item)
                yield task

        for task, outcome in one_by_one(announced(), retries, per_scan, cancel):
            self._end(task.number, outcome)
            per_scan.end(outcome)

    def _tasks(self, numbers: Sequence[int], chosen: Team, started: Started) -> Iterator[Task]:
        wanted, run = self._wanted, uuid.uuid4().hex
        for number in numbers:
            item = self._items[number]
            started(item, number + 1, len(self._items))
            yield Task(
                number=number,
                item=replace(item, scan=item.scan.absolute()),
                model=wanted.model.path,
                weights_sha256=wanted.model.manifest.weights_sha256,
                out=wanted.out,
                settings=wanted.settings,
                decisions=wanted.decided(item),
                after=self._after,
                threads=chosen.threads,
                run=run,
            )

    def _end(self, number: int, outcome: SegmentResult | Failure) -> None:
        item = self._items[number]
        outcome = replace(outcome, scan=item.scan)  # as it was given, not as a worker sees it
        if isinstance(outcome, Failure):
            tell_failure(outcome, self._report)
        if isinstance(outcome, Failure) or not outcome.skipped:
            keep_outcome(outcome, self._wanted.out, item.folder)
        self._outcomes[number] = outcome
        self._finished(item, outcome)
