"""What the app tells beside its panels: what happened, why, and what to do. No Qt."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from monet_core.errors import MonetError

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Notice:
    """One message; `actions` are buttons (text, what it does), `details` unfold."""

    level: Level
    text: str
    remedy: str = ""
    details: str = ""
    actions: tuple[tuple[str, Callable[[], None]], ...] = field(default=(), compare=False)


def notice_of(error: Exception, doing: str = "") -> Notice:
    """The notice of an error: a MonetError in its own words, others as the program's fault."""
    if isinstance(error, MonetError):
        where = f"{error.file}: " if error.file else ""
        return Notice("error", f"{where}{error.problem.rstrip('.')}.", error.remedy)
    if isinstance(error, MemoryError):
        return Notice("error", f"{doing or 'This'} needs more memory than is free.",
                      "Close other programs, or choose smaller patches.")  # fmt: skip
    if isinstance(error, OSError):
        what = error.strerror or str(error)
        file = f"{error.filename}: " if error.filename else ""
        return Notice("error", f"{file}{what}.", "Check the file and its drive, then try again.")
    text = f"{doing or 'Something'} failed in a way the program did not expect: {error}"
    details = "".join(traceback.format_exception(error))
    return Notice("error", text, "Please copy the details into a bug report.", details)
