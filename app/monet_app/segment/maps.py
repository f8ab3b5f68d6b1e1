"""Where the model was unsure: entropy maps of the segmentations on the stage. No Qt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from monet_app.session import Session, Shown
from monet_core.scans import Decisions, Geometry, read_geometry
from monet_core.scans.header import read_header
from monet_core.scans.voxels import as_float32

KEY = "uncertainty"
_LABELS, _MAP = "_dseg.nii.gz", "_desc-entropy_probseg.nii.gz"
LIMITS = (0.0, 1.5)
"""Nats: sure, and as unsure as between 4 or 5 regions."""


class UncertaintyMaps:
    """The map that lies over the scan, one at a time; `changed` when there are others."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        self.session = session
        self.shown_key = ""
        self._maps: dict[str, Path] = {}
        session.shown_changed.connect(self._look)
        self._look()

    @property
    def available(self) -> dict[str, str]:
        """Names of the segmentations on the stage that have a map, by key."""
        shown = self.session.shown
        return {key: shown[key].entry.name for key in self._maps if key in shown}

    def show(self, key: str) -> None:
        """Lay the map of a segmentation over the scan."""
        path, current = self._maps.get(key), self.session.current
        if path is None or current is None:
            return

        def ready(read: tuple[NDArray[np.float32], Geometry]) -> None:
            stage, wanted = self.session.stage, self.shown_key == key
            if stage is not None and wanted and self.session.current is current:
                stage.show_map(KEY, *read, colormap="inferno", limits=LIMITS)

        def failed(error: Exception) -> None:
            self.hide()
            self.session.tell(error, "Reading the uncertainty")

        self.shown_key = key
        self.session.run(_read, path, current.decisions, done=ready, failed=failed, key=KEY)
        self.changed.emit()

    def hide(self) -> None:
        """Take the map away."""
        self.shown_key = ""
        if self.session.stage is not None:
            self.session.stage.remove_map(KEY)
        self.changed.emit()

    def _look(self) -> None:
        found = {key: map_of(shown) for key, shown in self.session.shown.items()}
        self._maps = {key: path for key, path in found.items() if path is not None}
        if self.shown_key and self.shown_key not in self._maps:
            self.hide()
        else:
            self.changed.emit()


def map_of(shown: Shown) -> Path | None:
    """The entropy map beside a segmentation's file, where there is one."""
    path = shown.entry.path
    beside = path.with_name(path.name.removesuffix(_LABELS) + _MAP)
    return beside if path.name.endswith(_LABELS) and beside.exists() else None


def _read(path: Path, decisions: Decisions) -> tuple[NDArray[np.float32], Geometry]:
    values, _ = as_float32(read_header(path))
    return values, read_geometry(path, decisions)
