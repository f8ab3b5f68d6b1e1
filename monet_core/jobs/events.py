"""What a long job says while it runs: typed events, and the token that cancels it.

Functions that take long accept `report: Reporter` (call it with events) and `cancel: Cancel`
(call `cancel.check()` between steps). The command line draws the events, the app's jobs dock
shows them, and `JsonlReporter` keeps them in `events.jsonl`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """Base of all events; `time` is seconds since 1970."""

    time: float = field(default_factory=time.time, kw_only=True)


@dataclass(frozen=True)
class Phase(Event):
    """A named phase has begun, e.g. "Registering"."""

    name: str


@dataclass(frozen=True)
class Progress(Event):
    """`done` of `total` steps of the current phase; `remaining_s` estimated seconds left."""

    done: int
    total: int
    remaining_s: float | None = None
    text: str = ""


@dataclass(frozen=True)
class Message(Event):
    """A sentence for the user; `level` is "info", "warning" or "error"."""

    text: str
    level: str = "info"


@dataclass(frozen=True)
class Metrics(Event):
    """Figures of a training at `epoch` and `step`, e.g. {"train/loss": 1.2}."""

    epoch: int
    step: int
    values: dict[str, float]


@dataclass(frozen=True)
class Done(Event):
    """The job ended well; `result` is JSON-ready."""

    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed(Event):
    """The job ended badly; `text` is what the user reads."""

    text: str


Reporter = Callable[[Event], None]


def silent(_: Event) -> None:
    """A reporter that says nothing."""


class CancelledError(Exception):
    """The user cancelled; raised by `Cancel.check`, caught only where the job began."""


class Cancel:
    """A flag that can be set from another thread or a signal handler."""

    def __init__(self) -> None:
        self._flag = threading.Event()

    def set(self) -> None:
        """Ask the work to stop at its next step."""
        self._flag.set()

    def check(self) -> None:
        """Raise CancelledError once cancellation was asked for."""
        if self._flag.is_set():
            raise CancelledError
