"""Segmentations as rows of the index."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from monet_core.errors import DatasetError
from monet_core.workspace.database import Database, Transaction
from monet_core.workspace.entries import SegmentationEntry
from monet_core.workspace.labels import LabelsFound, title
from monet_core.workspace.places import Places, readable

_COLUMNS = "id, scan_id, name, path, protocol, source, model, created, parent_id"


def now() -> str:
    """The time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class SegmentationRows:
    """The study's segmentations."""

    def __init__(self, database: Database, places: Places) -> None:
        self._database = database
        self._places = places

    def all(self, scan_id: int | None = None) -> list[SegmentationEntry]:
        """Those of one scan, or of all scans that were not removed, oldest first."""
        where, values = "removed = 0", ()
        if scan_id is not None:
            where, values = "scan_id = ? AND removed = 0", (scan_id,)  # type: ignore[assignment]
        else:
            where += " AND scan_id IN (SELECT id FROM scans WHERE removed = 0)"
        return self._read(f"{where} ORDER BY id", values)

    def one(self, segmentation_id: int) -> SegmentationEntry:
        """The segmentation of an id; DatasetError where there is none or it was removed."""
        found = self._read("id = ? AND removed = 0", (segmentation_id,))
        if not found:
            raise DatasetError(
                "no-such-segmentation",
                f"the study has no segmentation number {segmentation_id}",
                remedy="It was removed; segment or import it again.",
            )
        return found[0]

    def put(
        self,
        write: Transaction,
        scan_id: int,
        labels: LabelsFound,
        name: str = "",
        parent_id: int | None = None,
    ) -> int:
        """Register a label map of a scan; a file known already is updated. Returns its id."""
        stored = self._places.store(labels.path)
        row = write.execute(
            "SELECT id FROM segmentations WHERE scan_id = ? AND path = ?",
            (scan_id, stored),
        ).fetchone()
        values: dict[str, Any] = {
            "protocol": self._places.store_protocol(labels.protocol),
            "source": labels.source,
            "model": labels.model,
            "created": labels.created or now(),
        }
        if row is None:
            name = self._name(write, scan_id, name or title(*_who(labels)))
            return write.insert(
                "segmentations",
                scan_id=scan_id,
                name=name,
                path=stored,
                parent_id=parent_id,
                **values,
            )
        if name:
            values["name"] = readable(name)
        write.update("segmentations", row[0], removed=0, **values)
        return int(row[0])

    def set_protocol(self, write: Transaction, entry: SegmentationEntry, protocol: str) -> None:
        """Say which atlas a segmentation is of; its name follows unless somebody gave it one."""
        values = {"protocol": self._places.store_protocol(protocol)}
        if entry.name.startswith(title(entry.protocol, entry.source, entry.model)):
            wanted = title(protocol, entry.source, entry.model)
            values["name"] = self._name(write, entry.scan_id, wanted)
        write.update("segmentations", entry.id, **values)

    def add_found(self, write: Transaction, scan_id: int, labels: LabelsFound) -> int:
        """Register a label map that was found; what people said of a known one stays."""
        stored = self._places.store(labels.path)
        row = write.execute(
            "SELECT id, protocol, created FROM segmentations WHERE scan_id = ? AND path = ?",
            (scan_id, stored),
        ).fetchone()
        if row is None or (labels.created and labels.created != row[2]):
            return self.put(write, scan_id, labels)
        if labels.protocol and not row[1]:
            protocol = self._places.store_protocol(labels.protocol)
            write.update("segmentations", row[0], protocol=protocol)
        return int(row[0])

    def _read(self, where: str, values: tuple[Any, ...]) -> list[SegmentationEntry]:
        query = f"SELECT {_COLUMNS} FROM segmentations WHERE {where}"
        with self._database.reading() as connection:
            rows = connection.execute(query, values).fetchall()
        return [self._entry(row) for row in rows]

    def _entry(self, row: tuple[Any, ...]) -> SegmentationEntry:
        number, scan_id, name, path, protocol, source, model, created, parent_id = row
        return SegmentationEntry(
            id=number,
            scan_id=scan_id,
            name=name,
            path=self._places.path(path),
            protocol=self._places.protocol(protocol),
            source=source,
            model=model,
            created=created,
            parent_id=parent_id,
        )

    def _name(self, write: Transaction, scan_id: int, wanted: str) -> str:
        query = "SELECT name FROM segmentations WHERE scan_id = ?"
        taken = {row[0] for row in write.execute(query, (scan_id,))}
        wanted = readable(wanted)
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted} {number}"
        return name


def _who(labels: LabelsFound) -> tuple[str, Any, str]:
    return labels.protocol, labels.source, labels.model
