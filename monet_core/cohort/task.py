"""What a worker does with one scan, and what it keeps between two."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch

from monet_core import __version__
from monet_core.datasets.collecting import Failure, failure_of
from monet_core.errors import DecisionNeeded, ModelError, MonetError, ScanError, Verdict
from monet_core.jobs.events import Cancel, CancelledError, Reporter, silent
from monet_core.models import Model, ModelEntry, load_model
from monet_core.scans import Decisions
from monet_core.segmenting.many import Item
from monet_core.segmenting.outputs import remove_staged
from monet_core.segmenting.settings import SegmentSettings
from monet_core.segmenting.single import SegmentResult, segment

log = logging.getLogger(__name__)
LASTING = (ScanError, ModelError, DecisionNeeded)
"""Verdicts that no second attempt would change."""

After = Callable[[SegmentResult, ModelEntry, Decisions], object]
"""Called where a scan was segmented, by the worker, with its result, what is known of the model,
and the answers that held for it. MonetError and OSError become a warning of the result."""


@dataclass(frozen=True)
class Task:
    """One scan to segment, with all that a worker must know: small, since it travels."""

    number: int
    """The item's place in the cohort."""
    item: Item
    model: Path
    weights_sha256: str
    out: Path
    settings: SegmentSettings
    decisions: Decisions
    after: After | None
    threads: int | None
    run: str
    """A name for all tasks of a run, by which they are cancelled."""

    @property
    def folder(self) -> Path:
        """Where the scan's results go."""
        return self.out / self.item.folder


def do(
    task: Task, report: Reporter = silent, cancel: Cancel | None = None
) -> SegmentResult | Failure:
    """Segment the scan; a Failure where another attempt would change nothing.

    Raises what may pass: memory, drives, faults of the program; and CancelledError.
    """
    item = task.item
    try:
        with using_threads(task.threads):
            remove_staged(task.folder, item.stem)
            model = load_once(task.model, task.weights_sha256)
            result = segment(
                item.scan, model, task.folder, task.settings, task.decisions, report,
                cancel or RunCancel(task.run), stem=item.stem, source=item.source,
            )  # fmt: skip
            return finish(
                result, task.after, ModelEntry(task.model, model.manifest), task.decisions
            )
    except LASTING as error:
        return failure_of(item.scan, error)


def do_in_worker(task: Task) -> SegmentResult | Failure:
    """As `do`, by a process that may run on another machine."""
    for path in (task.item.scan, task.out):
        if not path.exists():
            error = MonetError(
                "not-reachable",
                f"is not seen by the worker on {socket.gethostname()}",
                remedy="Put scans and results where all workers see them under the same path.",
                file=path,
            )
            return failure_of(task.item.scan, error)
    return do(task)


def finish(
    result: SegmentResult, after: After | None, model: ModelEntry, decisions: Decisions
) -> SegmentResult:
    """`result` once `after` was called for it."""
    try:
        if after is not None:
            after(result, model, decisions)
    except (MonetError, OSError) as error:
        note = replace(failure_of(result.scan, error).note, verdict=Verdict.WARNING)
        return replace(result, notes=(*result.notes, note))
    return result


def load_once(path: Path, weights_sha256: str) -> Model:
    """The model, loaded once by each process. Raises ModelError."""
    with _loading:
        return _loaded(path, weights_sha256)


@lru_cache(maxsize=1)
def _loaded(path: Path, weights_sha256: str) -> Model:
    model = load_model(path)
    if model.manifest.weights_sha256 != weights_sha256:
        raise ModelError(
            "other-model",
            f"is another model on {socket.gethostname()} than where the work was started",
            remedy="Copy the model to a folder that all workers share.",
            file=path,
        )
    return model


@contextmanager
def using_threads(wanted: int | None) -> Iterator[None]:
    """Let torch compute with `wanted` threads meanwhile; None: as many as it has."""
    before = torch.get_num_threads()
    torch.set_num_threads(wanted or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


_loading = threading.Lock()
_cancelled: set[str] = set()


class RunCancel(Cancel):
    """Set for all tasks of a run at once, by `cancel_run` in their process."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def check(self) -> None:
        """Raise CancelledError once the run was cancelled."""
        if self._run in _cancelled:
            raise CancelledError
        super().check()


def cancel_run(run: str) -> None:
    """Let this process' tasks of `run` stop at their next step."""
    _cancelled.add(run)


def what_is_seen(paths: list[Path]) -> tuple[str, list[Path]]:
    """This program's version where a worker runs, and those of `paths` that are not there."""
    return __version__, [path for path in paths if not path.exists()]
