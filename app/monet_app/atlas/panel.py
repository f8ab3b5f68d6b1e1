"""The Atlas panel: correct by hand, the lab's own atlases, which region is which."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QScrollArea, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from monet_app.atlas.correct import CorrectModel
from monet_app.atlas.correct_view import CorrectView
from monet_app.atlas.library import LibraryModel
from monet_app.atlas.library_view import LibraryView
from monet_app.atlas.mapping import MappingModel
from monet_app.atlas.mapping_view import MappingView
from monet_app.session import Session
from monet_app.shown import key_of
from monet_core.workspace import SegmentationEntry

CORRECT, ATLASES, MAPPING = range(3)


class AtlasPanel(QWidget):
    """Three pages: Correct, Atlases, Mapping."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.correcting = CorrectModel(session)
        self.library = LibraryModel(session)
        self.mapping = MappingModel(session)
        self.correct = CorrectView(self.correcting)
        self.atlases = LibraryView(self.library)
        self.map = MappingView(self.mapping)
        self.tabs = QTabBar()
        for text, tip in (
            ("Correct", "Paint in a copy of a segmentation"),
            ("Atlases", "The lab's own names, numbers and colours"),
            ("Mapping", "Which region of one atlas is which of another"),
        ):
            self.tabs.setTabToolTip(self.tabs.addTab(text), tip)
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self._stack = QStackedWidget()
        for page in (_scrolled(self.correct), self.atlases, self.map):
            self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.tabs)
        layout.addWidget(self._stack, 1)
        self.setFocusProxy(self.tabs)
        self.tabs.currentChanged.connect(self._show_page)
        self.library.entries_changed.connect(self.map.fill)
        session.activity_asked.connect(self._asked)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """The brush is in the hand again; atlases may have come meanwhile."""
        super().showEvent(event)
        self.library.refresh()
        self.correcting.set_active(self.tabs.currentIndex() == CORRECT)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """In other panels the mouse only looks; what is decided is saved."""
        super().hideEvent(event)
        self.correcting.set_active(False)
        self.library.save()

    def _show_page(self, place: int) -> None:
        self._stack.setCurrentIndex(place)
        self.correcting.set_active(place == CORRECT)

    def _asked(self, activity: str, subject: object) -> None:
        """Another panel asks for a segmentation to be corrected."""
        if activity != "atlas" or not isinstance(subject, SegmentationEntry):
            return
        self.tabs.setCurrentIndex(CORRECT)
        if key_of(subject) in self.session.shown:
            self.correct.propose(key_of(subject))
        elif self.session.current is not None and self.session.current.id == subject.scan_id:
            self.session.show(subject, lambda shown: self.correct.propose(shown.key))


def _scrolled(content: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area
