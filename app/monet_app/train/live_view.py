"""The live page of one run: how it goes, what it has learnt, what it finds, how to stop it."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from monet_app.later import Later
from monet_app.train.curves import curve_colors
from monet_app.train.curves_view import CurvesView
from monet_app.train.run import RunModel
from monet_app.widgets import button, card, label, row
from monet_app.words import dice
from monet_core.jobs.process import JobState

REFRESH_MS, DRAW_MS = 200, 500
WORST = 8


class LiveView(QWidget):
    """Progress, stops, curves, worst regions, preview."""

    def __init__(self, model: RunModel) -> None:
        super().__init__()
        self._model = model
        self._title = label("", "title")
        self._line = label("")
        self._bar = QProgressBar()
        self._bar.setAccessibleName("Progress of the training")
        self._error = label("", "error")
        self._hint = label("", "warning")
        self._buttons()
        self.curves = CurvesView(model.session)
        self._legend = QWidget()
        self._legend_grid = QGridLayout(self._legend)
        self._legend_grid.setContentsMargins(0, 0, 0, 0)
        self._legend_grid.setVerticalSpacing(0)
        self.worst = QListWidget()
        self.worst.setAccessibleName("Regions that are learnt worst")
        self.worst.setToolTip("Go to this region on the preview's scan")
        self.worst.itemActivated.connect(self._go_to)
        self.worst.itemClicked.connect(self._go_to)
        self.follow = QCheckBox("Follow in the viewer")
        self.follow.setToolTip("Show the validation scan's current segmentation as it is learnt")
        self.follow.setChecked(model.previews.follow)
        self.follow.toggled.connect(model.previews.set_follow)
        self._preview = label("", "hint")
        self.show_preview = button("Show", self._open_preview, "Open its scan", "mdi6.eye-outline")
        self._lay_out()
        self._later = Later(self.refresh, REFRESH_MS, self)
        self._draw_later = Later(self.draw, DRAW_MS, self)
        for signal in (model.progressed, model.runs_changed, model.previews.changed):
            signal.connect(self._later.soon)
        model.figures_changed.connect(self._draw_later.soon)
        self.refresh()
        self.draw()

    def _buttons(self) -> None:
        model = self._model
        self.stop = button("Stop and keep", model.stop_and_keep,
                           "End now; the best weights so far become a model",
                           "mdi6.stop-circle-outline")  # fmt: skip
        self.pause = button("Pause", model.pause, "Let it wait; it keeps its memory", "mdi6.pause")
        self.go_on = button("Go on", model.go_on, "From its last checkpoint", "mdi6.play")
        self.cancel = button("Cancel…", self._ask_to_cancel, "End now; no model is offered",
                             "mdi6.close-circle-outline")  # fmt: skip
        self.really = button("Cancel it", self._cancel, "", "mdi6.close-circle-outline")
        self.keep = button("Go on training", self._do_not_cancel)
        self.question = card(
            label("Cancel this training? Its model is not offered. The run stays in the list and "
                  "could go on later from its last checkpoint.", "warning"),
            row(self.really, self.keep, None),
        )  # fmt: skip
        self.question.hide()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 4, 12, 12)
        for part in (
            self._title, self._line, self._bar, row(self.stop, self.pause, self.go_on, None),
            row(self.cancel, None), self.question, self._error, self._hint, self.curves,
            self._legend,
        ):  # fmt: skip
            layout.addWidget(part)
        self._worst_title = label("Worst regions (click: see them)", "hint")
        for part in (self._worst_title, self.worst, self.follow,
                     self._preview, row(self.show_preview, None)):  # fmt: skip
            layout.addWidget(part)
        layout.addStretch(1)

    # -- what is shown ----------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the state as it is now."""
        model, run = self._model, self._model.run
        self.setEnabled(run is not None)
        if run is None:
            return
        state = model.state
        self._title.setText(run.name)
        self._title.setToolTip(str(run.folder))
        self._line.setText(f"{run.kind.text}\n{model.line}")
        self._show_bar()
        error = run.job.error if run.job is not None and state is not JobState.CANCELLED else ""
        self._error.setText(error)
        self._error.setVisible(bool(error))
        self.stop.setVisible(model.can_stop)
        self.pause.setVisible(model.can_stop)
        self.pause.setText("Go on" if state is JobState.PAUSED else "Pause")
        self.go_on.setVisible(model.can_go_on)
        asking = not self.question.isHidden()
        self.cancel.setVisible(model.can_cancel and not asking)
        if asking and not model.can_cancel:
            self.question.hide()
        hint = model.figures.hint if model.can_stop else ""
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self._show_preview()

    def _show_bar(self) -> None:
        state, share = self._model.state, self._model.share
        self._bar.setVisible(state is not None and not state.ended)
        self._bar.setRange(0, 0 if share is None else 1000)
        if share is not None:
            self._bar.setValue(round(1000 * share))

    def _show_preview(self) -> None:
        run = self._model.run
        preview = self._model.previews.of(run.folder) if run else None
        text = "The first validation brings a preview."
        if preview is not None:
            score = f", Dice {dice(preview.dice)}" if preview.dice is not None else ""
            text = f"Preview: {preview.text}{score}"
        self._preview.setText(text)
        known = preview is not None
        self.show_preview.setVisible(known)
        running = self._model.can_stop
        self.follow.setVisible(running)
        self._preview.setVisible(known or running)

    def draw(self) -> None:
        """Draw the curves and list the worst regions anew; nobody sees a hidden page."""
        if not self.isVisible():
            return
        figures = self._model.figures
        self.curves.setVisible(bool(figures.loss))
        self.curves.show_figures(figures)
        self._fill_legend()
        self._fill_worst()
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Draw what came meanwhile."""
        super().showEvent(event)
        self._draw_later.soon()

    def _fill_legend(self) -> None:
        grid = self._legend_grid
        while grid.count():
            item = grid.takeAt(0)
            if item is not None and item.widget() is not None:
                item.widget().deleteLater()
        groups = self._model.figures.groups
        colors = curve_colors(groups)
        for place, (name, curve) in enumerate(groups.items()):
            value = dice(curve[-1][1]) if curve else ""
            square = f'<span style="color:{colors[name]}">■</span>'
            made = label(f"{square} {value} {name}", "hint", wrap=False)
            made.setToolTip(name)
            made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            grid.addWidget(made, place // 2, place % 2)

    def _fill_worst(self) -> None:
        scores = self._model.figures.worst[:WORST]
        self.worst.clear()
        for score in scores:
            item = QListWidgetItem(f"{dice(score.dice)}   {score.name}")
            item.setData(Qt.ItemDataRole.UserRole, score.index)
            self.worst.addItem(item)
        self.worst.setVisible(bool(scores))
        self._worst_title.setVisible(bool(scores))
        height = self.worst.sizeHintForRow(0) if scores else 0
        self.worst.setFixedHeight(height * len(scores) + 2 * self.worst.frameWidth() + 2)

    # -- what is asked ----------------------------------------------------------------------

    def _go_to(self, item: QListWidgetItem) -> None:
        if self._model.run is not None:
            index = int(item.data(Qt.ItemDataRole.UserRole))
            self._model.previews.go_to(self._model.run.folder, index)

    def _open_preview(self) -> None:
        if self._model.run is not None:
            self._model.previews.open(self._model.run.folder)

    def _ask_to_cancel(self) -> None:
        if self._model.state is JobState.QUEUED:
            self._model.cancel()
            return
        self.question.show()
        self.cancel.hide()
        self.keep.setFocus(Qt.FocusReason.OtherFocusReason)

    def _cancel(self) -> None:
        self.question.hide()
        self._model.cancel()

    def _do_not_cancel(self) -> None:
        self.question.hide()
        self.refresh()
