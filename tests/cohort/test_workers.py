"""Cohorts through worker processes that are killed, grow too large, or run elsewhere."""

import os
import signal
from pathlib import Path

import psutil
import pytest
from small_cohort import eating, holding, killing

from monet_core.cohort import Scheduler
from monet_core.errors import MonetError
from monet_core.jobs import Cancel, CancelledError, Message, Progress
from monet_core.segmenting import Failure, SegmentResult

distributed = pytest.importorskip("distributed")
TWO = Scheduler(workers=2, retries=1)


def worker_pids() -> set[int]:
    found = psutil.Process().children(recursive=True)
    return {each.pid for each in found if "spawn_main" in " ".join(each.cmdline())}


def leftovers(out: Path) -> list[Path]:
    return list(out.rglob(".writing-*"))


def test_a_killed_worker_and_a_broken_scan_change_no_label_map(cohort, tmp_path):
    mark, killed, events = tmp_path / "held", [], []

    def finished(item, outcome):
        """Kill the worker that holds sub-1, once the other one has ended a scan."""
        if not killed and mark.exists():
            killed.append(int(mark.read_text()))
            os.kill(killed[0], signal.SIGKILL)

    outcomes = cohort.run(
        tmp_path, scheduler=TWO, report=events.append, finished=finished,
        after=holding("sub-1", mark),
    )  # fmt: skip
    assert killed
    failures = [one for one in outcomes if isinstance(one, Failure)]
    assert failures == [outcomes[cohort.broken]]
    assert "damaged" in str(failures[0])
    assert str(cohort.outcomes[cohort.broken]) == str(failures[0])
    cohort.require_same_labels(tmp_path)
    assert [one.scan for one in outcomes] == [item.scan for item in cohort.items]
    assert not leftovers(tmp_path)
    assert not worker_pids()
    texts = [event.text for event in events if isinstance(event, Message)]
    assert texts[0].startswith("6 of 6 scans to segment: 2 workers, at most ")
    assert "a worker was lost that segmented sub-1" in texts
    last = [event for event in events if isinstance(event, Progress)][-1]
    assert (last.done, last.total, last.text) == (6, 6, "6 of 6 scans, 1 failed")


@pytest.mark.parametrize("fatal", [killing, eating])
def test_a_scan_that_always_takes_its_worker_along_is_reported(cohort, tmp_path, fatal):
    outcomes = cohort.run(tmp_path, scheduler=TWO, after=fatal("sub-1"))
    failed = {number for number, one in enumerate(outcomes) if isinstance(one, Failure)}
    assert failed == {1, cohort.broken}
    assert outcomes[1].note.code == "worker-lost"
    assert "lost 2 times" in str(outcomes[1])
    assert str(cohort.items[1].scan) in str(outcomes[1])
    assert "sub-1_T1w.nii.gz" in (tmp_path / "outcomes.jsonl").read_text()


def test_cancelling_stops_the_workers_and_leaves_nothing_half_written(cohort, tmp_path):
    cancel = Cancel()
    with pytest.raises(CancelledError):
        cohort.run(tmp_path, scheduler=TWO, cancel=cancel, finished=lambda *_: cancel.set())
    assert not leftovers(tmp_path)
    assert not worker_pids()
    # What was finished is not done again.
    outcomes = cohort.run(tmp_path, scheduler=Scheduler(workers=1))
    assert any(isinstance(one, SegmentResult) and one.skipped for one in outcomes)
    cohort.require_same_labels(tmp_path)


@pytest.fixture(scope="module")
def elsewhere():
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, protocol="tcp://",
        host="127.0.0.1", dashboard_address="127.0.0.1:0",
    ) as cluster:  # fmt: skip
        yield Scheduler(where=cluster.scheduler_address)


def test_a_scheduler_that_runs_elsewhere_gives_the_same(cohort, tmp_path, elsewhere):
    outcomes = cohort.run(tmp_path, scheduler=elsewhere)
    assert sum(isinstance(one, SegmentResult) for one in outcomes) == 5
    cohort.require_same_labels(tmp_path)


def test_files_that_workers_do_not_see_are_told_before_any_work(
    cohort, tmp_path, elsewhere, monkeypatch
):
    own, exists = tmp_path / "own-disk", Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: path != own and exists(path))
    with pytest.raises(MonetError, match="own-disk: is not seen by the worker at"):
        cohort.run(own, scheduler=elsewhere)


def test_a_scan_that_workers_do_not_see_fails_alone(cohort, tmp_path, elsewhere, monkeypatch):
    hidden, exists = cohort.items[0].scan, Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: path != hidden and exists(path))
    outcomes = cohort.run(tmp_path, scheduler=elsewhere)
    assert "is not seen by the worker on" in str(outcomes[0])
    assert sum(isinstance(one, SegmentResult) for one in outcomes) == 4


def test_an_address_where_nothing_answers_is_told(cohort, tmp_path, monkeypatch):
    monkeypatch.setattr("monet_core.cohort.clusters.PATIENCE_S", 0.5)
    with pytest.raises(MonetError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        cohort.run(tmp_path, scheduler=Scheduler(where="tcp://127.0.0.1:9"))
