"""The Segment panel: what it says, and real segmentations through the worker."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fake_stage import FakeStage
from live import pump, save_scans, save_tiny_model
from qtpy.QtCore import Qt

from monet_app.segment.cards import card_of
from monet_app.segment.model import Options, SegmentModel, why_not
from monet_app.segment.panel import SegmentPanel
from monet_app.session import Session
from monet_core.jobs.process import JobState
from monet_core.models import ModelEntry, list_models
from monet_core.workspace import Question


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return save_scans(tmp_path_factory.mktemp("scans"))


@pytest.fixture
def staged(
    session: Session, qtbot: object, model_folder: Path, scans: list[Path], settle: Callable
) -> Iterator[Session]:
    """A session with a stage, three scans, the tiny model and a pump."""
    session.stage = FakeStage()
    timer = pump(session)
    session.add_scans(scans)
    session.model_entries = list_models([model_folder.parent])
    settle(session.background)
    yield session
    timer.stop()


@pytest.fixture
def panel(staged: Session, qtbot: object) -> SegmentPanel:
    made = SegmentPanel(staged)
    made.model.devices.known = True  # no worker only to ask for devices
    qtbot.addWidget(made)
    made.resize(370, 900)
    made.show()
    return made


def everything(session: Session) -> None:
    session.select([entry.id for entry in session.study.scans()])


def test_the_card_tells_regions_scores_and_failures() -> None:
    entry = next(each for each in list_models() if each.key == "malc-1mm")
    card = card_of(entry)
    assert card.kind == "shipped"
    assert card.title == "malc-1mm (138 + 15 regions)"
    dice = entry.manifest.scores["full"]["dice"]["mean"]
    assert card.parts[0].text == f"Whole brain: 138 regions of malc, Dice {dice:.3f}".replace(
        "0.", "."
    )
    assert 0.9 < card.parts[0].groups["Brain stem"] < 1
    assert card.failures.startswith("Known failures: small and thin regions")
    assert "15 scans, 11 more labelled by an earlier model" in card.trained
    assert "Non-commercial" in card.licence


def test_a_damaged_or_bare_manifest_still_has_a_card(model_folder: Path) -> None:
    (entry,) = list_models([model_folder.parent])
    bare = entry.manifest.model_copy(
        update={"scores": {"partial": "?", "validation/dice/partial": True}, "card": "",
                "training": {"scans": 7, "settings": []}, "preprocessing": {}}
    )  # fmt: skip
    card = card_of(ModelEntry(entry.path, bare))
    assert card.parts[0].dice is None
    assert (card.trained, card.spacing, card.failures) == ("", "", "")


def test_without_scans_or_models_the_panel_says_what_is_needed(
    panel: SegmentPanel, qtbot: object
) -> None:
    asked: list[str] = []
    panel.session.activity_asked.connect(lambda key, _: asked.append(key))
    panel.refresh()
    assert panel._stack.currentWidget() is panel._no_scan
    assert not panel.model.plan.ready
    everything(panel.session)
    panel.refresh()
    assert panel._stack.currentIndex() == 0
    panel.session.model_entries = []
    panel.session.models_changed.emit()
    panel.refresh()
    assert panel._stack.currentWidget() is panel._no_model


def test_the_button_says_what_will_happen_and_how_long(panel: SegmentPanel) -> None:
    model = panel.model
    everything(panel.session)
    assert model.plan.button == "Segment 3 scans"
    assert "Sub-cortical (15 regions)" in model.plan.text
    assert "not known yet" in model.plan.time
    panel.session.settings.timings = {"tiny|auto|0.5|True|False": 40.0}
    assert model.plan.time == "About 2 min (40 s each, as measured here)."
    model.set_options(Options(mirror=False))
    assert "not known yet" in model.plan.time
    panel.refresh()
    panel.options.mirror.setChecked(True)
    assert model.options.mirror
    assert panel.start.text() == "Segment 3 scans"
    assert panel.start.isEnabled()


def test_scans_that_wait_for_an_answer_are_left_out_in_words(staged: Session) -> None:
    first = staged.study.scans()[0]
    asking = replace(first, question=Question("forms", "qform and sform contradict", "--use-form"))
    broken = replace(first, problem="is cut off. Copy it again.")
    assert why_not(first) == ""
    assert why_not(asking) == "waits for your answer: qform and sform contradict"
    assert why_not(broken) == "is cut off. Copy it again."


def test_beside_a_scan_results_never_bear_the_names_of_labels_made_by_hand(
    staged: Session, scans: list[Path]
) -> None:
    model = SegmentModel(staged)
    model._models_changed()
    everything(staged)
    entry = model.scans[0]
    assert model._scan(entry).stem == "sub-0"
    model.set_place("beside")
    assert model._scan(entry).stem == "sub-0_model-tiny"


def test_cancel_go_on_and_what_failed(
    panel: SegmentPanel, qtbot: object, settle: Callable, tmp_path: Path
) -> None:
    """Scans appear one by one; a cancelled job goes on; what failed is listed, the rest usable."""
    session, model = panel.session, panel.model
    broken = tmp_path / "sub-broken_T1w.nii.gz"
    broken.write_bytes(os.urandom(2000))
    session.add_scans([broken])
    settle(session.background)
    session.open_scan(session.study.scans()[0])
    everything(session)
    model.set_options(Options(overlap=0.25, mirror=False, entropy=True, picture=True))
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow, timeout=5000)
    qtbot.keyClick(panel, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(model.jobs) == 1, timeout=5000)
    qtbot.waitUntil(lambda: bool(model.jobs[0].done), timeout=300_000)
    panel.refresh()
    assert panel.progress.cancel.isVisible()
    panel.progress.cancel.click()
    qtbot.waitUntil(lambda: model.jobs[0].job.state.ended, timeout=120_000)
    assert model.jobs[0].job.state is JobState.CANCELLED
    settle(session.background)
    qtbot.waitUntil(lambda: any(e.source == "model" for e in _all(session)), timeout=5000)
    panel.refresh()
    assert panel.progress.go_on.isVisible()
    panel.progress.go_on.click()
    qtbot.waitUntil(lambda: model.jobs[0].job.state is JobState.DONE, timeout=300_000)
    qtbot.waitUntil(lambda: len(model.jobs[0].done) == 3, timeout=5000)
    _check_the_end(panel, qtbot, broken)


def _check_the_end(panel: SegmentPanel, qtbot: object, broken: Path) -> None:
    session, progress = panel.session, panel.model.jobs[0]
    assert [path for path, _ in progress.failed] == [broken]
    assert progress.text == "3 of 4 scans segmented"
    qtbot.waitUntil(lambda: sum(e.source == "model" for e in _all(session)) == 3, timeout=60_000)
    stage = session.stage
    qtbot.waitUntil(lambda: len(stage.segmentations) == 1, timeout=60_000)
    panel.refresh()
    assert "sub-broken_T1w.nii.gz: " in panel.progress._failures.text()
    assert panel.progress.again.isVisible()
    folder = session.study.derivatives / "tiny"
    assert len(list(folder.glob("*_overlay.png"))) == 3
    assert session.settings.timings["tiny|auto|0.25|False|True"] > 0
    assert panel.uncertainty.isVisible()
    panel.uncertainty.setChecked(True)
    qtbot.waitUntil(lambda: bool(stage.called("show_map")), timeout=5000)
    panel.uncertainty.setChecked(False)
    assert stage.called("remove_map")


def _all(session: Session) -> list:
    return session.study.all_segmentations()


def test_a_cluster_shares_the_work_and_results_appear(
    panel: SegmentPanel, qtbot: object, settle: Callable
) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask (extra: cluster) is missing")
    session, model = panel.session, panel.model
    everything(session)
    panel.options.cluster.setText("nowhere")
    panel.options.cluster.editingFinished.emit()
    assert "'nowhere' is no scheduler" in model.plan.problem
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        panel.options.cluster.setText(cluster.scheduler_address)
        panel.options.cluster.editingFinished.emit()
        assert "cluster" in model.plan.time
        (job,) = model.start()
        qtbot.waitUntil(lambda: job.state.ended, timeout=300_000)
    assert job.state is JobState.DONE, job.error
    assert session.settings.cluster == cluster.scheduler_address
    qtbot.waitUntil(lambda: sum(e.source == "model" for e in _all(session)) == 3, timeout=60_000)
    settle(session.background)
