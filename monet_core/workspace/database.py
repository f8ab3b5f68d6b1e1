"""The study's index in SQLite: connections for any thread, transactions that reach the disk."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from monet_core.errors import OutputError
from monet_core.workspace import journal, schema
from monet_core.workspace.sqlerrors import in_words

BUSY_S = 20.0
MOST_IDLE = 4
_NETWORK = ("nfs", "cifs", "smb", "afs", "fuse.sshfs", "9p", "lustre", "beegfs", "gpfs")


class Transaction:
    """Writes that appear together or not at all; rows that people made go to the journal too."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.revision = 0
        self.kept: list[journal.Row] = []

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self.connection.execute(statement, values)

    def insert(self, table: str, **values: Any) -> int:
        """Insert a row and return its id."""
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"
        row_id = self.execute(statement, tuple(values.values())).lastrowid
        self._keep(table, {**values, "id": row_id})
        return int(row_id or 0)

    def update(self, table: str, row_id: int, **values: Any) -> None:
        """Set columns of one row."""
        changes = ", ".join(f"{name} = ?" for name in values)
        self.execute(f"UPDATE {table} SET {changes} WHERE id = ?", (*values.values(), row_id))
        columns = schema.JOURNALLED.get(table, ())
        if any(name in columns for name in values):
            found = self.execute(
                f"SELECT {', '.join(columns)} FROM {table} WHERE id = ?", (row_id,)
            )
            row = found.fetchone()
            if row is not None:
                self._keep(table, dict(zip(columns, row, strict=True)))

    def _keep(self, table: str, row: Mapping[str, Any]) -> None:
        columns = schema.JOURNALLED.get(table)
        if columns:
            self.kept.append((table, {name: row[name] for name in columns if name in row}))


class Database:
    """One index file with its journal. Connections are lent out, one to each use at a time."""

    def __init__(self, path: Path, journal_path: Path) -> None:
        self.path = path
        self.journal_path = journal_path
        self.generation = 0
        """Grows when another file has taken the index's place: what was read before is void."""
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._file: tuple[int, int] | None = None
        self._wal = not on_network(path)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with; OutputError where the index cannot be read."""
        with in_words(self.path):
            connection, generation = self._lend()
            try:
                yield connection
            finally:
                self._take_back(connection, generation)

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """A transaction, on the disk when left without error; nothing of it stays on an error.

        Raises OutputError where the index cannot be written or another program keeps it busy.
        """
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                transaction = Transaction(connection)
                transaction.revision = _next_revision(connection)
                yield transaction
                if transaction.kept:
                    # Before the commit: while the write lock is held nobody else adds lines.
                    journal.append(self.journal_path, transaction.kept)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def revision(self) -> int:
        """A number that grows with every transaction, of other programs too."""
        with self.reading() as connection:
            return int(connection.execute("SELECT value FROM meta").fetchone()[0])

    def connect(self) -> sqlite3.Connection:
        """A new connection; for `check` and `create`, the rest borrows one."""
        connection = sqlite3.connect(
            self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            self._configure(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Close the connections that nobody uses at the moment."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _configure(self, connection: sqlite3.Connection) -> None:
        # Write-ahead logs need shared memory, which network drives do not have.
        mode = "WAL" if self._wal else "DELETE"
        try:
            connection.execute(f"PRAGMA journal_mode = {mode}").fetchone()
        except sqlite3.OperationalError:
            if not self._wal:
                raise
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        connection.execute("PRAGMA synchronous = FULL")

    def _lend(self) -> tuple[sqlite3.Connection, int]:
        file = self._identity()
        stale: list[sqlite3.Connection] = []
        with self._lock:
            if self._file != file:
                self.generation += 1
                self._file = file
                stale, self._idle = self._idle, []
            connection = self._idle.pop() if self._idle else None
            generation = self.generation
        for old in stale:
            old.close()
        return connection or self.connect(), generation

    def _take_back(self, connection: sqlite3.Connection, generation: int) -> None:
        with self._lock:
            if generation == self.generation and len(self._idle) < MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def _identity(self) -> tuple[int, int]:
        """Which file this is; OutputError where it is gone, instead of a new empty index."""
        try:
            found = os.stat(self.path)  # noqa: PTH116 - before every use
        except OSError as error:
            raise OutputError(
                "study-gone",
                f"the study's index is not there any more ({error.strerror or error})",
                remedy="Check the drive, then open the study again.",
                file=self.path,
            ) from error
        return found.st_dev, found.st_ino


def _next_revision(connection: sqlite3.Connection) -> int:
    connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
    return int(connection.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()[0])


def on_network(path: Path) -> bool:
    """Whether `path` lies on a network drive, as far as the system tells."""
    real = os.path.realpath(path)
    try:
        drives = [d for d in psutil.disk_partitions(all=True) if _below(real, d.mountpoint)]
    except OSError:
        return False
    if not drives:
        return False
    drive = max(drives, key=lambda d: len(d.mountpoint))
    return drive.fstype.lower().startswith(_NETWORK)


def _below(path: str, mountpoint: str) -> bool:
    return path == mountpoint or path.startswith(mountpoint.rstrip(os.sep) + os.sep)
