"""The tables of a study's index."""

from __future__ import annotations

import sqlite3

VERSION = 1

# Ids are never given twice, so that a rating cannot come to belong to another scan.
TABLES = (
    """CREATE TABLE meta (key TEXT PRIMARY KEY, value)""",
    """CREATE TABLE scans (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        path NOT NULL UNIQUE,
        subject TEXT NOT NULL DEFAULT '',
        split TEXT,
        decisions TEXT NOT NULL DEFAULT '',
        removed INTEGER NOT NULL DEFAULT 0,
        inspection TEXT NOT NULL DEFAULT '',
        revision INTEGER NOT NULL DEFAULT 0)""",
    """CREATE INDEX scans_revision ON scans (revision)""",
    """CREATE TABLE thumbnails (scan_id INTEGER PRIMARY KEY, png BLOB NOT NULL)""",
    """CREATE TABLE segmentations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        scan_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        path NOT NULL,
        protocol TEXT NOT NULL DEFAULT '',
        source TEXT NOT NULL,
        model TEXT NOT NULL DEFAULT '',
        created TEXT NOT NULL DEFAULT '',
        parent_id INTEGER,
        removed INTEGER NOT NULL DEFAULT 0,
        UNIQUE (scan_id, path))""",
    """CREATE INDEX segmentations_path ON segmentations (path)""",
    """CREATE TABLE ratings (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        scan_id INTEGER NOT NULL,
        segmentation_id INTEGER,
        grade TEXT NOT NULL,
        note TEXT NOT NULL,
        tags TEXT NOT NULL,
        rater TEXT NOT NULL,
        time TEXT NOT NULL,
        seconds REAL NOT NULL)""",
    """CREATE INDEX ratings_scan ON ratings (scan_id)""",
    """CREATE TABLE computed (
        kind TEXT NOT NULL,
        id INTEGER NOT NULL,
        stamp TEXT NOT NULL,
        data TEXT NOT NULL,
        PRIMARY KEY (kind, id))""",
    """INSERT INTO meta VALUES ('revision', 0)""",
)

JOURNALLED = {
    "scans": ("id", "name", "path", "subject", "split", "decisions", "removed"),
    "segmentations": (
        *("id", "scan_id", "name", "path", "protocol", "source", "model", "created"),
        *("parent_id", "removed"),
    ),
    "ratings": (
        *("id", "scan_id", "segmentation_id", "grade", "note", "tags", "rater", "time"),
        "seconds",
    ),
}
"""What people made: the tables and columns that the journal keeps."""


def version(connection: sqlite3.Connection) -> int:
    """The version of the tables, 0 where there are none yet."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def create(connection: sqlite3.Connection) -> None:
    """Make the tables, inside the caller's transaction."""
    for statement in TABLES:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")


def check(connection: sqlite3.Connection, thorough: bool) -> None:
    """Raise sqlite3.DatabaseError where pages or tables are not as they should be."""
    if thorough:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(str(found))
    for table, columns in JOURNALLED.items():
        connection.execute(f"SELECT {', '.join(columns)} FROM {table} LIMIT 1").fetchall()
    for table in ("meta", "thumbnails", "computed"):
        connection.execute(f"SELECT * FROM {table} LIMIT 1").fetchall()
