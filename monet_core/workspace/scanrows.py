"""Scans as rows of the index, and what an inspection found out about them."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from monet_core.datasets import Split
from monet_core.errors import DatasetError, OutputError
from monet_core.scans import Decisions
from monet_core.workspace.database import Database
from monet_core.workspace.entries import Question, ScanEntry
from monet_core.workspace.places import Places

_COLUMNS = "id, name, path, subject, split, decisions, removed, inspection, revision"
_NO_DECISIONS = Decisions()
_NUMBERS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Inspection:
    """What reading a scan told: see `ScanEntry`."""

    spacing: tuple[float, float, float] | None = None
    shape: tuple[int, int, int] | None = None
    orientation: str = ""
    problem: str = ""
    question: Question | None = None
    notes: tuple[str, ...] = ()

    def to_text(self) -> str:
        """As stored."""
        return json.dumps(asdict(self))


class ScanRows:
    """The study's scans, read again only where they changed."""

    def __init__(self, database: Database, places: Places) -> None:
        self._database = database
        self._places = places
        self._lock = threading.Lock()
        self._entries: dict[int, ScanEntry] = {}
        self._sorted: list[ScanEntry] | None = None
        self._seen = -1
        self._generation = database.generation

    def all(self) -> list[ScanEntry]:
        """Every scan that was not removed, by name, numbers in it by size."""
        with self._lock:
            self._refresh()
            if self._sorted is None:
                self._sorted = sorted(self._entries.values(), key=lambda entry: _order(entry.name))
                # In this order, so that the next sort has next to nothing to do.
                self._entries = {entry.id: entry for entry in self._sorted}
            return list(self._sorted)

    def one(self, scan_id: int) -> ScanEntry:
        """The scan of an id; DatasetError where there is none or it was removed."""
        with self._lock:
            self._refresh()
            entry = self._entries.get(scan_id)
        if entry is None:
            raise DatasetError(
                "no-such-scan",
                f"the study has no scan number {scan_id}",
                remedy="It was removed; add it again.",
            )
        return entry

    def thumbnail(self, scan_id: int) -> bytes | None:
        """The scan's picture as PNG, None before it was inspected or where it cannot be read."""
        try:
            with self._database.reading() as connection:
                query = "SELECT png FROM thumbnails WHERE scan_id = ?"
                row = connection.execute(query, (scan_id,)).fetchone()
        except OutputError:  # asked for while a list is drawn; the next call of the study tells
            return None
        return row[0] if row else None

    def _forget(self) -> None:
        self._entries.clear()
        self._sorted, self._seen = None, -1
        self._generation = self._database.generation

    def _refresh(self) -> None:
        with self._database.reading() as connection:
            if self._generation != self._database.generation:
                self._forget()
            query = f"SELECT {_COLUMNS} FROM scans WHERE revision > ?"
            rows = connection.execute(query, (self._seen,)).fetchall()
        for row in rows:
            if row[6]:
                self._entries.pop(row[0], None)
            else:
                self._entries[row[0]] = entry_of(row, self._places, self.thumbnail)
            self._seen = max(self._seen, row[8])
        if rows:
            self._sorted = None


def entry_of(
    row: tuple[Any, ...], places: Places, thumbnail: Callable[[int], bytes | None]
) -> ScanEntry:
    """The entry of a row."""
    scan_id, name, path, subject, split, decisions, _, inspection, _ = row
    return ScanEntry(
        id=scan_id,
        name=name,
        path=places.path(path),
        decisions=decisions_of(decisions),
        split=split_of(split),
        subject=subject,
        read_thumbnail=thumbnail,
        **(_fields_of(inspection) if inspection else {}),
    )


@lru_cache(maxsize=4096)
def _fields_of(inspection: str) -> dict[str, Any]:
    """An entry's fields from a stored inspection; scans of one scanner often share it."""
    found = json.loads(inspection)
    asked = found["question"]
    return {
        "inspected": True,
        "spacing": _three(found["spacing"]),
        "shape": _three(found["shape"]),
        "orientation": found["orientation"],
        "problem": found["problem"],
        "notes": tuple(found["notes"]),
        "question": Question(**{**asked, "choices": tuple(asked["choices"])}) if asked else None,
    }


def _three(values: list[Any] | None) -> Any:
    return tuple(values) if values else None


def split_of(text: str | None) -> Split | None:
    """A stored split."""
    return text if text in ("train", "validation", "test") else None  # type: ignore[return-value]


def decisions_text(decisions: Decisions) -> str:
    """Decisions as stored: "" for none."""
    return "" if decisions == _NO_DECISIONS else json.dumps(asdict(decisions))


def decisions_of(text: str) -> Decisions:
    """Decisions from `decisions_text`."""
    return Decisions(**json.loads(text)) if text else _NO_DECISIONS


@lru_cache(maxsize=1 << 16)
def _order(name: str) -> list[tuple[int, str]]:
    """Sorts sub-2 before sub-10."""
    parts = _NUMBERS.split(name.casefold())
    return [(int(p), "") if p.isdigit() and p.isascii() else (-1, p) for p in parts]
