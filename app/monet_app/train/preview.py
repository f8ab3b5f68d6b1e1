"""The validation scan's current segmentation in the viewer, while a training goes on. No Qt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from monet_app.segment.cards import PARTS
from monet_app.session import key_of
from monet_core.jobs import Event, Result
from monet_core.jobs.process import Job
from monet_core.training.settings import FULL, PARTIAL
from monet_core.workspace import ScanEntry, SegmentationEntry, Study

if TYPE_CHECKING:
    from monet_app.session import Session, Shown

_EPOCH = re.compile(r"epoch (\d+)")
Ras = tuple[float, float, float]


@dataclass(frozen=True)
class Preview:
    """The last preview of a run: which scan, how far the training was, how good it is."""

    run: Path
    scan: ScanEntry
    segmentation: SegmentationEntry
    epoch: int
    dice: float | None

    @property
    def text(self) -> str:
        """ "Preview: sub-9, epoch 60"."""
        return f"{self.scan.name}, epoch {self.epoch}"


class Previews:
    """Listens to trainings; `changed` when a preview came. `follow` shows them on the stage."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        self.session = session
        self.follow = True
        self.latest: dict[Path, Preview] = {}
        self._opened: set[Path] = set()
        self._after_opening: tuple[Path, int] | None = None
        session.shown_changed.connect(self._shown)
        session.job_event.connect(self._heard)

    def of(self, run: Path) -> Preview | None:
        """The last preview of a run."""
        return self.latest.get(run)

    def set_follow(self, follow: bool) -> None:
        """Whether previews are shown as they come."""
        self.follow = follow
        self.changed.emit()

    def open(self, run: Path) -> None:
        """Show a run's preview now, with its scan."""
        preview = self.latest.get(run)
        if preview is not None:
            self._show(preview, opening=True)

    def _shown(self) -> None:
        """Go where the user wanted to, now that the preview is on the stage."""
        if self._after_opening is not None:
            run, index = self._after_opening
            preview = self.latest.get(run)
            if preview is not None and key_of(preview.segmentation) in self.session.shown:
                self._after_opening = None
                self.go_to(run, index)

    def _heard(self, job: Job, event: Event) -> None:
        if not isinstance(event, Result) or event.kind != "preview" or self.session.study is None:
            return
        main = FULL if FULL in job.request.get("settings", {}).get("protocols", {}) else PARTIAL
        values = event.values
        if str(values.get("decoder")) != main:
            return
        run = Path(str(job.request.get("out", "")))
        protocol = str(job.request["settings"]["protocols"][main])
        self.session.run(
            _registered, self.session.study, run, values, protocol, main,
            done=self._came, doing="Reading the preview", key=f"preview-{run}",
        )  # fmt: skip

    def _came(self, preview: Preview) -> None:
        self.latest[preview.run] = preview
        self.session.segmentations_changed.emit()
        if self.follow:
            self._show(preview, opening=preview.run not in self._opened)
        self.changed.emit()

    def _show(self, preview: Preview, opening: bool) -> None:
        session = self.session
        self._opened.add(preview.run)
        if session.current is not None and session.current.id == preview.scan.id:
            shown = session.shown.get(key_of(preview.segmentation))
            if shown is None or shown.visible or opening:
                session.show(preview.segmentation)
        elif opening:
            session.open_scan(preview.scan, segmentations=[preview.segmentation])

    def find(self, run: Path, decoder: str) -> None:
        """Look for the last preview of a run that ended before the window was opened."""
        study = self.session.study
        if study is None or run in self.latest:
            return

        def found(preview: Preview | None) -> None:
            if preview is not None:
                self.latest.setdefault(run, preview)
                self.changed.emit()

        self.session.run(_stored, study, run, decoder, done=found, key=f"preview-of-{run}")

    def go_to(self, run: Path, index: int) -> None:
        """Move the cross-hair into a region of the preview's scan: where the model finds it, else
        where the scan's own labels have it."""
        preview, session = self.latest.get(run), self.session
        shown = session.shown.get(key_of(preview.segmentation)) if preview else None
        if preview is None:
            session.notify("info", "There is no preview yet to show the region on.")
            return
        if shown is None:
            self._after_opening = run, index
            self.open(run)
            return
        others = [each for each in session.shown.values() if _same_atlas(each, shown)]

        def found(place: Ras | None) -> None:
            if place is None:
                session.notify("info", "The model does not find this region yet.")
                return
            session.go_to(place)
            session.pick_region(shown.key, index)

        session.run(_middle_of, [shown, *others], index, done=found, key="train-region")


def _registered(
    study: Study, run: Path, values: dict[str, Any], protocol: str, decoder: str
) -> Preview:
    """The preview as a segmentation of its scan, which enters the study where it is not in it."""
    source = Path(str(values["source"]))
    entry = next((each for each in study.scans() if each.path == source), None)
    if entry is None:
        entry = study.add([source])[0]
    epoch = int(values.get("epoch", 0))
    name = f"{run.name}, epoch {epoch} ({PARTS[decoder].lower()})"
    segmentation = study.add_segmentation(
        entry.id, Path(str(values["path"])), protocol, "preview", name=name, model=run.name
    )
    return Preview(run, entry, segmentation, epoch, values.get("dice"))


def _stored(study: Study, run: Path, decoder: str) -> Preview | None:
    """The preview that the study knows of a run; its Dice is told elsewhere."""
    for each in study.all_segmentations():
        mine = each.path.parent == run / "preview" and f"_{decoder}_dseg" in each.path.name
        if mine and each.source == "preview" and each.path.exists():
            epoch = _EPOCH.search(each.name)
            number = int(epoch[1]) if epoch else 0
            return Preview(run, study.scan(each.scan_id), each, number, None)
    return None


def _same_atlas(one: Shown, other: Shown) -> bool:
    return one is not other and one.protocol.fingerprint == other.protocol.fingerprint


def _middle_of(shown: list[Shown], index: int) -> Ras | None:
    """A voxel of the region near its middle, in world coordinates; None where there is none."""
    for each in shown:
        places = np.argwhere(each.labels.data == index)
        if len(places):
            middle = places.mean(axis=0)
            nearest = places[np.argmin(((places - middle) ** 2).sum(axis=1))]
            affine = np.asarray(each.labels.geometry.affine)
            x, y, z = affine[:3, :3] @ nearest + affine[:3, 3]
            return float(x), float(y), float(z)
    return None
