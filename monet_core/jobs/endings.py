"""What is said of a worker that is gone without having said how it ended."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from monet_core.jobs.launching import OUTPUT

CANNOT_WRITE = 74
"""Exit status of a worker that could not even write down its failure."""
ALREADY_RUNNING = 75
"""Exit status of a worker that found another one at work in its folder."""
_FULL_BYTES = 10_000_000
_GO_ON = "What was finished is kept: go on from there."


def last_words(code: int | None, folder: Path) -> tuple[bool, str]:
    """Whether the work was interrupted (it failed otherwise), and why: what the user reads.

    `code` is the exit status, negative for a signal, None where it is not known.
    """
    if _disk_is_full(folder):
        return False, f"{folder}: the disk is full. Free some space. {_GO_ON}"
    if code == CANNOT_WRITE:
        return False, f"{folder}: cannot be written to. Check the drive. {_GO_ON}"
    if code is None:
        return True, (
            "The work ended while nobody watched: the computer was switched off, its memory ran"
            f" out, or the process was killed. {_GO_ON}"
        )
    if code == -signal.SIGTERM:
        return True, f"The work was ended from outside (as by a shutdown). {_GO_ON}"
    if code == -getattr(signal, "SIGKILL", 9):
        return True, (
            "The work was killed, most likely because the computer's memory ran out. Close other"
            f" programs or choose smaller patches. {_GO_ON}"
        )
    if code < 0:
        return True, f"The work crashed ({_signal_name(-code)}). {_GO_ON} Details are in its log."
    return False, (
        f"The work broke off (exit status {code}){_last_output(folder)}. Details are in its log;"
        " if it happens again, please report it."
    )


def _disk_is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _FULL_BYTES
    except OSError:
        return False


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last_output(folder: Path) -> str:
    try:
        lines = (folder / OUTPUT).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip()]
    return f": {said[-1][:300].rstrip('.')}" if said else ""
