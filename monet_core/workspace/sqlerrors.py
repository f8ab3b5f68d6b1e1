"""What SQLite complains of, in words that help."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monet_core.errors import OutputError

DAMAGED = "study-damaged"
_REOPEN = "Close and open the study again; its index is then rebuilt, and nothing rated is lost."
_KNOWN = {
    sqlite3.SQLITE_BUSY: (
        "study-busy",
        "another program keeps the study busy",
        "Wait for it or close it, then try again.",
    ),
    sqlite3.SQLITE_READONLY: (
        "not-writable",
        "the study cannot be written to",
        "Ask for permission to write there, or copy the study to a folder of your own.",
    ),
    sqlite3.SQLITE_FULL: (
        "disk-full",
        "the disk is full",
        "Free some space and try again; nothing was half-written.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "not-writable",
        "the study's index cannot be opened",
        "Check the drive and the permissions of the folder.",
    ),
    sqlite3.SQLITE_IOERR: (
        "not-writable",
        "the drive fails to read or write the study's index",
        "Check the drive (its cable, the network), then try again.",
    ),
    sqlite3.SQLITE_CORRUPT: (DAMAGED, "the study's index is damaged", _REOPEN),
    sqlite3.SQLITE_NOTADB: (DAMAGED, "the study's index is damaged", _REOPEN),
}
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn errors of SQLite about the index at `path` into OutputError; those of a bug stay."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        code = sqlite3.SQLITE_BUSY if code in _LOCKED else code
        if code not in _KNOWN:
            raise
        name, problem, remedy = _KNOWN[code]
        raise OutputError(name, f"{problem} ({error})", remedy=remedy, file=path) from error
