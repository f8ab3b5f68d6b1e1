"""The page "New training": what, on which scans, beginning with what, how, and on what."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from monet_app.boxes import choice_box
from monet_app.device_box import DeviceBox
from monet_app.train.check_view import CheckView
from monet_app.train.data_view import BROWSE, DataView, fill_atlases
from monet_app.train.kinds import KINDS
from monet_app.train.model import TrainModel
from monet_app.train.recipe_view import RecipeView
from monet_app.widgets import button, card, label, row

ESTIMATE_MS = 1200
"""After the last change, until the worker is asked what it would take."""


class SetupView(QWidget):
    """Cards from top to bottom, in the order in which one decides."""

    def __init__(self, model: TrainModel) -> None:
        super().__init__()
        self._model = model
        self.kind = choice_box("Training", "What is trained")
        for kind in KINDS.values():
            self.kind.addItem(kind.text, kind.key)
        self.kind.activated.connect(lambda n: model.choose_kind(KINDS[self.kind.itemData(n)]))
        self._kind_help = label("", "hint")
        self.data = DataView(model)
        self.check = CheckView(model)
        self._start_part()
        self._mapping_part()
        self.recipe = RecipeView(model)
        self._last_part()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.addWidget(card(label("1  Training"), self.kind, self._kind_help))
        layout.addWidget(card(label("2  Data"), self.data, self.check))
        layout.addWidget(card(label("3  Begin with"), self.start_model, self._start_help,
                              self._mapping))  # fmt: skip
        layout.addWidget(card(label("4  Recipe"), self.recipe))
        layout.addWidget(card(label("5  Start"), *self._last))
        layout.addStretch(1)
        self._timer = QTimer(self, singleShot=True, interval=ESTIMATE_MS)
        self._timer.timeout.connect(self._estimate)
        model.changed.connect(self.refresh)
        model.estimating.changed.connect(self._show_estimate)
        model.checking.changed.connect(self._show_start)
        self.refresh()

    def _start_part(self) -> None:
        self.start_model = choice_box(
            "Model to begin with", "Its network and voxel size are taken over"
        )
        self.start_model.activated.connect(self._choose_start)
        self._start_help = label("", "hint")

    def _mapping_part(self) -> None:
        self.partial = choice_box("Sub-cortical atlas", "What the second decoder finds")
        self.partial.activated.connect(self._choose_partial)
        self.variant = choice_box("Brain stem", "FIRST's brain stem has the 4th ventricle in it")
        self.variant.addItem("Brain stem and 4th ventricle, as in FIRST", "default")
        self.variant.addItem("Brain stem alone", "core")
        self.variant.activated.connect(self._choose_partial)
        self._mapping_text = label("", "hint")
        self._mapping = QWidget()
        layout = QVBoxLayout(self._mapping)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (label("Sub-cortical atlas, taken from your labels", "hint"), self.partial,
                     self.variant, self._mapping_text):  # fmt: skip
            layout.addWidget(part)

    def _last_part(self) -> None:
        model = self._model
        self.device = DeviceBox(model.devices, model.choose_device)
        self._estimate_text = label("", "hint")
        self.measure = button("How long will it take?", lambda: model.estimate(measure=True),
                              "Makes a few steps to see", "mdi6.timer-outline")  # fmt: skip
        self.name = QLineEdit()
        self.name.setAccessibleName("Name of the run")
        self.name.setToolTip("What the run and its model are called")
        self.name.textEdited.connect(model.choose_name)
        self._hints = label("", "hint")
        self._problems = label("", "warning")
        self.start = button("Start training", model.start, "Ctrl+Enter", "mdi6.play", primary=True)
        self._last = (label("Device", "hint"), self.device, self._estimate_text,
                      row(self.measure, None), label("Name", "hint"), self.name, self._hints,
                      self._problems, self.start)  # fmt: skip

    # -- what is shown ----------------------------------------------------------------------

    def refresh(self) -> None:
        """Show everything as it is chosen now."""
        setup = self._model.setup
        self.kind.setCurrentIndex(self.kind.findData(setup.kind.key))
        self._kind_help.setText(setup.kind.help)
        self._show_starts()
        self._mapping.setVisible(setup.kind.joint)
        fill_atlases(self.partial, self._model.atlases, setup.partial)
        self.variant.setCurrentIndex(self.variant.findData(setup.variant))
        self.variant.setVisible(setup.partial == "first")
        wrong = self._model.mapping_problem
        self._mapping_text.setText(wrong or self._model.mapping_text)
        if not self.name.hasFocus():
            self.name.setText(setup.name)
        self._show_start()
        self._show_estimate()
        if self._model.estimating.estimate is None:
            self._timer.start()

    def _show_starts(self) -> None:
        setup = self._model.setup
        wanted = [("Nothing: random weights", "")] if setup.kind.start != "needed" else []
        wanted += [(each.title, str(each.path)) for each in self._model.starts]
        box = self.start_model
        if [(box.itemText(n), box.itemData(n)) for n in range(box.count())] != wanted:
            box.clear()
            for text, path in wanted:
                box.addItem(text, path)
        box.setCurrentIndex(box.findData(str(setup.start) if setup.start else ""))
        box.setEnabled(setup.kind.start != "none")
        chosen = next((each for each in self._model.starts if each.path == setup.start), None)
        text = "This training begins with random weights." if setup.kind.start == "none" else ""
        if chosen is not None:
            text = f"Its network and its voxels of {chosen.spacing} are taken over."
        self._start_help.setText(text)
        self._start_help.setVisible(bool(text))

    def _show_start(self) -> None:
        model = self._model
        problems, hints = model.problems, model.hints
        self._problems.setText("\n".join(problems))
        self._problems.setVisible(bool(problems))
        self._hints.setText("\n".join(hints))
        self._hints.setVisible(bool(hints))
        checked = model.checking.is_of(model.setup)
        blocked = checked and model.checking.result is not None and not model.checking.result.ok
        self.start.setEnabled(not problems and not model.checking.running and not blocked)
        self.start.setText("Start training" if checked and not blocked else "Check and start")
        if blocked:
            self._problems.setText("Decide what the check asks above, then start.")
            self._problems.show()

    def _show_estimate(self) -> None:
        estimating = self._model.estimating
        found = estimating.estimate
        text = "Looking what it takes…" if estimating.running else estimating.problem
        if found is not None:
            text = "\n".join(part for part in (found.memory, found.time, *found.notes) if part)
        self._estimate_text.setText(text)
        self._estimate_text.setVisible(bool(text))
        self.measure.setEnabled(not estimating.running and self._model.data is not None)

    def _estimate(self) -> None:
        queue = self._model.session.jobs
        if self.isVisible() and not (queue and queue.active):  # the computer is busy enough
            self._model.estimate()

    # -- choosing ---------------------------------------------------------------------------

    def _choose_start(self, place: int) -> None:
        path = self.start_model.itemData(place)
        self._model.choose_start(Path(path) if path else None)

    def _choose_partial(self, _: int) -> None:
        chosen = self.partial.currentData()
        if chosen and chosen != BROWSE:
            self._model.choose_partial(chosen, self.variant.currentData())
        else:
            self.refresh()
