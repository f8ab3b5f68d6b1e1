"""Run folders: one program at a time, events kept, cancellation."""

import json
import multiprocessing
import os
from pathlib import Path

import pytest

from monet_core.errors import OutputError
from monet_core.jobs import (
    EVENTS,
    Cancel,
    CancelledError,
    JsonlReporter,
    Message,
    Progress,
    locked,
    log_to,
    silent,
    versions,
)


def _hold(folder: Path, ready, release) -> None:
    with locked(folder):
        ready.set()
        release.wait(20)


def test_a_second_program_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready, release = spawn.Event(), spawn.Event()
    process = spawn.Process(target=_hold, args=(tmp_path, ready, release))
    process.start()
    try:
        assert ready.wait(20)
        with pytest.raises(OutputError, match=rf"process {process.pid} on ") as caught:
            with locked(tmp_path):
                pass
        assert caught.value.code == "folder-in-use"
    finally:
        release.set()
        process.join(20)
    with locked(tmp_path):  # free again
        assert json.loads((tmp_path / ".holder.json").read_text())["pid"] == os.getpid()


def test_the_lock_of_a_killed_program_is_not_in_the_way(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready, release = spawn.Event(), spawn.Event()
    process = spawn.Process(target=_hold, args=(tmp_path, ready, release))
    process.start()
    assert ready.wait(20)
    process.kill()
    process.join(20)
    with locked(tmp_path):
        assert (tmp_path / ".holder.json").exists()


def test_events_are_kept_in_order_and_passed_on(tmp_path: Path) -> None:
    seen: list[object] = []
    report = JsonlReporter(tmp_path, seen.append)
    report(Progress(1, 4, 2.5))
    report(Message("Größe", "warning"))
    lines = [json.loads(line) for line in (tmp_path / EVENTS).read_text("utf-8").splitlines()]
    assert [line["event"] for line in lines] == ["Progress", "Message"]
    assert lines[0]["remaining_s"] == 2.5
    assert lines[1]["text"] == "Größe"
    assert len(seen) == 2


def test_cancel_raises_only_once_it_was_asked_for() -> None:
    cancel = Cancel()
    cancel.check()
    cancel.set()
    with pytest.raises(CancelledError):
        cancel.check()
    silent(Message("nothing"))


def test_the_log_of_a_job_lands_in_its_folder(tmp_path: Path) -> None:
    import logging

    with log_to(tmp_path):
        logging.getLogger("monet_core.test").warning("look here")
    logging.getLogger("monet_core.test").warning("not here")
    text = (tmp_path / "log.txt").read_text()
    assert "look here" in text
    assert "not here" not in text


def test_versions_name_the_libraries_that_decide_a_result() -> None:
    found = versions()
    assert {"python", "torch", "SimpleITK", "monet-studio"} <= found.keys()


def test_what_a_killed_program_left_half_written_is_cleared(tmp_path: Path) -> None:
    (tmp_path / ".writing-abc.safetensors").write_bytes(b"half")
    (tmp_path / "kept.json").write_text("{}")
    with locked(tmp_path):
        assert not list(tmp_path.glob(".writing-*"))
        assert (tmp_path / "kept.json").exists()
