"""The Review panel: set up, then rate one after the other without the mouse."""

from __future__ import annotations

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import (
    QButtonGroup,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from monet_app.centre import Centre
from monet_app.review.gallery import Gallery
from monet_app.review.keys import Keys
from monet_app.review.model import Look, ReviewModel
from monet_app.review.mosaics import Mosaics
from monet_app.review.rating_view import RatingView
from monet_app.review.setup_view import SetupView
from monet_app.session import Session
from monet_app.widgets import EmptyState, button, column, label, row

TICK_MS = 500
_LOOKS: dict[Look, tuple[str, str]] = {
    "views": ("Views", "The scan in its planes"),
    "mosaic": ("Slices", "Slices with outlines: quicker (M)"),
    "grid": ("All", "Slices of all scans of this review (G)"),
}


class ReviewPanel(QWidget):
    """Empty, set-up, waiting for the volumes, rating: one page each."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.model = ReviewModel(session)
        self.mosaics = Mosaics(session)
        self.centre = Centre(session)
        self.gallery = Gallery(self.model, self.mosaics)
        self.setup = SetupView(self.model)
        self.rating = RatingView(self.model)
        self._stack = QStackedWidget()
        self._nothing = EmptyState(
            "Nothing to review yet: the study has no segmentations. Segment scans first, or add "
            "scans with label maps beside them.",
            "Go to Scans", lambda: session.ask_for("scans"), "mdi6.clipboard-check-outline",
        )  # fmt: skip
        for page in (self._nothing, self.setup, self._waiting_page(), self._rating_page()):
            self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.addWidget(label("Review", "title"))
        layout.addWidget(self._stack, 1)
        self.keys = Keys(self, self._calls())
        self._page_keys = Keys(self.gallery, self._calls())
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        self.model.queue_changed.connect(self.refresh)
        self.model.item_changed.connect(self._item_changed)
        self.model.findings_changed.connect(self._item_changed)
        self.session.segmentations_changed.connect(self.refresh)
        self.session.study_changed.connect(lambda _: self.refresh())

    def _waiting_page(self) -> QWidget:
        self.bar = QProgressBar()
        return column(
            label("Looking at the volumes, to begin with the most unusual. They are measured "
                  "once and kept."),
            self.bar,
            button("Begin now, in the order of the study", self.model.go_on_without_volumes),
            button("Cancel", self.model.stop),
            None,
        )  # fmt: skip

    def _rating_page(self) -> QWidget:
        group = QButtonGroup(self)
        self.looks = {look: self._look_button(look, *texts) for look, texts in _LOOKS.items()}
        for made in self.looks.values():
            group.addButton(made)
        page = column(row(*self.looks.values(), gap=2), self.rating, margin=0)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(page)
        return area

    def _look_button(self, look: Look, text: str, tip: str) -> QPushButton:
        made = button(text, lambda: self.model.set_look(look), tip)
        made.setCheckable(True)
        return made

    def _calls(self) -> dict[str, object]:
        model, rating = self.model, self.rating
        calls = {
            "N": model.next,
            "Shift+N": model.previous,
            "P": lambda: model.rate("pass"),
            "F": lambda: model.rate("fail"),
            "E": lambda: model.rate("edit"),
            "T": rating.write_note,
            "M": lambda: model.set_look("views" if model.look != "views" else "mosaic"),
            "G": lambda: model.set_look("mosaic" if model.look == "grid" else "grid"),
            "U": rating.uncertainty.toggle,
        }
        return calls | {str(n): lambda n=n: rating.toggle_tag(n) for n in range(1, 6)}

    # -- what is shown ----------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the page that fits, and its state."""
        model = self.model
        if model.items:
            page = 3
        elif model.choice is not None and model.looking:
            page = 2
        else:
            self.setup.refresh()
            page = 1 if model.origins() else 0
        turned = page != self._stack.currentIndex()
        self._stack.setCurrentIndex(page)
        self._item_changed()
        if turned and page == 3:
            self.rating.setFocus(Qt.FocusReason.OtherFocusReason)

    def _item_changed(self) -> None:
        self.rating.refresh()
        self.rating.refresh_flags()
        self.looks[self.model.look].setChecked(True)
        self._show_centre()

    def _show_centre(self) -> None:
        wanted = self.isVisible() and bool(self.model.items) and self.model.look != "views"
        if wanted and not self.gallery.isVisible():
            self.centre.show(self.gallery, "Slices")
        elif not wanted and self.centre.widget is not None:
            self.centre.hide()
        self._take_keys()

    def _take_keys(self) -> None:
        """The keys belong to Review only while it is shown and something is to be rated."""
        active = self.isVisible() and bool(self.model.items)
        self.keys.set_enabled(active)
        self._page_keys.set_enabled(active and self.gallery.isWindow())

    def _tick(self) -> None:
        self.rating.tick()
        progress = self.model.progress
        self.bar.setRange(0, progress.total if progress else 0)
        self.bar.setValue(progress.done if progress else 0)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Review is the activity: its keys work."""
        super().showEvent(event)
        self._timer.start()
        self.refresh()
        if not event.spontaneous():
            self.model.back_to_item()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Another activity: no key of Review works, and the views are back."""
        super().hideEvent(event)
        self._timer.stop()
        self.keys.set_enabled(False)
        self._page_keys.set_enabled(False)
        if not event.spontaneous():
            self.centre.hide()
