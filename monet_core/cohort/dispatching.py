"""Tasks through workers: as many at a time as there are workers, each outcome as it comes."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from monet_core.cohort.sizing import Team
from monet_core.cohort.task import Task, cancel_run, do, do_in_worker
from monet_core.datasets.collecting import Failure, failure_of
from monet_core.errors import MonetError, Note, Verdict
from monet_core.jobs.events import Cancel, CancelledError, Message, Reporter
from monet_core.jobs.telling import in_words
from monet_core.segmenting.outputs import remove_staged
from monet_core.segmenting.single import SegmentResult

if TYPE_CHECKING:
    from distributed import Client, Future

log = logging.getLogger(__name__)
_POLL_S = 0.5
_GRACE_S = 60.0
"""How long a cancelled scan may take to its next step, before its worker is ended."""


def one_by_one(
    tasks: Iterable[Task], retries: int, report: Reporter, cancel: Cancel
) -> Generator[tuple[Task, SegmentResult | Failure]]:
    """Do `tasks` in this process."""
    for task in tasks:
        cancel.check()
        yield task, _tried(task, retries, report, cancel)


def _tried(task: Task, retries: int, report: Reporter, cancel: Cancel) -> SegmentResult | Failure:
    for left in reversed(range(retries + 1)):
        try:
            return do(task, report, cancel)
        except CancelledError:
            raise
        except Exception as error:
            log.info("%s: %s", task.item.scan, error, exc_info=error)
            if not left:
                return _failure(task, error)
    raise AssertionError


def through_workers(
    tasks: Iterable[Task],
    client: Client,
    team: Team,
    retries: int,
    report: Reporter,
    cancel: Cancel,
) -> Generator[tuple[Task, SegmentResult | Failure]]:
    """Do `tasks` by the workers of `client`; yields in the order in which they end.

    No more are handed out than can be done at once: thousands would burden the scheduler, and
    those that wait at a worker that is lost would be blamed too. Raises CancelledError, once the
    workers have stopped, and MonetError where the scheduler is lost.
    """
    waiting, room = iter(tasks), _Room(report)
    at_work: dict[Future, Task] = {}
    with _losses(client) as losses:
        try:
            while True:
                cancel.check()
                for task in islice(waiting, max(0, room(client) - len(at_work))):
                    at_work[_submit(client, task, retries)] = task
                if not at_work:
                    return
                ended = _ended(at_work)
                _tell_losses(losses, at_work, report)
                for future in ended:
                    task = at_work.pop(future)
                    yield task, _outcome(future, task, team)
        finally:
            if at_work:
                _stop(client, at_work)


class _Room:
    """How many scans can be done at once; workers come and go."""

    def __init__(self, report: Reporter) -> None:
        self._report, self._told = report, False

    def __call__(self, client: Client) -> int:
        """At least one, which waits where there is no worker."""
        try:
            room = sum(client.nthreads().values())
        except OSError as error:
            raise _scheduler_lost() from error
        if not room and not self._told:
            self._report(Message("no worker is left: waiting for one", "warning"))
        self._told = not room
        return max(1, room)


def _submit(client: Client, task: Task, retries: int) -> Future:
    # One group for the whole run: the scheduler remembers every group there ever was.
    key = (f"segment-{task.run}", task.number)
    return client.submit(do_in_worker, task, key=key, retries=retries, pure=False)


def _ended(at_work: Mapping[Future, Task]) -> set[Future]:
    """Those that have ended, after half a second at most."""
    from distributed import wait
    from distributed.client import FutureCancelledError

    try:
        done: set[Future] = wait(list(at_work), _POLL_S, return_when="FIRST_COMPLETED").done
    except TimeoutError:
        return set()
    except FutureCancelledError as error:
        raise _scheduler_lost() from error
    return done


def _outcome(future: Future, task: Task, team: Team) -> SegmentResult | Failure:
    from distributed import KilledWorker

    error = future.exception()
    if error is None:
        outcome: SegmentResult | Failure = future.result()
        return outcome
    if isinstance(error, CancelledError):
        raise error
    if not isinstance(error, KilledWorker):
        return _failure(task, error)
    remove_staged(task.folder, task.item.stem)
    text = (
        f"its worker was lost {error.allowed_failures + 1} times, most likely as it took more"
        f" memory than it may ({team.bytes_each / 1e9:.1f} GB). Segment it alone, or on a machine"
        " with more memory."
    )
    return Failure(task.item.scan, Note(Verdict.REFUSED, "worker-lost", text, str(task.item.scan)))


def _failure(task: Task, error: Exception) -> Failure:
    scan = task.item.scan
    if isinstance(error, MonetError | OSError | MemoryError):
        return failure_of(scan, error)
    text = in_words(error, "try again", "report it with the scan's header")
    return Failure(scan, Note(Verdict.REFUSED, "fault", text, str(scan)))


def _stop(client: Client, at_work: Mapping[Future, Task]) -> None:
    """Let the workers stop at their next step, and leave nothing half-written."""
    from distributed import wait

    run = next(iter(at_work.values())).run
    # Whatever keeps a worker from stopping now, it is about to be ended.
    with suppress(Exception):
        client.run(cancel_run, run)
        wait(list(at_work), _GRACE_S)
    for task in at_work.values():
        remove_staged(task.folder, task.item.stem)


@contextmanager
def _losses(client: Client) -> Iterator[SimpleQueue[set[str]]]:
    """Where the keys of tasks will stand that were at work in a worker that was lost."""
    lost: SimpleQueue[set[str]] = SimpleQueue()

    def hear(event: tuple[float, dict[str, Any]]) -> None:
        _, told = event
        if told.get("action") == "remove-worker" and not told.get("expected"):
            lost.put(set(told["processing-tasks"]))

    client.subscribe_topic("all", hear)
    try:
        yield lost
    finally:
        with suppress(OSError):  # a connection that is lost hears nothing any more
            client.unsubscribe_topic("all")


def _tell_losses(
    losses: SimpleQueue[set[str]], at_work: Mapping[Future, Task], report: Reporter
) -> None:
    while not losses.empty():
        keys = losses.get()
        names = [task.item.stem for future, task in at_work.items() if future.key in keys]
        if names:
            report(Message(f"a worker was lost that segmented {', '.join(names)}", "warning"))


def _scheduler_lost() -> MonetError:
    return MonetError(
        "scheduler-lost",
        "the connection to the Dask scheduler was lost",
        remedy="Run the same command again: what was finished is kept.",
    )
