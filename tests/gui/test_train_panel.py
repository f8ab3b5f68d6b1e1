"""The Train panel: a real training through the worker is begun, watched, stopped and used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_stage import FakeStage
from live import Heart, pump
from phantoms import save_malc_dataset
from qtpy.QtCore import Qt

from monet_app.segment.cards import ModelCard
from monet_app.segment.model import SegmentModel
from monet_app.segment.panel import SegmentPanel
from monet_app.session import Session
from monet_app.train.kinds import PRETRAIN, SCRATCH
from monet_app.train.panel import RUNS, TrainPanel
from monet_core.jobs.process import JobState

TINY = {
    "patch": 32, "patches_per_scan": 2, "workers": 0, "learning_rate": 0.02, "validate_every": 1,
    "network.width": 4, "network.levels": 2, "preprocessing.register": False,
}  # fmt: skip
"""Over the preset Quick, at 2 mm."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_malc_dataset(tmp_path_factory.mktemp("malc"))


@pytest.fixture
def annotated(session: Session, data: Path, settle: Callable) -> Iterator[Session]:
    """A session on a study of three scans with labels of MALC, with a stage and a pump."""
    session.stage = FakeStage()
    timer = pump(session)
    session.add_scans([data])
    settle(session.background)
    for entry in session.study.all_segmentations():
        session.study.set_protocol(entry.id, "malc")
    session.segmentations_changed.emit()
    settle(session.background)
    yield session
    timer.stop()


@pytest.fixture
def panel(annotated: Session, qtbot: object, settle: Callable) -> TrainPanel:
    made = TrainPanel(annotated)
    made.model.devices.known = True  # no workers but for the trainings themselves
    made.setup._timer.timeout.disconnect()
    qtbot.addWidget(made)
    made.resize(370, 900)
    made.show()
    settle(annotated.background)
    return made


def tiny(panel: TrainPanel, epochs: int) -> None:
    model = panel.model
    model.choose_kind(SCRATCH)
    for path, value in {**TINY, "epochs": epochs}.items():
        model.change(path, value)


def test_every_setting_is_in_the_form_and_a_change_is_marked(panel: TrainPanel) -> None:
    assert panel.setup.recipe.form is None
    panel.setup.recipe.advanced.button.click()
    form = panel.setup.recipe.form
    assert len(form.editors) > 50
    assert "learning_rate" in form.editors["learning_rate"].widget.toolTip()
    form.editors["epochs"].widget.setValue(33)
    assert panel.model.setup.changes == {"epochs": 33}
    assert form.editors["epochs"].label.font().bold()
    form.editors["ema_decay"].widget.setText("")
    form.editors["ema_decay"].widget.editingFinished.emit()
    assert panel.model.values["ema_decay"] is None
    form.reset.click()
    assert not panel.model.setup.changes
    assert form.editors["epochs"].widget.value() == 20
    panel.setup.recipe.buttons["paper"].click()
    assert panel.model.values["epochs"] == 200


def test_the_page_says_what_is_there_and_what_is_missing(
    panel: TrainPanel, settle: Callable
) -> None:
    model = panel.model
    assert model.data.text == "2 scans to train on, 1 to validate with"
    assert not model.problems
    assert any("pre-trained" in hint for hint in model.hints)
    model.choose_kind(PRETRAIN)
    settle(panel.session.background)
    assert model.setup.protocol == "first"
    assert not panel.setup.start.isEnabled()
    assert "No scan of the study" in panel.setup.data._problem.text()


def test_a_training_is_watched_cancelled_goes_on_and_its_model_segments(
    panel: TrainPanel, qtbot: object, settle: Callable
) -> None:
    """One training through the worker, with all that is asked of it."""
    session, runs = panel.session, panel.runs
    tiny(panel, epochs=500)
    settle(session.background)
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow, timeout=5000)
    qtbot.keyClick(panel, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: panel.tabs.currentIndex() == RUNS, timeout=300_000)
    assert panel.model.checking.result.ok
    heart = Heart()
    qtbot.waitUntil(lambda: panel.runs_view.live.curves.drawn > 0, timeout=300_000)
    epoch = runs.figures.epoch
    qtbot.waitUntil(lambda: runs.figures.epoch >= epoch + 3, timeout=300_000)
    print("\nheart while training:", heart.stop())
    assert max(heart.own) < 0.5
    _is_watched(panel, qtbot)
    _is_cancelled(panel, qtbot)
    settle(session.background)
    assert not _cards(session, "scratch-1")
    _goes_on_and_stops(panel, qtbot)
    settle(session.background)
    qtbot.waitUntil(lambda: bool(_cards(session, "scratch-1")), timeout=5000)
    _segments(session, qtbot, "scratch-1")


def _is_watched(panel: TrainPanel, qtbot: object) -> None:
    session, runs = panel.session, panel.runs
    qtbot.waitUntil(lambda: bool(session.stage.segmentations), timeout=60_000)
    preview = runs.previews.of(runs.run.folder)
    assert preview.scan.name == session.current.name == "sub-9"
    assert preview.segmentation.name.startswith("scratch-1, epoch ")
    assert runs.line.startswith(("Epoch", "Validating"))
    assert len(runs.figures.worst) > 4
    assert {"Brain stem", "Subcortical grey matter"} <= set(runs.figures.groups)
    live = panel.runs_view.live
    live.draw()
    assert live.worst.count() > 4
    assert not live.curves.pixmap().isNull()
    live.worst.itemClicked.emit(live.worst.item(0))


def _is_cancelled(panel: TrainPanel, qtbot: object) -> None:
    """After a pause; it is asked once."""
    runs, live = panel.runs, panel.runs_view.live
    live.pause.click()
    qtbot.waitUntil(lambda: runs.state is JobState.PAUSED, timeout=120_000)
    live.refresh()
    assert live.pause.text() == "Go on"
    live.cancel.click()
    assert live.question.isVisible()
    live.keep.click()
    assert not live.question.isVisible()
    live.cancel.click()
    assert runs.state is JobState.PAUSED
    live.really.click()
    qtbot.waitUntil(lambda: runs.state is JobState.CANCELLED, timeout=120_000)


def _goes_on_and_stops(panel: TrainPanel, qtbot: object) -> None:
    runs, live = panel.runs, panel.runs_view.live
    epoch = runs.figures.epoch
    live.refresh()
    assert live.go_on.isVisible()
    live.go_on.click()
    qtbot.waitUntil(lambda: runs.figures.epoch > epoch, timeout=300_000)
    live.refresh()
    live.stop.click()
    assert runs.line.startswith("Stops after this step")
    qtbot.waitUntil(lambda: runs.state is JobState.DONE, timeout=120_000)
    assert (runs.run.folder / "model").is_dir()


def _segments(session: Session, qtbot: object, name: str) -> None:
    """The model is in the list of Segment; its result appears over the scan."""
    panel = SegmentPanel(session)
    panel.model.devices.known = True
    qtbot.addWidget(panel)
    panel.show()
    panel.model.choose_model(_cards(session, name)[0].path)
    session.select([])
    assert panel.model.plan.button == "Segment 1 scan"
    panel.refresh()
    panel.start.click()
    qtbot.waitUntil(lambda: panel.model.jobs[0].job.state is JobState.DONE, timeout=300_000)
    sources = lambda: {shown.entry.source for shown in session.shown.values()}  # noqa: E731
    qtbot.waitUntil(lambda: sources() == {"preview", "model"}, timeout=60_000)


def _cards(session: Session, name: str) -> list[ModelCard]:
    """The models of that name that Segment offers."""
    model = SegmentModel(session)
    return [card for card in model.cards if card.name == name]
