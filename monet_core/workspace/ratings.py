"""What people said of scans and segmentations: kept at once, and twice."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from monet_core.errors import DatasetError
from monet_core.evaluation import write_tsv
from monet_core.workspace.database import Database
from monet_core.workspace.entries import Grade, Rating

_COLUMNS = "scan_id, segmentation_id, grade, note, tags, rater, time, seconds"


class Ratings:
    """The study's ratings; nothing is ever changed or deleted, the last one counts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, rating: Rating) -> None:
        """Keep a rating; it is in index and journal, on the disk, when this returns."""
        if rating.grade not in get_args(Grade):
            raise DatasetError(
                "no-such-grade",
                f"{rating.grade!r} is not a grade",
                remedy=f"Use one of {', '.join(get_args(Grade))}.",
            )
        values = {**asdict(rating), "tags": json.dumps(rating.tags)}
        with self._database.writing() as write:
            write.insert("ratings", **values)

    def all(self, scan_id: int | None = None) -> list[Rating]:
        """Those of one scan or of all scans, removed ones too, oldest first."""
        return self._read("" if scan_id is None else "WHERE scan_id = ?", scan_id)

    def latest(self, scan_id: int) -> Rating | None:
        """The last rating of a scan."""
        found = self._read("WHERE scan_id = ?", scan_id, "DESC LIMIT 1")
        return found[0] if found else None

    def latest_of_segmentations(self) -> dict[int, Rating]:
        """The last rating of every segmentation that has one, by its id."""
        rated = self.all()
        return {r.segmentation_id: r for r in rated if r.segmentation_id is not None}

    def export(self, path: Path) -> None:
        """Write a TSV: scan, segmentation, grade, tags, note, rater, time, seconds, model."""
        query = (
            "SELECT scans.name AS scan, segmentations.name AS segmentation, grade, tags, note,"
            " rater, time, seconds, model FROM ratings"
            " LEFT JOIN scans ON scans.id = ratings.scan_id"
            " LEFT JOIN segmentations ON segmentations.id = ratings.segmentation_id"
            " ORDER BY ratings.id"
        )
        with self._database.reading() as connection:
            cursor = connection.execute(query)
            columns = [column[0] for column in cursor.description]
            table = pd.DataFrame(cursor.fetchall(), columns=columns)
        table["tags"] = [", ".join(json.loads(tags)) for tags in table["tags"]]
        write_tsv(table.replace({"": None}), path)

    def _read(self, where: str, scan_id: int | None, order: str = "") -> list[Rating]:
        query = f"SELECT {_COLUMNS} FROM ratings {where} ORDER BY id {order}"
        with self._database.reading() as connection:
            values = () if scan_id is None else (scan_id,)
            rows = connection.execute(query, values).fetchall()
        return [_rating(row) for row in rows]


def _rating(row: tuple[Any, ...]) -> Rating:
    scan_id, segmentation_id, grade, note, tags, rater, time, seconds = row
    tagged = tuple(json.loads(tags))
    return Rating(scan_id, segmentation_id, grade, note, tagged, rater, time, seconds)
