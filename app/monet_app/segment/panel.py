"""The Segment panel: let a model find the regions of the selected scans."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QCheckBox, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from monet_app.boxes import choice_box
from monet_app.device_box import DeviceBox
from monet_app.fold import Fold
from monet_app.later import Later
from monet_app.segment.card_view import ModelView
from monet_app.segment.maps import UncertaintyMaps
from monet_app.segment.model import SegmentModel
from monet_app.segment.options_view import OptionsView
from monet_app.segment.progress_view import ProgressView
from monet_app.session import Session
from monet_app.start_key import add_start_key
from monet_app.widgets import EmptyState, button, column, label
from monet_app.words import count, listed

REFRESH_MS = 150
_PLACES = {"study": "The study's folder", "beside": "Beside each scan"}


class SegmentPanel(QWidget):
    """Scans, model, device, options, one button; below it how it goes."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.model = SegmentModel(session)
        self.maps = UncertaintyMaps(session)
        self._stack = QStackedWidget()
        self._no_scan = EmptyState(
            "Segmenting needs a scan. Open one, or select some in Scans.",
            "Go to Scans", lambda: session.ask_for("scans"), "mdi6.brain",
        )  # fmt: skip
        self._no_model = EmptyState(
            "No model is installed. Train one on your own annotations.",
            "Go to Train", lambda: session.ask_for("train"), "mdi6.school-outline",
        )  # fmt: skip
        for page in (self._scrolled(self._form()), self._no_scan, self._no_model):
            self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        add_start_key(self, self._start)
        self._later = Later(self.refresh, REFRESH_MS, self)
        for signal in (self.model.changed, self.model.progressed, self.maps.changed):
            signal.connect(self._later.soon)
        self.refresh()

    def _form(self) -> QWidget:
        self._scans = label("")
        self._refused = label("", "warning")
        self._answer = button("Answer in Scans", lambda: self.session.ask_for("scans"))
        self.models = ModelView(self.model)
        self.device = DeviceBox(self.model.devices, self.model.choose_device)
        self.place = choice_box("Results", "Where label maps, volumes and records are written")
        for key, text in _PLACES.items():
            self.place.addItem(text, key)
        self.place.activated.connect(lambda row: self.model.set_place(self.place.itemData(row)))
        self.options = OptionsView(self.model)
        self.advanced = Fold(
            "Advanced", self.options, "Overlap, mirroring, uncertainty, picture, cluster"
        )
        self.start = button("Segment", self.model.start, "Ctrl+Enter", "mdi6.brain", primary=True)
        self._plan = label("", "hint")
        self._problem = label("", "warning")
        self.progress = ProgressView(self.model)
        self._maps = self._map_part()
        return column(
            label("Segment", "title"), self._scans, self._refused, self._answer,
            label("Model", "hint"), self.models,
            label("Device", "hint"), self.device,
            label("Results", "hint"), self.place,
            self.advanced, self.start, self._problem, self._plan, self.progress, self._maps, None,
            margin=12,
        )  # fmt: skip

    def _map_part(self) -> QWidget:
        self.uncertainty = QCheckBox("Show where the model was unsure")
        self.uncertainty.setToolTip("Entropy over the scan: dark is sure, bright is unsure")
        self.uncertainty.toggled.connect(self._show_map)
        self.map_of = choice_box("Uncertainty of", "The segmentation whose uncertainty is shown")
        self.map_of.activated.connect(lambda _: self._show_map(self.uncertainty.isChecked()))
        return column(self.uncertainty, self.map_of, gap=4)

    def _scrolled(self, content: QWidget) -> QScrollArea:
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(content)
        return area

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Look what can be computed with, the first time the panel is seen."""
        super().showEvent(event)
        self.refresh()
        if not self.model.devices.known:
            self.model.devices.look()

    def _start(self) -> None:
        if self.model.plan.ready:
            self.model.start()

    # -- what is shown ----------------------------------------------------------------------

    def refresh(self) -> None:
        """Show everything as it is now; nobody sees a hidden panel."""
        if not self.isVisible():
            return
        jobs = self.model.jobs
        if not self.model.cards:
            self._stack.setCurrentWidget(self._no_model)
        elif not self.model.selected and not jobs:
            self._stack.setCurrentWidget(self._no_scan)
        else:
            self._stack.setCurrentIndex(0)
        self._show_scans()
        self.models.refresh()
        self.options.show_options(self.model.options)
        self._show_plan()
        self.progress.setVisible(bool(jobs))
        if jobs:
            self.progress.show_progress(jobs[0], len(jobs) - 1)
        self._refresh_maps()

    def _show_scans(self) -> None:
        scans, refused = self.model.scans, self.model.refused
        names = listed([entry.name for entry in scans])
        self._scans.setText(f"{count(len(scans), 'scan')}: {names}" if scans else "No scan")
        lines = [f"{entry.name} is left out; {why}" for entry, why in refused]
        self._refused.setText("\n".join(lines[:4]))
        self._refused.setVisible(bool(lines))
        self._answer.setVisible(any(entry.question for entry, _ in refused))

    def _show_plan(self) -> None:
        plan = self.model.plan
        self.start.setText(plan.button)
        self.start.setAccessibleName(plan.button)
        self.start.setEnabled(plan.ready)
        self._problem.setText(plan.problem)
        self._problem.setVisible(bool(plan.problem))
        self._plan.setText(f"{plan.text}\n{plan.time}".strip())
        self._plan.setVisible(plan.ready)

    def _refresh_maps(self) -> None:
        available = self.maps.available
        self._maps.setVisible(bool(available))
        keys = [self.map_of.itemData(row) for row in range(self.map_of.count())]
        if keys != list(available):
            self.map_of.clear()
            for key, name in available.items():
                self.map_of.addItem(name, key)
        self.map_of.setVisible(len(available) > 1)
        if self.maps.shown_key:
            self.map_of.setCurrentIndex(self.map_of.findData(self.maps.shown_key))
        self.uncertainty.blockSignals(True)
        self.uncertainty.setChecked(bool(self.maps.shown_key))
        self.uncertainty.blockSignals(False)

    def _show_map(self, wanted: bool) -> None:
        key = self.map_of.currentData()
        if wanted and key:
            self.maps.show(key)
        else:
            self.maps.hide()
