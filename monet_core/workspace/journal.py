"""The study's journal: every row that people made, as lines of JSON beside the index.

The index can be rebuilt from it. A row's last line counts. What can be computed again (pictures,
volumes, what a scan's header says) is not in it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from monet_core.files import telling_about
from monet_core.workspace.places import Stored

Row = tuple[str, dict[str, Any]]
"""A table's name, and a row of it by column."""


def append(path: Path, rows: Sequence[Row]) -> None:
    """Add rows and force them to the disk; OutputError where it is full or read-only."""
    # Each line begins with its line break, so that one after a torn line is whole again.
    lines = (
        "\n" + json.dumps([table, {k: _jsonable(v) for k, v in row.items()}]) for table, row in rows
    )
    with telling_about(path), path.open("ab") as stream:
        stream.write("".join(lines).encode())
        stream.flush()
        os.fsync(stream.fileno())


def read(path: Path) -> Iterator[Row]:
    """The rows in the order in which they were written; torn and strange lines are left out."""
    if not path.is_file():
        return
    for line in path.read_bytes().split(b"\n"):
        try:
            table, row = json.loads(line)
            yield str(table), {str(k): _stored(v) for k, v in row.items()}
        except (ValueError, TypeError, AttributeError):
            continue


def _jsonable(value: Any) -> Any:
    return {"bytes": value.hex()} if isinstance(value, bytes) else value


def _stored(value: Any) -> Stored | int | float | None:
    if isinstance(value, dict):
        return bytes.fromhex(value["bytes"])
    return value
