"""How jobs look in a terminal: events drawn by rich, one readable line per error."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from monet_core.errors import MonetError
from monet_core.jobs import Cancel, CancelledError, Event, Message, Metrics, Phase, Progress
from monet_core.jobs.sharing import is_helper
from monet_core.jobs.telling import in_words

log = logging.getLogger(__name__)
console = Console(stderr=True, highlight=False, soft_wrap=True, quiet=is_helper())
_SECONDS_BETWEEN_LINES = 30.0
_AGAIN = "run the same command again"
_FAULT = "run the command with --verbose before its name to see where, and report it"
_STYLES = {"info": "", "warning": "yellow", "error": "red"}


class TerminalReporter:
    """Draws events: a live bar in a terminal, plain lines now and then in a log file."""

    def __init__(self, bar: Bar | None) -> None:
        self._bar = bar
        self._task = bar.add_task("Starting", total=None, text="") if bar else None
        self._phase = "Starting"
        self._last_line = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Phase):
            self._show_phase(event.name)
        elif isinstance(event, Progress):
            self._show_progress(event)
        elif isinstance(event, Message):
            console.print(event.text, style=_STYLES.get(event.level, ""), markup=False)
        elif isinstance(event, Metrics):
            console.print(_metrics_line(event), markup=False)

    def _show_phase(self, name: str) -> None:
        self._phase = name
        if self._bar is not None and self._task is not None:
            self._bar.reset(self._task, description=name, total=None, text="")
        else:
            log.info(name)

    def _show_progress(self, event: Progress) -> None:
        left = _duration(event.remaining_s)
        text = " · ".join(part for part in (event.text, left) if part)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=event.done, total=event.total, text=text)
        elif time.monotonic() - self._last_line > _SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            console.print(f"{self._phase}: {event.done}/{event.total} {text}", markup=False)


@contextmanager
def reporting() -> Iterator[tuple[TerminalReporter, Cancel]]:
    """A reporter and a cancel token that Ctrl-C (or a polite kill) sets.

    The first signal lets the work stop at its next step and keep what it has; a second one
    stops at once.
    """
    cancel = Cancel()
    with _signals(cancel):
        if not console.is_terminal:
            yield TerminalReporter(None), cancel
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"))
        with Bar(*columns, console=console, transient=True) as bar:
            yield TerminalReporter(bar), cancel


def run_command(command: Callable[[], object]) -> int:
    """Call `command`; its exit status: 0, 1 with one line on standard error, 130 cancelled.

    What no module foresees of the machine's failures (a drive that drops, memory that runs out),
    and a fault of the program itself, is one readable line too.
    """
    try:
        command()
    except MonetError as error:
        return _failed(str(error))
    except CancelledError:
        console.print("monet: cancelled; what was finished is kept", markup=False)
        return 130
    except BrokenPipeError:
        return 1
    except Exception as error:
        log.info("error at the end of the command", exc_info=error)
        return _failed(in_words(error, _AGAIN, _FAULT))
    return 0


def _failed(text: str) -> int:
    console.print(f"monet: {text}", style="red", markup=False)
    return 1


@contextmanager
def _signals(cancel: Cancel) -> Iterator[None]:
    def stop(number: int, _: FrameType | None) -> None:
        console.print("Stopping at the next step; once more to stop at once.")
        cancel.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _metrics_line(event: Metrics) -> str:
    shown = {k: v for k, v in event.values.items() if k.count("/") <= 2 and k != "learning_rate"}
    return f"epoch {event.epoch}: " + ", ".join(f"{k} {v:.4f}" for k, v in shown.items())


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min left"
    return f"{minutes} min {rest:02d} s left" if minutes else f"{rest} s left"


def set_up_logging(verbose: bool) -> None:
    """Warnings of the engine to standard error; everything with --verbose.

    The further processes of a training tell only what no other one knows.
    """
    quiet = logging.ERROR if is_helper() else logging.WARNING
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO if verbose else quiet,
        format="%(levelname)s %(name)s: %(message)s",
    )
    # Fabric tells at INFO what every run does, and sets its own logger's level when it is imported.
    for name in ("lightning_fabric", "lightning_fabric.utilities"):
        logging.getLogger(name).setLevel(logging.WARNING)
