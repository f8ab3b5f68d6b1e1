"""What a long job says while it runs: typed events, and the token that cancels it.

Functions that take long accept `report: Reporter` (call it with events) and `cancel: Cancel`
(call `cancel.check()` between steps). The command line draws the events, the app's jobs dock
shows them, and `JsonlReporter` keeps them in `events.jsonl`, where `parse_event` reads them.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
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
class Result(Event):
    """Something is ready before the job's end; `values` is JSON-ready.

    Kinds: "scan" (a scan of a segmentation is finished, or failed), "preview" (a validation scan's
    current segmentation), "regions" (Dice of every region), "estimate", "devices", "check".
    """

    kind: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Paused(Event):
    """The work waits since the user asked it to (`paused`), or goes on."""

    paused: bool = True


@dataclass(frozen=True)
class Done(Event):
    """The job ended well; `result` is JSON-ready."""

    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed(Event):
    """The job ended badly; `text` is what the user reads, `error` the same in parts (see
    `MonetError.as_dict`), {} where it was no error of that kind."""

    text: str
    error: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Cancelled(Event):
    """The job ended because the user cancelled it; what was finished is kept."""


Reporter = Callable[[Event], None]


def silent(_: Event) -> None:
    """A reporter that says nothing."""


class CancelledError(Exception):
    """The user cancelled; raised by `Cancel.check`, caught only where the job began."""


class Cancel:
    """A flag that can be set from another thread or a signal handler.

    `stop_asked`: a training is to end now and keep its model (see `Control`). `paused_s`: seconds
    that were spent waiting, which say nothing about the speed of the work.
    """

    stop_asked: bool = False
    paused_s: float = 0.0

    def __init__(self) -> None:
        self._flag = threading.Event()

    def set(self) -> None:
        """Ask the work to stop at its next step."""
        self._flag.set()

    def check(self) -> None:
        """Raise CancelledError once cancellation was asked for."""
        if self._flag.is_set():
            raise CancelledError


_EVENTS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (Phase, Progress, Message, Metrics, Result, Paused, Done, Failed, Cancelled)
}


def event_line(event: Event) -> str:
    """The event as one line of JSON with its type's name under "event"."""
    return json.dumps({"event": type(event).__name__, **asdict(event)})


def parse_event(line: str) -> Event | None:
    """The event of a line of `events.jsonl`; None where it is none that this version knows.

    Lines cut short by a crash are None too, and fields that a newer version added are left out.
    """
    try:
        values = json.loads(line)
        kind = _EVENTS[values.pop("event")]
        known = {field.name for field in fields(kind)}
        return kind(**{name: value for name, value in values.items() if name in known})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
