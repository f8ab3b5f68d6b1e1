"""Pictures of slices with outlines: made in the background, kept in the study. No Qt."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from psygnal import Signal

from monet_app.review.queue import Item
from monet_app.scan_grid import labels_on
from monet_app.session import Session
from monet_core.errors import DatasetError, MonetError
from monet_core.files import atomic_path
from monet_core.protocols import load_protocol
from monet_core.quality import mosaic, png_bytes
from monet_core.scans import read_labels, read_scan

AT_ONCE = 1
"""Made at the same time; opening scans must not wait for pictures."""
MOST_KEPT = 120
MOST_WISHED = 40
VERSION = 1


class Mosaics:
    """PNGs by segmentation's id; the latest wish is made first."""

    made = Signal(int)

    def __init__(self, session: Session) -> None:
        self.session = session
        self._pictures: OrderedDict[int, bytes] = OrderedDict()
        self._problems: dict[int, str] = {}
        self._wishes: list[Item] = []
        self._running: set[int] = set()
        session.study_changed.connect(lambda _: self.forget())

    def png(self, item: Item) -> bytes | None:
        """The picture of an item if it is there; see `wish`."""
        return self._pictures.get(item.segmentation.id)

    def problem(self, item: Item) -> str:
        """Why there can be no picture; "" where there can."""
        return self._problems.get(item.segmentation.id, "")

    def wish(self, items: Iterable[Item]) -> None:
        """Make these first; `made` tells when each is there (or cannot be made)."""
        for item in items:
            key = item.segmentation.id
            if key in self._pictures or key in self._problems or key in self._running:
                continue
            self._wishes = [each for each in self._wishes if each.segmentation.id != key]
            self._wishes = [item, *self._wishes][:MOST_WISHED]
        self._go_on()

    def forget(self) -> None:
        """Nothing is wished or remembered any more; the files stay."""
        self._wishes.clear()
        self._pictures.clear()
        self._problems.clear()

    def _go_on(self) -> None:
        study = self.session.study
        while self._wishes and len(self._running) < AT_ONCE and study is not None:
            item = self._wishes.pop(0)
            key = item.segmentation.id
            self._running.add(key)
            self.session.run(
                mosaic_png, item, study.folder / ".monet" / "mosaics",
                done=lambda png, key=key: self._done(key, png),
                failed=lambda error, key=key: self._failed(key, error),
            )  # fmt: skip

    def _done(self, key: int, png: bytes) -> None:
        self._pictures[key] = png
        while len(self._pictures) > MOST_KEPT:
            self._pictures.popitem(last=False)
        self._ended(key)

    def _failed(self, key: int, error: Exception) -> None:
        self._problems[key] = error.problem if isinstance(error, MonetError) else str(error)
        self._ended(key)

    def _ended(self, key: int) -> None:
        self._running.discard(key)
        self.made.emit(key)
        self._go_on()


def mosaic_png(item: Item, folder: Path) -> bytes:
    """The picture of an item: from `folder`, unless scan or labels changed since; a second."""
    path = folder / f"{_fingerprint(item)}.png"
    if path.is_file():
        return path.read_bytes()
    decisions = item.scan.decisions
    scan = read_scan(item.scan.path, decisions)
    labels = labels_on(scan, read_labels(item.segmentation.path, decisions))
    data = png_bytes(mosaic(scan, labels, load_protocol(item.segmentation.protocol)))
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
    return data


def _fingerprint(item: Item) -> str:
    known: list[object] = [VERSION, str(item.scan.decisions)]
    for path in (item.scan.path, item.segmentation.path):
        try:
            status = path.stat()
        except OSError as error:
            raise DatasetError("not-found", f"{path.name} cannot be opened ({error.strerror})",
                               remedy="Put it back.", file=path) from error  # fmt: skip
        known += [str(path), status.st_mtime_ns, status.st_size]
    known.append(load_protocol(item.segmentation.protocol).fingerprint)
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:32]
