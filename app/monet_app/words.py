"""Numbers as users read them: durations, memory, counts. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from monet_core.errors import MonetError


def duration(seconds: float) -> str:
    """About how long: "40 s", "12 min", "1 h 24 min"."""
    whole = max(1, round(seconds))
    if whole < 100:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def gigabytes(number: float) -> str:
    """Bytes in GB, as "9.2 GB"."""
    return f"{number / 1e9:.1f} GB"


def count(number: int, one: str, many: str = "") -> str:
    """ "1 scan", "3 scans"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """The first `most` names, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def dice(value: float | None) -> str:
    """A Dice coefficient as papers write it: ".739"; "–" where there is none."""
    if value is None or value != value:
        return "–"
    return f"{value:.3f}".removeprefix("0")


def in_words(error: Exception) -> str:
    """What went wrong and what to do, without the file, which the user has before them."""
    if isinstance(error, MonetError):
        problem = error.problem[:1].upper() + error.problem[1:]
        return f"{problem.rstrip('.')}. {error.remedy}".strip()
    return str(error)


def when(seconds_or_iso: float | str) -> str:
    """A moment in local time: "28 Nov 2026, 04:58"; "" where it is not readable."""
    try:
        if isinstance(seconds_or_iso, str):
            moment = datetime.fromisoformat(seconds_or_iso).astimezone()
        else:
            moment = datetime.fromtimestamp(seconds_or_iso).astimezone()
    except (ValueError, OverflowError, OSError):
        return ""
    return f"{moment.day} {moment:%b %Y, %H:%M}"


def day(seconds: float) -> str:
    """A moment in few letters: "28 Nov, 04:58"."""
    moment = datetime.fromtimestamp(seconds).astimezone()
    return f"{moment.day} {moment:%b, %H:%M}"
