"""Pictures of slices with outlines: made in the background, kept in the study. No Qt."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

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
VERSION = 2
LARGE, SMALL = 208, 62
"""Heights of the tallest slice in pixels: at about these sizes both are seen, so that outlines one
pixel wide stay visible."""


class Pictures(NamedTuple):
    """The same slices twice, as PNG: to look at alone, and for the grid."""

    large: bytes
    small: bytes


class Mosaics:
    """PNGs by segmentation's id, large and small; the latest wish is made first."""

    made = Signal(int)

    def __init__(self, session: Session) -> None:
        self.session = session
        self._pictures: OrderedDict[int, Pictures] = OrderedDict()
        self._problems: dict[int, str] = {}
        self._wishes: list[Item] = []
        self._running: set[int] = set()
        session.study_changed.connect(lambda _: self.forget())

    def png(self, item: Item, small: bool = False) -> bytes | None:
        """The picture of an item if it is there; see `wish`."""
        found = self._pictures.get(item.segmentation.id)
        return None if found is None else found.small if small else found.large

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
                pictures_of, item, study.folder / ".monet" / "mosaics",
                done=lambda made, key=key: self._done(key, made),
                failed=lambda error, key=key: self._failed(key, error),
            )  # fmt: skip

    def _done(self, key: int, made: Pictures) -> None:
        self._pictures[key] = made
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


def pictures_of(item: Item, folder: Path) -> Pictures:
    """The pictures of an item: from `folder`, unless scan or labels changed since; a second."""
    stem = _fingerprint(item)
    files = [folder / f"{stem}-{size}.png" for size in (LARGE, SMALL)]
    if all(file.is_file() for file in files):
        return Pictures(*(file.read_bytes() for file in files))
    decisions = item.scan.decisions
    scan = read_scan(item.scan.path, decisions)
    labels = labels_on(scan, read_labels(item.segmentation.path, decisions))
    protocol = load_protocol(item.segmentation.protocol)
    made = [png_bytes(mosaic(scan, labels, protocol, height=size)) for size in (LARGE, SMALL)]
    for file, data in zip(files, made, strict=True):
        with atomic_path(file) as temporary:
            temporary.write_bytes(data)
    return Pictures(*made)


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
