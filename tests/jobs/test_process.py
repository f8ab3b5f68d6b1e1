"""The queue: jobs in processes of their own, whatever becomes of them and of the queue."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from monet_core.files import read_json
from monet_core.jobs import CancelledError, Control, Done, Event, Progress, parse_event
from monet_core.jobs.control import Command, send
from monet_core.jobs.endings import CANNOT_WRITE, last_words
from monet_core.jobs.process import Job, JobQueue, JobState, StateChanged, worker_command

Told = list[tuple[Job, Event]]
Open = Callable[..., JobQueue]


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def open_queue(tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens queues whose workers are pretenders; closes them, and what they left, at the end."""
    pretender = [sys.executable, str(Path(__file__).with_name("pretender.py"))]
    monkeypatch.setattr("monet_core.jobs.launching.worker_command", lambda: pretender)
    queues: list[JobQueue] = []

    def open_one(**named: object) -> JobQueue:
        queue = JobQueue(tmp_path / "jobs", lambda *what: told.append(what), **named)  # type: ignore[arg-type]
        queues.append(queue)
        return queue

    yield open_one
    for queue in queues:
        for job in queue.jobs:
            if job.process is not None:
                job.process.kill()
        queue.close(detach=True)


def wait(what: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def submit(queue: JobQueue, do: str) -> Job:
    return queue.submit("pretend", f"To {do}", {"do": do})


def running(job: Job) -> bool:
    return job.state is JobState.RUNNING and job.progress is not None


def test_jobs_run_one_after_the_other_and_say_all(open_queue: Open, told: Told) -> None:
    queue = open_queue()
    first, second = submit(queue, "short"), submit(queue, "fail")
    assert queue.jobs == [second, first]
    wait(lambda: first.state.ended and second.state.ended)
    assert (first.state, first.result) == (JobState.DONE, {"answer": 42})
    assert (second.state, second.error) == (JobState.FAILED, "nothing came of it")
    assert first.ended is not None
    assert second.started is not None
    assert second.started >= first.ended
    wait(lambda: told[-1][0] is second and type(told[-1][1]).__name__ == "Failed")
    states = [e.state for j, e in told if j is first and isinstance(e, StateChanged)]
    assert states[-3:] == [JobState.PREPARING, JobState.RUNNING, JobState.DONE]
    assert [type(event) for event in first.events()][-1] is Done


def test_cancelling_is_cooperative_and_also_reaches_what_waits(open_queue: Open) -> None:
    queue = open_queue()
    job, waiting = submit(queue, "long"), submit(queue, "long")
    wait(lambda: running(job))
    job.cancel()
    waiting.cancel()
    assert job.state is JobState.CANCELLING
    assert waiting.state is JobState.CANCELLED
    wait(lambda: job.state is JobState.CANCELLED)
    assert [type(event).__name__ for event in job.events()][-1] == "Cancelled"


def test_what_does_not_listen_is_ended_after_the_grace_time(open_queue: Open) -> None:
    queue = open_queue()
    job = submit(queue, "deaf")
    job.grace_s = 0.3
    wait(lambda: job.state is JobState.RUNNING)
    assert job.process is not None
    pid = job.process.pid
    job.cancel()
    wait(lambda: job.state is JobState.CANCELLED)
    assert not psutil.pid_exists(pid)


def test_pausing_waits_and_going_on_goes_on(open_queue: Open) -> None:
    queue = open_queue()
    job = submit(queue, "long")
    wait(lambda: running(job))
    job.pause()
    wait(lambda: job.state is JobState.PAUSED)
    at = job.progress
    time.sleep(0.4)
    assert job.progress == at
    job.resume()
    wait(lambda: job.state is JobState.RUNNING and job.progress != at)
    job.stop_and_keep()
    wait(lambda: job.state is JobState.DONE)
    assert job.result == {"stopped": True}


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_worker_is_told_in_words_and_goes_on_when_asked(open_queue: Open) -> None:
    queue = open_queue()
    job = submit(queue, "long")
    wait(lambda: running(job))
    assert job.process is not None
    os.kill(job.process.pid, signal.SIGKILL)
    wait(lambda: job.state is JobState.INTERRUPTED)
    assert "memory ran out" in job.error
    queue.resume(job)
    assert read_json(job.folder / "job.json")["request"] == {"do": "long", "resume": True}
    wait(lambda: running(job))
    assert job.error == ""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_crashes_and_broken_installations_are_told_apart(open_queue: Open) -> None:
    queue = open_queue(parallel=2)
    crashed, broken = submit(queue, "crash"), submit(queue, "exit")
    wait(lambda: crashed.state.ended and broken.state.ended)
    assert crashed.state is JobState.INTERRUPTED
    assert "SIGSEGV" in crashed.error
    assert broken.state is JobState.FAILED
    assert "no module named nonsense" in broken.error
    assert "no module named nonsense" in broken.log()


def test_a_queue_opened_anew_finds_what_runs_and_what_ended_meanwhile(
    open_queue: Open, told: Told
) -> None:
    first = open_queue(parallel=2)
    long, ended, waiting = submit(first, "long"), submit(first, "long"), submit(first, "long")
    wait(lambda: running(long) and ended.started)
    first.close(detach=True)
    before = long.process
    assert before is not None
    assert before.running
    told.clear()
    (ended.folder / "enough").touch()
    wait(lambda: Done in [type(event) for event in ended.events()])
    second = open_queue(parallel=2)
    again = {job.id: job for job in second.jobs}
    wait(lambda: running(again[long.id]) and again[ended.id].state is JobState.DONE)
    assert again[ended.id].result == {"answer": 42}
    wait(lambda: any(job.id == ended.id and isinstance(event, Done) for job, event in told))
    wait(lambda: running(again[waiting.id]))
    found = again[long.id].process
    assert found is not None
    assert found.pid == before.pid
    again[long.id].cancel()
    wait(lambda: again[long.id].state is JobState.CANCELLED)
    second.close(detach=False)
    assert again[waiting.id].state is JobState.CANCELLED
    assert [job.state for job in open_queue().jobs] == [
        JobState.CANCELLED,
        JobState.DONE,
        JobState.CANCELLED,
    ]


def test_a_process_that_went_while_nobody_watched_is_interrupted(open_queue: Open) -> None:
    queue = open_queue()
    job = submit(queue, "long")
    wait(lambda: running(job))
    queue.close(detach=True)
    assert job.process is not None
    job.process.kill()
    (again,) = open_queue().jobs
    wait(lambda: again.state is JobState.INTERRUPTED)
    assert "while nobody watched" in again.error


def test_two_programs_with_one_folder_start_a_job_once(open_queue: Open) -> None:
    one, other = open_queue(), open_queue()
    job = submit(one, "long")
    wait(lambda: running(job))
    wait(lambda: any(running(found) for found in other.jobs))
    assert job.process is not None
    assert other.jobs[0].process is not None
    assert other.jobs[0].process.pid == job.process.pid
    other.jobs[0].cancel()
    wait(lambda: job.state is JobState.CANCELLED)


def test_a_listener_that_fails_does_not_end_the_watch(tmp_path: Path, open_queue: Open) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    open_queue()
    queue = JobQueue(tmp_path / "others", fail)
    job = submit(queue, "short")
    wait(lambda: job.state is JobState.DONE)
    queue.forget(job)
    assert queue.jobs == []
    assert not job.folder.exists()
    queue.close()


def test_a_job_is_done_again_at_once_though_its_process_is_still_there(open_queue: Open) -> None:
    queue = open_queue()
    job = submit(queue, "linger")
    wait(lambda: job.state is JobState.DONE)
    assert job.process is not None
    before = job.process
    queue.retry(job)
    assert not before.running
    wait(lambda: job.state is JobState.DONE and job.process not in (None, before))


def test_a_folder_that_another_worker_holds_is_tried_again(open_queue: Open) -> None:
    queue = open_queue()
    job = submit(queue, "busy")
    wait(lambda: job.state is JobState.DONE)


def test_what_cannot_be_started_has_failed_in_words(
    open_queue: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monet_core.jobs.launching.worker_command", lambda: ["/no/such/program"])
    job = submit(open_queue(), "short")
    wait(lambda: job.state is JobState.FAILED)
    assert "could not be started" in job.error


def test_control_obeys_its_file(tmp_path: Path) -> None:
    said: list[bool] = []
    control = Control(tmp_path, said.append)
    control.check()
    assert not control.stop_asked
    send(tmp_path, Command.PAUSE)
    threading.Timer(0.7, lambda: send(tmp_path, Command.STOP)).start()
    time.sleep(0.25)
    control.check()
    assert said == [True, False]
    assert control.stop_asked
    assert 0.2 < control.paused_s < 5
    send(tmp_path, Command.CANCEL)
    time.sleep(0.25)
    with pytest.raises(CancelledError):
        control.check()
    (tmp_path / "control").write_text("nonsense")
    with pytest.raises(CancelledError):  # for good
        control.check()


def test_a_pause_ends_with_a_polite_kill(tmp_path: Path) -> None:
    send(tmp_path, Command.PAUSE)
    control = Control(tmp_path)
    threading.Timer(0.3, control.set).start()
    with pytest.raises(CancelledError):
        control.check()


def test_lines_that_are_no_events_are_passed_over() -> None:
    assert parse_event('{"event": "Progress", "done": 1, "total": 2, "time": 3, "new": 4}') == (
        Progress(1, 2, time=3)
    )
    for line in ("", '{"event": "Prog', "[]", '{"event": "Unheard"}', '{"event": "Progress"}', "7"):
        assert parse_event(line) is None


def test_every_end_has_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert last_words(-15, tmp_path)[1].startswith("The work was ended from outside")
    assert last_words(CANNOT_WRITE, tmp_path) == (False, last_words(CANNOT_WRITE, tmp_path)[1])
    monkeypatch.setattr("monet_core.jobs.endings._FULL_BYTES", 10**30)
    assert "disk is full" in last_words(None, tmp_path)[1]


def test_the_worker_is_this_python_or_the_frozen_program(monkeypatch: pytest.MonkeyPatch) -> None:
    assert worker_command() == [sys.executable, "-m", "monet_core.worker"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert worker_command() == [sys.executable, "--worker"]
