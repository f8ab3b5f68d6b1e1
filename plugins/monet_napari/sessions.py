"""One session for each viewer, shared by all of our dock widgets in it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from napari.utils import notifications
from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QApplication, QWidget

from monet_app.notices import Notice
from monet_app.scans.question import ask
from monet_app.session import Question, Session
from monet_app.settings import load_settings, save_settings
from monet_app.threads import ThreadBackground
from monet_napari.preferences import PLUGIN, keep_jobs, radiological
from monet_napari.stage import NapariStage

if TYPE_CHECKING:
    from napari.viewer import Viewer

DRAIN_MS = 100
WIDGETS = {
    "scans": "Scans",
    "segment": "Segment",
    "train": "Train",
    "regions": "Regions",
    "compare": "Compare",
    "review": "Review",
    "atlas": "Atlas",
    "jobs": "Jobs",
}
"""The names of our widgets in the manifest, by activity."""
_homes: weakref.WeakKeyDictionary[Any, Home] = weakref.WeakKeyDictionary()
_TELL = {
    "info": notifications.show_info,
    "warning": notifications.show_warning,
    "error": notifications.show_error,
}


class Home(QObject):
    """A viewer's session, what keeps it going, and what ends it."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(QApplication.instance())
        self.viewer = weakref.ref(viewer)
        self.session = Session(load_settings(), ThreadBackground(self), NapariStage(viewer))
        self.session.stage.set_radiological(radiological())
        self.holders: dict[str, QWidget] = {}
        self._ended = False
        self._timer = QTimer(self, interval=DRAIN_MS)
        self._timer.timeout.connect(self.session.drain)
        self._timer.start()
        self.session.noticed.connect(self._tell)
        self.session.asked.connect(self._ask)
        self.session.activity_asked.connect(self._show)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            # Dock widgets are not told reliably that napari quits.
            app.aboutToQuit.connect(self.end)
        self.session.load_models()

    def end(self) -> None:
        """Keep what is not saved, let go of the jobs; once."""
        if self._ended:
            return
        self._ended = True
        self._timer.stop()
        viewer = self.viewer()
        if viewer is not None:
            _homes.pop(viewer, None)
        save_settings(self.session.settings)
        self.session.close(let_jobs_go_on=keep_jobs())

    def add(self, activity: str, holder: QWidget) -> None:
        """One of our dock widgets; it may have been closed and opened again."""
        self.holders[activity] = holder
        holder.destroyed.connect(lambda: self._gone(activity, holder))

    def _gone(self, activity: str, holder: QWidget) -> None:
        if self.holders.get(activity) is holder:
            del self.holders[activity]

    def _tell(self, notice: Notice) -> None:
        _TELL[notice.level](f"{notice.text} {notice.remedy}".strip())

    def _ask(self, question: Question) -> None:
        shown = [holder for holder in self.holders.values() if holder.isVisible()]
        if shown:
            ask(question, shown[0])

    def _show(self, activity: str, subject: object) -> None:
        """Show another of our widgets; one that is new is told afterwards what it is about."""
        viewer = self.viewer()
        if viewer is None or activity not in WIDGETS:
            return
        new = activity not in self.holders
        dock, _ = viewer.window.add_plugin_dock_widget(PLUGIN, WIDGETS[activity], tabify=True)
        dock.show()
        dock.raise_()
        if new and subject is not None:
            QTimer.singleShot(0, lambda: self.session.activity_asked.emit(activity, subject))


def home_of(viewer: Any) -> Home:
    """The home of a viewer (or of napari's proxy of one), made if need be."""
    viewer = getattr(viewer, "__wrapped__", viewer)
    if viewer not in _homes:
        _homes[viewer] = Home(viewer)
    return _homes[viewer]


def session_of(viewer: Any) -> Session:
    """The session of a viewer."""
    return home_of(viewer).session
