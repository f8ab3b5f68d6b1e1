"""What a training would take in memory and time, as the worker finds it. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from monet_app.train.setup import Setup, estimate_request
from monet_app.words import duration, gigabytes, in_words
from monet_core.errors import MonetError
from monet_core.jobs import Cancel, CancelledError, silent
from monet_core.jobs.asking import ask

if TYPE_CHECKING:
    from monet_app.session import Session


@dataclass(frozen=True)
class Estimate:
    """The worker's answer in words; `fits` False where not even the smallest patches do."""

    memory: str
    time: str
    fits: bool
    notes: tuple[str, ...] = ()


class Estimating:
    """The estimate of one setup; `changed` when it began or ended."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        self.session = session
        self.running = False
        self.estimate: Estimate | None = None
        self.problem = ""
        self._cancel: Cancel | None = None

    def start(self, setup: Setup, scans: int, measure: bool = False) -> None:
        """Ask; with `measure` a few steps are made to see how long they take."""
        self._drop()
        cancel = self._cancel = Cancel()
        self.problem = ""
        try:
            request = estimate_request(setup, scans, measure).model_dump(mode="json")
        except MonetError as error:
            self.estimate, self.problem = None, in_words(error)
            self.changed.emit()
            return
        self.running = True
        self.changed.emit()

        def finished(answer: dict[str, Any]) -> None:
            if cancel is self._cancel:
                self._ended(estimate_of(answer), "")

        def failed(error: Exception) -> None:
            if cancel is self._cancel and not isinstance(error, CancelledError):
                self._ended(None, in_words(error))

        self.session.run(
            ask, "estimate-training", request, silent, cancel, done=finished, failed=failed
        )

    def forget(self) -> None:
        """The setup is another now: what was found does not hold any more."""
        self._drop()
        if self.estimate is not None or self.problem or self.running:
            self.estimate, self.problem, self.running = None, "", False
            self.changed.emit()

    def _drop(self) -> None:
        if self._cancel is not None:
            self._cancel.set()
            self._cancel = None
        self.running = False

    def _ended(self, estimate: Estimate | None, problem: str) -> None:
        self.running, self.estimate, self.problem = False, estimate, problem
        self.changed.emit()


def estimate_of(answer: dict[str, Any]) -> Estimate:
    """The worker's answer in words."""
    needed, free = answer.get("needed_bytes"), answer.get("free_bytes")
    seconds, each = answer.get("seconds"), answer.get("seconds_per_step")
    memory = ""
    if isinstance(needed, int | float) and isinstance(free, int | float):
        memory = f"Takes about {gigabytes(needed)} of memory; {gigabytes(free)} are free."
    time = ""
    if isinstance(seconds, int | float) and isinstance(each, int | float):
        steps = answer.get("steps")
        time = f"About {duration(seconds)} of training ({steps} steps, {each:.2g} s each)."
    notes = tuple(map(str, answer.get("notes", ())))
    return Estimate(memory, time, bool(answer.get("fits", True)), notes)
