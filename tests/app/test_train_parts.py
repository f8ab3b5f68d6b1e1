"""The parts of Train and Segment that need neither window nor worker."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("psygnal", reason="the app's packages (extra: app) are not installed")

from phantoms import save_malc_dataset

from monet_app.devices import Device, Devices, device_of
from monet_app.segment.progress import Progress
from monet_app.session import Session
from monet_app.settings import Settings
from monet_app.timings import remember_timing, timing_key
from monet_app.train.checking import result_of
from monet_app.train.data import set_aside, survey_data
from monet_app.train.form import get, problem, put, read, setting_fields, shown
from monet_app.train.history import run_figures
from monet_app.train.kinds import FINETUNE, JOINT, KINDS, PRETRAIN, SCRATCH, kind_of_settings
from monet_app.train.model import TrainModel
from monet_app.train.presets import BEST, PAPER, PRESETS, QUICK, preset_values
from monet_app.train.runs import find_runs
from monet_app.train.setup import Setup, estimate_request, train_request
from monet_app.words import count, day, dice, duration, in_words, listed, when
from monet_core.errors import DatasetError
from monet_core.jobs import Phase, Result
from monet_core.jobs.job import Job, JobState
from monet_core.models import list_models
from monet_core.worker.requests import parse_request


def test_words() -> None:
    assert [duration(s) for s in (0.2, 40, 120, 5040)] == ["1 s", "40 s", "2 min", "84 min"]
    assert duration(7000) == "1 h 57 min"
    assert (count(1, "scan"), count(3, "scan"), count(2, "body", "bodies")) == (
        "1 scan", "3 scans", "2 bodies")  # fmt: skip
    assert listed(["a", "b", "c", "d"]) == "a, b, c and 1 more"
    assert (dice(0.739), dice(1.0), dice(None), dice(float("nan"))) == (".739", "1.000", "–", "–")
    assert when("no date") == ""
    assert "2026" in when("2026-11-23T23:41:36+00:00")
    assert "," in day(0.0)
    error = DatasetError("x", "there is nothing", remedy="Look elsewhere.", file="/a/b")
    assert in_words(error) == "There is nothing. Look elsewhere."


def test_nothing_of_this_loads_torch() -> None:
    assert "monet_app.train.model" in sys.modules
    # In a whole test session others have loaded it.
    code = (
        "import sys, monet_app.train.model, monet_app.segment.model; print('torch' in sys.modules)"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


def test_every_setting_of_the_engine_is_in_the_form_and_explained() -> None:
    from monet_core.training.settings import TrainingSettings

    fields = {field.path: field for field in setting_fields()}
    top = set(TrainingSettings.model_fields) - {path.split(".")[0] for path in fields}
    assert top == {"stage", "recipe", "protocols", "mapping_variant", "mapping", "device"}
    assert fields["ema_decay"].kind == "text"
    assert fields["ema_decay"].optional
    assert fields["network.norm"].choices == ("instance", "batch")
    assert (fields["network.levels"].low, fields["network.levels"].high) == (2, 7)
    assert fields["preprocessing.spacing_mm"].unit == "mm"
    silent = [path for path, field in fields.items() if not field.help]
    assert set(silent) <= {"network.norm", "augmentation.blur_sd"}


def test_values_as_text_and_back() -> None:
    fields = {field.path: field for field in setting_fields()}
    assert read(fields["clip_norm"], "") is None
    assert read(fields["clip_norm"], " 12 ") == 12
    assert read(fields["loss.deep_weights"], "1, 0.5") == [1, 0.5]
    assert read(fields["evaluated_regions"], "challenge") == "challenge"
    assert shown((1.0, 0.5)) == "1, 0.5"
    assert (shown(None), shown(0.99), shown({"full": 1})) == ("", "0.99", '{"full": 1}')
    values: dict[str, Any] = {}
    put(values, "network.width", 8)
    assert get(values, "network.width") == 8
    assert get(values, "network.width.more") is None


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_every_preset_is_valid_for_every_kind(kind: Any, preset: Any) -> None:
    start = list_models()[0] if kind.start != "none" else None
    protocols = dict.fromkeys(kind.decoders, "malc")
    values = preset_values(preset, kind, protocols, start.path if start else None)
    assert problem(values) == ("", "")
    if start is not None:
        assert values["network"] == start.manifest.network.model_dump(mode="json")
    request = train_request(
        Setup(kind=kind, preset=preset, start=start.path if start else None, name="x"),
        Path("data"), Path("out"),
    )  # fmt: skip
    assert parse_request("train", request.model_dump(mode="json")) == request


def test_a_setup_keeps_only_what_differs_from_its_preset() -> None:
    setup = Setup(kind=SCRATCH, preset=PAPER)
    assert setup.changed("epochs", 200) == {}
    changes = setup.changed("network.width", 8)
    assert changes == {"network.width": 8}
    changed = Setup(kind=SCRATCH, preset=PAPER, changes=changes, variant="core", device="cpu")
    assert changed.values["network"]["width"] == 8
    assert (changed.values["mapping_variant"], changed.values["device"]) == ("core", "cpu")
    assert estimate_request(changed, 0, measure=False).scans == 1
    assert problem({**changed.values, "epochs": 0})[0] == "epochs"


def test_the_kind_of_a_stored_run() -> None:
    assert kind_of_settings("pretrain", ("partial",), False) is PRETRAIN
    assert kind_of_settings("finetune", ("full", "partial"), True) is JOINT
    assert kind_of_settings("finetune", ("full",), True) is FINETUNE
    assert kind_of_settings("finetune", ("full",), False) is SCRATCH


# -- checks -----------------------------------------------------------------------------------


def test_findings_share_a_line_and_questions_come_first() -> None:
    def finding(verdict: str, subject: str, **more: Any) -> dict[str, Any]:
        common = {"verdict": verdict, "code": "c", "subject": subject, "remedy": "Do it."}
        return {**common, "message": "odd", **more}

    answer = {
        "ok": False,
        "findings": [
            finding("warning", "a"), finding("warning", "b"), finding("fixed", ""),
            finding("ask", "b", option="--missing-regions", choices=["absent", "unannotated"]),
        ],
        "subjects": {"a": {"split": "train", "usable": True}, "b": {"split": None, "usable": False},
                     "c": {"split": "validation", "usable": True}},
    }  # fmt: skip
    result = result_of(answer)
    assert result.summary == (
        "Usable: 1 of 2 scans to train on, 1 of 1 scan to validate with; 3 findings."
    )
    assert [line.verdict for line in result.lines] == ["ask", "warning", "fixed"]
    (question,) = result.questions
    assert question.choices == ("absent", "unannotated")
    assert question.text == "odd."  # how to decide are buttons, not a command-line option
    assert result.lines[1].who == "a, b"
    assert result_of({}).summary == "Usable: no scan; nothing found amiss."


# -- data and the model -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def malc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_malc_dataset(tmp_path_factory.mktemp("malc"))


@pytest.fixture
def session(tmp_path: Path, malc: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A study of three annotated scans; everything in this thread."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    made = Session(Settings())
    made.open_study(tmp_path / "study")
    made.add_scans([malc])
    for entry in made.study.all_segmentations():
        made.study.set_protocol(entry.id, "malc")
    made.load_models()
    yield made
    made.close(let_jobs_go_on=False)


def test_data_of_a_study_and_of_a_folder(session: Session, malc: Path) -> None:
    study = survey_data(Setup(kind=SCRATCH), session.study)
    assert study.text == "2 scans to train on, 1 to validate with"
    assert study.protocols == {"malc": 3}
    folder = survey_data(Setup(kind=SCRATCH, source="folder", folder=malc), None)
    assert (folder.number("train"), folder.number("validation")) == (2, 1)
    with pytest.raises(DatasetError, match="no folder"):
        survey_data(Setup(source="folder"), None)
    with pytest.raises(DatasetError, match="no study"):
        survey_data(Setup(), None)


def test_scans_are_set_aside_for_validation(session: Session) -> None:
    for entry in session.study.scans():
        session.study.set_split(entry.id, "train")
    assert set_aside(session.study, Setup(kind=SCRATCH)) == 1
    assert sorted(str(entry.split) for entry in session.study.scans()) == [
        "train", "train", "validation"]  # fmt: skip


def test_the_model_follows_what_is_chosen(session: Session) -> None:
    model = TrainModel(session)
    assert model.setup.kind is JOINT
    assert model.annotated == {"malc": 3}
    assert model.mapping_text.startswith("15 of its 15 regions")
    assert model.setup.name == "joint-1"
    assert not model.problems
    model.choose_kind(FINETUNE)
    assert model.setup.start is not None  # one is needed, so the first is proposed
    assert model.setup.name == "unet-1"
    assert model.values["network"]["levels"] == 5  # of malc-1mm
    model.choose_preset(BEST)
    model.change("epochs", 7)
    assert model.setup.changes == {"epochs": 7}
    model.choose_kind(PRETRAIN)
    assert (model.setup.start, model.setup.protocol) == (None, "first")
    assert any("no usable" in each or "usable" in each for each in model.problems)
    model.choose_kind(SCRATCH)
    model.choose_name("../bad")
    assert any("letters and digits" in each for each in model.problems)
    (session.study.runs / "there").mkdir(parents=True)
    model.choose_name("there")
    assert any("already" in each for each in model.problems)


def test_an_atlas_without_a_mapping_is_told_in_words(session: Session, tmp_path: Path) -> None:
    table = tmp_path / "own.tsv"
    table.write_text("index\tname\n1\tOne\n2\tTwo\n")
    model = TrainModel(session)
    model.choose_protocol(str(table))
    assert "no mapping from own to first" in model.mapping_problem.lower()
    assert any("no mapping" in each.lower() for each in model.problems)


def test_a_failed_start_keeps_the_window_usable(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker is not asked: its answers are given."""
    answers: dict[str, Any] = {"check": {"ok": True, "findings": [], "subjects": {}}}
    monkeypatch.setattr("monet_app.train.checking.ask", lambda kind, *_: answers[kind])
    submitted: list[tuple[str, str, dict[str, Any]]] = []
    job = Job(session.study.jobs / "x", "train", "t", {"out": "o"})
    monkeypatch.setattr(session, "submit", lambda *what: submitted.append(what) or job)
    model, started = TrainModel(session), []
    model.started.connect(started.append)
    model.choose_kind(SCRATCH)
    model.start()
    ((kind, title, request),) = submitted
    assert (kind, title) == ("train", "U-Net from scratch: scratch-1")
    assert Path(request["data"]).read_text().count("malc") >= 3
    assert started == [job]
    assert model.setup.name == "scratch-2"


def test_questions_of_the_check_are_answered_by_buttons(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def answer(kind: str, request: dict[str, Any], *_: object) -> dict[str, Any]:
        asked.append(request)
        ask = {"verdict": "ask", "code": "missing-regions", "subject": "sub-0", "message": "lacks",
               "option": "--missing-regions", "choices": ["absent", "unannotated"]}  # fmt: skip
        open_ = request["missing"] == "ask"
        return {"ok": not open_, "findings": [ask] if open_ else [], "subjects": {}}

    monkeypatch.setattr("monet_app.train.checking.ask", answer)
    model = TrainModel(session)
    model.start()
    assert not model.checking.result.ok
    model.decide(model.checking.result.questions[0], "unannotated")
    assert model.checking.result.ok
    assert asked[-1]["missing"] == "unannotated"
    assert model.checking.is_of(model.setup)
    model.choose_protocol("first")
    assert model.checking.result is None


# -- runs -------------------------------------------------------------------------------------


def write_run(folder: Path, epochs: int, best_at: int, ended: bool = False) -> Path:
    """A run as the engine leaves it, of MALC with two regions."""
    folder.mkdir(parents=True)
    settings = {"stage": "finetune", "protocols": {"full": "malc"}, "epochs": 50}
    (folder / "config.json").write_text(json.dumps({"settings": settings, "start": None}))
    metrics, regions = [], []
    for epoch in range(1, epochs + 1):
        value = 0.5 - abs(epoch - best_at) / 100
        metrics.append({"epoch": epoch, "step": epoch, "train/loss": 1 / epoch,
                        "validation/dice/full": value})  # fmt: skip
        dice_of = {"59": value, "60": value / 2, "35": None}
        regions.append({"epoch": epoch, "step": epoch, "scan": "s", "decoder": "full",
                        "dice": dice_of})  # fmt: skip
    for name, rows in (("metrics.jsonl", metrics), ("regions.jsonl", regions)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"cut')
    event = "Done" if ended else "Message"
    (folder / "events.jsonl").write_text(
        json.dumps({"event": event, "time": 0.0, "text": "x"}) + "\n"
    )
    return folder


def test_figures_of_a_run(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", epochs=12, best_at=4)
    figures = run_figures(folder, {"full": "malc"})
    assert figures.epoch == 12
    assert figures.loss[0] == (1, 1.0)
    assert figures.dice["Whole brain"][3] == (4, 0.5)
    assert list(figures.groups) == ["Subcortical grey matter"]
    assert [score.index for score in figures.worst] == [60, 59]
    assert (figures.best_epoch, figures.stale, figures.validations_since) == (4, 8, 8)
    assert "has not improved for 8 epochs (best at epoch 4)" in figures.hint
    young = run_figures(write_run(tmp_path / "young", epochs=2, best_at=2), {"full": "malc"})
    assert young.hint == ""
    nothing = run_figures(tmp_path / "none", {"full": "malc"})
    assert (nothing.epoch, nothing.best_dice, nothing.hint) == (0, None, "")
    moved = run_figures(folder, {"full": str(tmp_path / "gone.tsv")})
    assert moved.groups == {}
    assert moved.best_epoch == 4


def test_runs_of_jobs_and_of_the_command_line(tmp_path: Path) -> None:
    write_run(tmp_path / "done", 3, 3, ended=True)
    write_run(tmp_path / "broken-off", 3, 3)
    (tmp_path / "no-run").mkdir()
    settings = {"protocols": {"full": "malc", "partial": "first"}, "epochs": 9}
    request = {"out": str(tmp_path / "waits"), "stage": "finetune", "settings": settings,
               "start": "m"}  # fmt: skip
    job = Job(tmp_path / "job", "train", "t", request)
    runs = {run.name: run for run in find_runs(tmp_path, [job])}
    assert set(runs) == {"done", "broken-off", "waits"}
    assert runs["done"].words == "done, epoch 3 of 50"
    assert runs["done"].score == ".500"
    assert runs["broken-off"].state is JobState.INTERRUPTED
    assert (runs["waits"].kind, runs["waits"].active) == (JOINT, True)
    assert runs["waits"].words == "waits"
    job.state = JobState.INTERRUPTED
    assert {run.name: run for run in find_runs(tmp_path, [job])}["waits"].can_go_on


# -- segmenting -------------------------------------------------------------------------------


def test_progress_from_what_the_worker_says(tmp_path: Path) -> None:
    request = {"scans": [{"path": "a.nii"}, {"path": "b.nii"}], "out": "o"}
    job = Job(tmp_path, "segment", "t", request, state=JobState.RUNNING, started=0.0)
    progress = Progress(job)
    progress.hear(Phase("Loading the model"))
    assert progress.text == "Loading the model"
    progress.hear(Phase("Scan 2 of 2: b · Predicting"))
    progress.hear(Phase("Scan 2 of 2: b · Resampling and normalising"))
    assert (progress.current, progress.name, progress.phase) == (2, "b", "Predicting")
    assert progress.text == "scan 2 of 2: b"
    progress.hear(Result("scan", {"scan": "a.nii", "stem": "a", "seconds": 4.0}))
    progress.hear(Result("scan", {"scan": "b.nii", "error": "is cut off"}))
    assert progress.done == ["a"]
    assert progress.failed == [(Path("b.nii"), "is cut off")]
    assert progress.remaining(None) == 0.0
    job.state = JobState.DONE
    assert progress.text == "1 of 2 scans segmented"


def test_times_are_remembered_and_old_ones_fade() -> None:
    settings, key = Settings(), timing_key("m", {"device": "cpu", "overlap": 0.5})
    remember_timing(settings, key, 10.0)
    remember_timing(settings, key, 20.0)
    assert settings.timings[key] == 15.0
    for number in range(120):
        remember_timing(settings, f"other {number}", 1.0)
    assert len(settings.timings) == 100
    assert key not in settings.timings


def test_devices_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = {"name": "cuda:0", "title": "RTX A4000", "free_bytes": 9.2e9, "usable": True}
    old = {"name": "cuda:1", "title": "GTX", "usable": False, "reason": "too old"}
    assert device_of(gpu) == Device("cuda:0", "RTX A4000, 9.2 GB free")
    assert device_of(old) == Device("cuda:1", "GTX (not usable)", "too old", False)
    answer = {"devices": [gpu, old, {"name": "cpu", "title": "x86", "free_bytes": None}]}
    monkeypatch.setattr("monet_app.devices.ask", lambda *_: answer)
    devices = Devices(Session(Settings()))
    devices.look()
    assert devices.chosen("auto").text == "Automatic: RTX A4000, 9.2 GB free"
    assert devices.chosen("gone").name == "auto"
    assert QUICK.text == "Quick"
