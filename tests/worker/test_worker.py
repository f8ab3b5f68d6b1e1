"""Real workers on tiny phantoms: what they say, and what becomes of interrupted work."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from phantoms import brain_phantom, save, save_subject

from monet_core.errors import DecisionNeeded, MonetError, OutputError
from monet_core.jobs import Cancelled, CancelledError, Control, Done, Event, Failed, Result
from monet_core.jobs.asking import ask
from monet_core.jobs.endings import CANNOT_WRITE
from monet_core.jobs.process import Job, JobQueue, JobState
from monet_core.models import DecoderEntry, Manifest, Model, load_model, save_model
from monet_core.networks import MONet, NetworkSettings
from monet_core.protocols import load_protocol
from monet_core.training import read_metrics
from monet_core.worker import main
from monet_core.worker.requests import parse_request
from monet_core.worker.run import run

TINY = {
    "patch": 24,
    "workers": 0,
    "augmentation": {"elastic_probability": 0},
    "network": {"width": 4, "levels": 2},
    "preprocessing": {"register": False, "spacing_mm": 3.0},
}


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[JobQueue]:
    opened = JobQueue(tmp_path / "jobs", lambda *_: None)
    yield opened
    for job in opened.jobs:
        job.grace_s = 0.0
    opened.close(detach=False, wait_s=20)


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """As many threads afterwards as before."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights on disk."""
    torch.manual_seed(0)
    protocol = load_protocol("first")
    manifest = Manifest(
        name="tiny",
        network=NetworkSettings(width=2, levels=3),
        decoders=[DecoderEntry(name="partial", protocol=protocol.as_dict())],
        preprocessing={"register": False, "margin_mm": 2.0, "spacing_mm": 2.0},
        patch=32,
    )
    network = MONet(manifest.network, {"partial": protocol.n_classes})
    return save_model(tmp_path_factory.mktemp("models") / "tiny", Model(manifest, network))


def wait(what: Callable[[], object], job: Job | None = None, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, job and (job.state, job.error, job.log())
        assert job is None or not job.state.ended or what(), (job.state, job.error, job.log())
        time.sleep(0.02)


def results(job: Job, kind: str) -> list[dict]:
    return [e.values for e in job.events() if isinstance(e, Result) and e.kind == kind]


def segmenting(tmp_path: Path, model: Path) -> dict:
    """A request for three scans, of which the second is a web page."""
    image, _, affine = brain_phantom(shape=(48, 56, 48), spacing=1.5)
    for name in ("a", "c"):
        save(tmp_path / f"in/{name}_T1w.nii.gz", image, affine)
    (tmp_path / "in/b_T1w.nii.gz").write_text("<html>not found</html>")
    return {
        "scans": [{"path": str(tmp_path / f"in/{name}_T1w.nii.gz")} for name in "abc"],
        "out": str(tmp_path / "out"),
        "model": str(model),
        "settings": {"mirror": False, "overlap": 0.0},
        "threads": 1,
    }


def test_a_broken_scan_does_not_stop_the_others_and_finished_ones_are_not_done_again(
    tmp_path: Path, queue: JobQueue, tiny: Path
) -> None:
    request = segmenting(tmp_path, tiny)
    job = queue.submit("segment", "Segment", request)
    wait(lambda: job.state is JobState.DONE, job)
    told = results(job, "scan")
    assert [(one["number"], one["total"]) for one in told] == [(1, 3), (2, 3), (3, 3)]
    assert "web page" in told[1]["error"]
    assert [Path(one["files"]["partial"]["labels"]).exists() for one in (told[0], told[2])]
    assert job.result["files"] == [one["files"]["partial"]["record"] for one in (told[0], told[2])]
    assert [Path(one["scan"]).name for one in job.result["failed"]] == ["b_T1w.nii.gz"]
    assert any("Scan 3 of 3: c · " in e.name for e in job.events() if hasattr(e, "name"))

    Path(told[0]["files"]["partial"]["labels"]).unlink()
    events: list[Event] = []
    again = parse_request("segment", {**request, "resume": True})
    run(again, events.append, Control(tmp_path))
    told = [event.values for event in events if isinstance(event, Result)]
    skipped = {Path(one["scan"]).name: one.get("skipped") for one in told}
    assert skipped == {"a_T1w.nii.gz": False, "b_T1w.nii.gz": None, "c_T1w.nii.gz": True}
    other = parse_request("segment", {**request, "resume": True, "settings": {"overlap": 0.1}})
    events.clear()
    run(other, events.append, Control(tmp_path))
    assert not any(e.values.get("skipped") for e in events if isinstance(e, Result))


def test_where_every_scan_failed_the_job_failed(tmp_path: Path, tiny: Path) -> None:
    scans = [{"path": str(tmp_path / f"{name}.nii.gz")} for name in ("gone", "lost")]
    request = {"scans": scans, "out": str(tmp_path / "out"), "model": str(tiny)}
    with pytest.raises(MonetError, match=r"gone\.nii\.gz.*1 more scan failed"):
        run(parse_request("segment", request), _silent, Control(tmp_path))


def training(tmp_path: Path, **more: object) -> dict:
    for seed in range(2):
        save_subject(tmp_path / "data/train", f"sub-{seed}", seed=seed)
    save_subject(tmp_path / "data/validation", "sub-9", seed=9)
    return {
        "stage": "pretrain",
        "recipe": "paper",
        "data": str(tmp_path / "data"),
        "out": str(tmp_path / "run"),
        "settings": {"protocols": {"partial": "first"}, "epochs": 5000, **TINY},
        "missing": "absent",
        "cache": str(tmp_path / "cache"),
        "threads": 1,
        **more,
    }


@pytest.mark.skipif(sys.platform == "win32", reason="kills")
def test_a_training_shows_previews_survives_a_kill_and_is_stopped_with_its_model(
    tmp_path: Path, queue: JobQueue
) -> None:
    job = queue.submit("train", "Train", training(tmp_path))
    wait(lambda: len(results(job, "preview")) > 1, job)
    shown = results(job, "preview")[0]
    assert (shown["scan"], shown["decoder"], shown["epoch"]) == ("sub-9", "partial", 1)
    preview, scan = nib.load(shown["path"]), nib.load(shown["source"])
    assert preview.shape == scan.shape
    np.testing.assert_array_equal(preview.affine, scan.affine)
    assert set(np.unique(preview.dataobj)) <= {0, *load_protocol("first").indices}
    assert set(results(job, "regions")[0]) == {"decoder", "epoch", "dice"}
    job.pause()
    wait(lambda: job.state is JobState.PAUSED, job)
    job.resume()
    at = len(job.events())
    wait(lambda: len(job.events()) > at + 3, job)
    assert job.process is not None
    os.kill(job.process.pid, signal.SIGKILL)
    wait(lambda: job.state is JobState.INTERRUPTED)
    before = len(read_metrics(tmp_path / "run"))
    queue.resume(job)
    wait(lambda: len(read_metrics(tmp_path / "run")) > before, job)
    assert any("Resumed at step" in message.text for message in job.messages)
    job.stop_and_keep()
    wait(lambda: job.state is JobState.DONE, job)
    assert job.result["stopped"] is True
    assert load_model(Path(job.result["model"])).manifest.name == "run"


def test_stopping_before_the_first_validation_keeps_the_weights_there_are(tmp_path: Path) -> None:
    more = {"protocols": {"partial": "first"}, "epochs": 9, "validate_every": 9, **TINY}
    request = parse_request("train", training(tmp_path, settings=more))
    control = Control(tmp_path)

    def stop(event: Event) -> None:
        if getattr(event, "total", 0) == 18:
            control.stop_asked = True
            control._looked = float("inf")

    result = run(request, stop, control)
    assert result["stopped"] is True
    assert result["best_epoch"] == -1
    assert load_model(tmp_path / "run").manifest.scores == {}
    with pytest.raises(CancelledError):
        run(parse_request("train", training(tmp_path, out=str(tmp_path / "b"))), stop, _stopped())


def _stopped() -> Control:
    control = Control(Path("/nowhere"))
    control.stop_asked, control._looked = True, float("inf")
    return control


def test_a_question_is_answered_from_a_process_of_its_own(tmp_path: Path) -> None:
    found = ask("devices", {})["devices"]
    assert found[0]["name"] == "cpu"
    assert 0 < found[0]["free_bytes"] <= found[0]["total_bytes"]
    with pytest.raises(MonetError, match="no job of kind 'nonsense'"):
        ask("nonsense", {})


def test_estimates_tell_memory_time_and_what_does_not_fit(tmp_path: Path, tiny: Path) -> None:
    asked = {
        "stage": "pretrain",
        "recipe": "paper",
        "settings": {"protocols": {"partial": "first"}, "epochs": 2, "device": "cpu", **TINY},
        "scans": 3,
    }
    said = run(parse_request("estimate-training", asked), _silent, Control(tmp_path))
    assert said["fits"]
    assert said["steps"] == 6
    assert said["seconds"] == pytest.approx(6 * said["seconds_per_step"])
    assert 0 < said["needed_bytes"] < said["free_bytes"]
    huge = {**asked["settings"], "network": {"width": 256, "levels": 7, "max_width": 2048}}  # type: ignore[dict-item]
    said = run(
        parse_request("estimate-training", {**asked, "settings": {**huge, "patch": 512}}),
        _silent,
        Control(tmp_path),
    )
    assert said["fits"] is False
    assert said["seconds"] is None
    assert "GB of memory" in said["notes"][0]
    asked = {"shape": (48, 56, 48), "model": str(tiny), "settings": {"device": "cpu"}}
    said = run(parse_request("estimate-segmenting", asked), _silent, Control(tmp_path))
    assert said["fits"]
    assert said["patch"] == 32
    assert said["needed_bytes"] > 0


def test_checking_is_a_job_too(tmp_path: Path) -> None:
    training(tmp_path)
    asked = {"data": tmp_path / "data", "protocol": "first", "out": tmp_path / "check.tsv"}
    said = run(parse_request("check", asked), _silent, Control(tmp_path))
    assert (tmp_path / "check.tsv").exists()
    assert set(said["subjects"]) == {"sub-0", "sub-1", "sub-9"}
    assert said["ok"] is (not any(one["verdict"] == "ask" for one in said["findings"]))


class OutOfMemoryError(RuntimeError):
    """As torch calls its own."""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OutOfMemoryError("CUDA out of memory"), "graphics card is used up"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "memory of this machine"),
        (MemoryError(), "memory of this machine"),
        (OSError(28, "No space left", "/x"), "/x: the disk is full"),
        (OSError(5, "Input/output error", "/x"), "/x: cannot be read or written"),
        (ZeroDivisionError("by zero"), "unexpected error: ZeroDivisionError"),
        (OutputError("c", "cannot write here", remedy="Do.", file="/x"), "/x: cannot write here"),
    ],
)
def test_every_failure_is_told_in_words(
    error: Exception, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = _end_of(error, tmp_path, monkeypatch)
    assert isinstance(end, Failed)
    assert words in end.text
    assert "\n" not in end.text


def test_a_question_to_the_user_comes_through_with_its_choices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = DecisionNeeded("unknown-labels", "which", option="--unknown", choices=("a", "b"))
    end = _end_of(question, tmp_path, monkeypatch)
    assert isinstance(end, Failed)
    back = MonetError.from_dict(end.error)
    assert isinstance(back, DecisionNeeded)
    assert (back.code, back.option, back.choices) == ("unknown-labels", "--unknown", ("a", "b"))
    assert str(back) == str(question)


def test_a_full_disk_is_told_by_the_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Event) -> None:
        raise OutputError("disk-full", "the disk is full")

    monkeypatch.setattr(main, "_do", lambda *_: {})
    monkeypatch.setattr(main, "_obey_signals", lambda _: None)
    assert main._work(tmp_path, full) == CANNOT_WRITE
    assert main._work(tmp_path, _silent) == 0


def test_cancelling_and_ending_well_are_ends_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(_end_of(CancelledError(), tmp_path, monkeypatch), Cancelled)
    monkeypatch.setattr(main, "_do", lambda *_: {"a": 1})
    end = main._ended(tmp_path, _silent, Control(tmp_path))
    assert isinstance(end, Done)
    assert end.result == {"a": 1}


def test_threads_leave_a_core_to_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in main._THREADS:
        monkeypatch.setenv(name, "x")
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(main, "_cores", lambda: 8)
    main.limit_threads(None)
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert os.environ["MKL_NUM_THREADS"] == "x"
    main.limit_threads(3)
    assert {os.environ[name] for name in main._THREADS} == {"3"}


def _end_of(error: Exception, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Event:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(main, "_do", fail)
    return main._ended(folder, _silent, Control(folder))


def _silent(_: Event) -> None:
    """Says nothing."""
