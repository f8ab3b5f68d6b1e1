"""Opening a study's index: making it, or keeping a damaged one aside and rebuilding it."""

from __future__ import annotations

import logging
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from monet_core.errors import OutputError
from monet_core.files import require_writable, telling_about
from monet_core.workspace import journal, schema
from monet_core.workspace.database import BUSY_S, Database
from monet_core.workspace.sqlerrors import in_words

log = logging.getLogger(__name__)
HIDDEN, INDEX, JOURNAL = ".monet", "study.sqlite", "study.jsonl"
_LOCK = "opening.lock"
_THOROUGH_BYTES = 64_000_000
_WAIT_S = 60.0


def open_index(folder: Path) -> tuple[Database, bool, str]:
    """The index of the study in `folder`, whether it is empty and new, and what to tell of it.

    Raises OutputError where it cannot be written, or is of a newer version of the program.
    """
    hidden = require_writable(folder / HIDDEN)
    database = Database(hidden / INDEX, hidden / JOURNAL)
    # Two windows must not both rebuild.
    with telling_about(hidden), _opening(hidden), in_words(database.path):
        damage = _damage(database.path)
        told = _put_aside(database.path, damage) if damage else ""
        made, replayed = _make_if_missing(database)
    if replayed and not told:
        told = "The study's index was missing and was rebuilt from its journal."
    return database, made and not replayed, told


class _opening:  # noqa: N801 - a context
    """Waits for another window that opens the same study."""

    def __init__(self, hidden: Path) -> None:
        self._lock = FileLock(hidden / _LOCK)

    def __enter__(self) -> None:
        try:
            self._lock.acquire(timeout=_WAIT_S)
        except Timeout:
            raise OutputError(
                "study-busy",
                "another window is opening this study",
                remedy="Wait until it has, then try again.",
                file=self._lock.lock_file,
            ) from None

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _damage(path: Path) -> str:
    """What is wrong with an index, "" where nothing is or there is none."""
    if not path.is_file() or path.stat().st_size == 0:
        return ""
    # Not as the study connects, which would change a file that may be another program's.
    connection = sqlite3.connect(path, timeout=BUSY_S)
    try:
        version = schema.version(connection)
        if version > schema.VERSION:
            raise _too_new(path)
        if version or connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            schema.check(connection, path.stat().st_size < _THOROUGH_BYTES)
    except sqlite3.DatabaseError as error:
        return _if_damaged(error)
    finally:
        connection.close()
    return ""


def _if_damaged(error: sqlite3.DatabaseError) -> str:
    """The error in words; what is only busy, full or read-only is raised again."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    damaged = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
    if code not in damaged:
        raise error
    return str(error)


def _too_new(path: Path) -> OutputError:
    return OutputError(
        "study-too-new",
        "a newer version of MO-Net Studio made this study",
        remedy="Update the program, or choose another folder.",
        file=path,
    )


def _put_aside(path: Path, damage: str) -> str:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    # Its write-ahead log must not be taken for the new index's.
    for ending in ("-wal", "-shm", "-journal", ""):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.replace(aside.with_name(aside.name + ending))
    log.warning("index of the study damaged (%s), kept as %s", damage, aside)
    return (
        f"The study's index was damaged ({damage}). It was kept as {aside.name} and rebuilt from "
        "the study's journal and results; please check scans and ratings."
    )


def _make_if_missing(database: Database) -> tuple[bool, int]:
    """Whether the index was made, and how many lines of the journal are in it.

    In one transaction: a program killed meanwhile leaves no index, and the next makes it whole.
    """
    connection = database.connect()
    try:
        connection.execute("BEGIN IMMEDIATE")
        made = schema.version(connection) == 0
        replayed = 0
        if made:
            schema.create(connection)
            rows = journal.read(database.journal_path)
            replayed = sum(_replay_row(connection, table, row) for table, row in rows)
        connection.execute("COMMIT")
        return made, replayed
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.close()


def _replay_row(connection: sqlite3.Connection, table: str, row: dict[str, object]) -> bool:
    columns = [name for name in schema.JOURNALLED.get(table, ()) if name in row]
    if "id" not in columns:
        return False
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    try:
        connection.execute(statement, [row[name] for name in columns])
    except (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError) as error:
        log.warning("line of the journal left out: %s", error)
        return False
    return True
