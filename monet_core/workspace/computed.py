"""What was computed from a file once, kept until the file changes."""

from __future__ import annotations

from pathlib import Path

from monet_core.workspace.database import Database


def file_stamp(*paths: Path) -> str:
    """Size and time of files; "" where one is not there."""
    try:
        found = [path.stat() for path in paths]
    except OSError:
        return ""
    return ";".join(f"{one.st_size},{one.st_mtime_ns}" for one in found)


def recall(database: Database, kind: str, number: int, stamp: str) -> str | None:
    """What was computed of scan or segmentation `number`, if from a file with that stamp.

    With an empty stamp, whatever was computed last: the file may be on a drive that is away.
    """
    with database.reading() as connection:
        row = connection.execute(
            "SELECT stamp, data FROM computed WHERE kind = ? AND id = ?", (kind, number)
        ).fetchone()
    return str(row[1]) if row and (not stamp or row[0] == stamp) else None


def recall_all(database: Database, kind: str) -> dict[int, tuple[str, str]]:
    """Stamp and data of everything of one kind, by id."""
    with database.reading() as connection:
        rows = connection.execute("SELECT id, stamp, data FROM computed WHERE kind = ?", (kind,))
        return {row[0]: (row[1], row[2]) for row in rows}


def remember(database: Database, kind: str, number: int, stamp: str, data: str) -> None:
    """Keep what was computed."""
    with database.writing() as write:
        write.execute(
            "INSERT OR REPLACE INTO computed (kind, id, stamp, data) VALUES (?, ?, ?, ?)",
            (kind, number, stamp, data),
        )
