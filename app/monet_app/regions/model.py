"""What the Regions panel knows and does: which regions are drawn, their figures. No Qt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
from psygnal import Signal

from monet_app.atlases import atlas_title
from monet_app.origins import origin_of
from monet_app.regions.figures import Figures, Measured, measure
from monet_app.regions.tree import Node, region_tree
from monet_app.session import Session, Shown
from monet_core.evaluation import write_tsv
from monet_core.files import atomic_path


@dataclass(eq=False)
class View:
    """One segmentation on the stage, as a tree of its regions.

    `hidden` are the regions that are not drawn, `isolated` those that alone are drawn for the
    moment. `measured` is None until the background has done it.
    """

    shown: Shown
    root: Node
    hidden: set[int] = field(default_factory=set)
    isolated: tuple[int, ...] | None = None
    measured: Measured | None = None
    _figures: dict[Node, Figures] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many regions the atlas has."""
        return len(self.root.indices)

    def figures(self, node: Node) -> Figures | None:
        """The figures of a row; None while they are not measured."""
        if self.measured is None:
            return None
        if node not in self._figures:
            region = node.region
            self._figures[node] = (
                self.measured.of_region(region.index, region.pair)
                if region is not None
                else self.measured.of(node.indices)
            )
        return self._figures[node]

    def take(self, measured: Measured) -> None:
        """Have other figures from now on."""
        self.measured = measured
        self._figures.clear()

    def drawn(self, node: Node) -> bool | None:
        """Whether a row is drawn; None where some of it is."""
        hidden = sum(index in self.hidden for index in node.indices)
        return None if 0 < hidden < len(node.indices) else hidden == 0


class RegionsModel:
    """The segmentations of the scan on the stage; `active` is the one whose tree is looked at.

    What is hidden is kept by atlas, so that the next scan shows the same regions.
    """

    listed = Signal()
    """Segmentations came or went, or another is active."""
    measured = Signal(str)
    """(key): its figures are there."""
    drawn = Signal(str)
    """(key): other regions of it are drawn."""
    picked = Signal(str, int)
    """(key, index): this region is meant."""
    looks = Signal()
    """Opacity or outline changed."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.views: dict[str, View] = {}
        self.active = ""
        self._hidden: dict[str, frozenset[int]] = {}
        self._atlas = ""
        session.shown_changed.connect(self.refresh)
        session.region_picked.connect(self._was_picked)
        if session.stage is not None:
            session.stage.set_opacity(session.settings.opacity)
            session.stage.set_outline(session.settings.outline)
            session.stage.viewChanged.connect(self._stage_changed)
        self.refresh()

    @property
    def view(self) -> View | None:
        """The active segmentation."""
        return self.views.get(self.active)

    def title(self, key: str) -> str:
        """What a segmentation is called: by its atlas, and by its maker where that is not clear."""
        shown = self.views[key].shown
        title = atlas_title(shown.protocol)
        same = [view for view in self.views.values() if atlas_title(view.shown.protocol) == title]
        return title if len(same) == 1 else f"{origin_of(shown.entry).name} · {title}"

    def refresh(self) -> None:
        """Take over what the session shows now; turn to another that is seen when the active
        one is switched off."""
        before, was_seen = self.active, self.view is not None and self.view.shown.visible
        views = {key: self._view(key, shown) for key, shown in self.session.shown.items()}
        changed = [*views.values()] != [*self.views.values()]
        self.views = views
        if self.view is None or (was_seen and not self.view.shown.visible):
            self.active = self._next_active()
        if changed or self.active != before:
            self.listed.emit()

    def activate(self, key: str) -> None:
        """Look at another segmentation's regions."""
        if key in self.views and key != self.active:
            self.active = key
            self._atlas = self.views[key].shown.protocol.fingerprint
            self.listed.emit()

    # -- what is drawn ----------------------------------------------------------------------

    def set_drawn(self, indices: Iterable[int], drawn: bool) -> None:
        """Draw these regions of the active segmentation, or not."""
        view = self.view
        if view is not None:
            chosen = set(indices)
            self._hide(view, view.hidden - chosen if drawn else view.hidden | chosen)

    def only(self, indices: Iterable[int]) -> None:
        """Draw these and hide all others."""
        view = self.view
        if view is not None:
            self._hide(view, set(view.root.indices) - set(indices))

    def isolate(self, indices: Sequence[int]) -> None:
        """Draw these alone for the moment; the same again (or none) brings back the others."""
        view = self.view
        if view is None:
            return
        chosen = tuple(indices)
        view.isolated = None if chosen in ((), view.isolated) else chosen
        if self.session.stage is not None:
            self.session.stage.isolate(self.active, view.isolated)
        self.drawn.emit(self.active)

    def _hide(self, view: View, hidden: set[int]) -> None:
        if view.isolated is not None:
            self.isolate(())
        view.hidden = hidden
        self._hidden[view.shown.protocol.fingerprint] = frozenset(hidden)
        if self.session.stage is not None:
            self.session.stage.set_hidden(view.shown.key, frozenset(hidden))
        self.drawn.emit(view.shown.key)

    def show_in_3d(self, indices: Collection[int]) -> None:
        """Draw surfaces: of these regions, or of all that are drawn where none is chosen."""
        view, stage = self.view, self.session.stage
        if view is None or stage is None:
            return
        wanted = set(indices) or set(view.isolated or set(view.root.indices) - view.hidden)
        if view.measured is not None:
            wanted &= view.measured.present
        if stage.layout not in ("four", "3d"):
            stage.set_layout("four")
        stage.set_mesh_regions(self.active, sorted(wanted))

    # -- going through the regions ----------------------------------------------------------

    def go_to(self, index: int) -> None:
        """Move the cross-hair into a region, and tell every panel that it is meant."""
        view = self.view
        if view is None:
            return
        self.session.pick_region(self.active, index)
        if view.isolated is not None and index not in view.isolated:
            self.isolate((index,))
        if view.measured is not None and index in view.measured.places:
            self.session.go_to(view.measured.places[index])

    def step(self, order: Sequence[int], now: int | None, by: int) -> int | None:
        """Go to the next (1) or previous (-1) region of `order` that exists; it, or None."""
        view = self.view
        if view is None:
            return None
        present = view.measured.present if view.measured else set(order)
        at = order.index(now) if now in order else (-1 if by > 0 else len(order))
        rest = order[at + 1 :] if by > 0 else order[:at][::-1] if at > 0 else ()
        found = next((index for index in rest if index in present), None)
        if found is not None:
            self.go_to(found)
        return found

    # -- looks, figures ---------------------------------------------------------------------

    def set_opacity(self, opacity: float) -> None:
        """Opacity of all segmentations, 0 to 1; kept in the settings."""
        self.session.settings.opacity = opacity
        if self.session.stage is not None:
            self.session.stage.set_opacity(opacity)

    def set_outline(self, width: int) -> None:
        """Fill regions (0) or draw outlines `width` voxels wide; kept in the settings."""
        self.session.settings.outline = width
        if self.session.stage is not None:
            self.session.stage.set_outline(width)

    def measure_edited(self, key: str) -> None:
        """Measure a segmentation again as it was painted on the stage."""
        view, stage = self.views.get(key), self.session.stage
        if view is not None and stage is not None:
            self._measure(view, replace(view.shown.labels, data=stage.edited_labels(key)))

    def table(self) -> pd.DataFrame | None:
        """The volumes of the active segmentation, with its scan and name in front."""
        view = self.view
        if view is None or view.measured is None:
            return None
        table = view.measured.table.copy()
        current = self.session.current
        table.insert(0, "segmentation", view.shown.entry.name)
        table.insert(0, "scan", current.name if current else "")
        return table

    def export(self, path: Path) -> None:
        """Write the volumes as TSV, or as CSV by the file's ending."""
        table = self.table()
        if table is None:
            return
        self.session.run(
            _write, table, path, doing="Exporting volumes",
            done=lambda _: self.session.notify("info", f"The volumes are in {path}."),
        )  # fmt: skip

    # -- inside -----------------------------------------------------------------------------

    def _view(self, key: str, shown: Shown) -> View:
        known = self.views.get(key)
        if known is not None and known.shown.labels is shown.labels:
            known.shown = shown
            return known
        hidden = set(self._hidden.get(shown.protocol.fingerprint, ()))
        view = View(shown, region_tree(shown.protocol), hidden)
        if hidden and self.session.stage is not None:
            self.session.stage.set_hidden(key, frozenset(hidden))
        self._measure(view, shown.labels)
        return view

    def _measure(self, view: View, labels: object) -> None:
        key = view.shown.key

        def done(measured: Measured) -> None:
            view.take(measured)
            self.measured.emit(key)

        self.session.run(
            measure, labels, view.shown.protocol, done=done, doing="Measuring the regions",
            key=f"regions of {key}",
        )  # fmt: skip

    def _next_active(self) -> str:
        """Of those that are seen the one of the atlas that was looked at, else the first."""
        seen = {k: v for k, v in self.views.items() if v.shown.visible} or self.views
        same = [k for k, v in seen.items() if v.shown.protocol.fingerprint == self._atlas]
        return next(iter([*same, *seen]), "")

    def _was_picked(self, key: str, index: int) -> None:
        if key in self.views:
            self.activate(key)
            self.picked.emit(key, index)

    def _stage_changed(self) -> None:
        """Follow what was changed on the stage itself: by keys, or by another panel."""
        stage, settings = self.session.stage, self.session.settings
        if stage is None:
            return
        if (settings.opacity, settings.outline) != (stage.opacity, stage.outline):
            settings.opacity, settings.outline = stage.opacity, stage.outline
            self.looks.emit()
        for key, there in stage.segmentations.items():
            view = self.views.get(key)
            if view is not None and view.isolated is None and view.hidden != set(there.hidden):
                view.hidden = set(there.hidden)
                self.drawn.emit(key)


def _write(table: pd.DataFrame, path: Path) -> None:
    if path.suffix.lower() != ".csv":
        write_tsv(table, path)
        return
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, na_rep="n/a", encoding="utf-8")
