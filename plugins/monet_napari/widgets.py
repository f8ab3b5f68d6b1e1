"""Our panels as dock widgets of napari; the same ones as in MO-Net Studio."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QMainWindow, QSizePolicy, QVBoxLayout, QWidget

from monet_app import theme
from monet_app.actions import ACTIVITIES
from monet_napari.cursor import cursor_reader
from monet_napari.sessions import Home, home_of

_PANELS = {activity.key: activity.panel for activity in ACTIVITIES} | {
    "regions": "monet_app.regions.panel:RegionsPanel",
    "jobs": "monet_app.jobs.panel:JobsDock",
}
_SMALLEST = {"jobs": (320, 120)}


class Dock(QWidget):
    """Holds a panel in the colours of napari's theme."""

    activity = ""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self.home: Home = home_of(napari_viewer)
        viewer = self.home.viewer()
        if viewer is not None:
            self._dress(viewer.theme)
            viewer.events.theme.connect(self._theme_changed)
        module, _, name = _PANELS[self.activity].partition(":")
        self.panel: QWidget = getattr(import_module(module), name)(self.home.session)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.panel, 1)
        for part in self.below():
            layout.addWidget(part)
        # Else napari puts a stretch below it.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(*_SMALLEST.get(self.activity, (320, 240)))
        self.home.add(self.activity, self)
        self._watching = False

    def below(self) -> list[QWidget]:
        """What stands under the panel."""
        return []

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """The session ends with the viewer's window, whether or not the program does."""
        super().showEvent(event)
        window = _window_of(self)
        if window is not None and not self._watching:
            self._watching = True
            window.destroyed.connect(self.home.end)

    def _theme_changed(self, event: Any) -> None:
        self._dress(str(event.value))

    def _dress(self, name: str) -> None:
        theme.dress(self, "light" if name == "light" else "dark")


class Scans(Dock):
    """The study's scans."""

    activity = "scans"


class Segment(Dock):
    """Let a model find the regions."""

    activity = "segment"


class Train(Dock):
    """Teach a model one's own annotations."""

    activity = "train"


class Regions(Dock):
    """The regions of what is shown."""

    activity = "regions"

    def below(self) -> list[QWidget]:
        """What is under the cross-hair, in every segmentation."""
        stage = self.home.session.stage
        return [cursor_reader(stage)] if stage is not None else []


class Compare(Dock):
    """Segmentations of one scan beside each other."""

    activity = "compare"


class Review(Dock):
    """Rate segmentations."""

    activity = "review"


class Atlas(Dock):
    """Correct, import and map atlases."""

    activity = "atlas"


class Jobs(Dock):
    """Work that goes on."""

    activity = "jobs"


def _window_of(widget: QWidget) -> QMainWindow | None:
    """napari's window, also of a dock that floats."""
    found: QMainWindow | None = None
    parent: Any = widget
    while parent is not None:
        found = parent if isinstance(parent, QMainWindow) else found
        parent = parent.parentWidget()
    return found
