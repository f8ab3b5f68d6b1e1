"""Cohorts in one process: what is skipped, tried again and refused, and how workers are counted."""

import dataclasses
import json
import sys

import pytest
from small_cohort import SETTINGS, failing_once, tiny_items, tiny_model, tiny_scan
from typer.testing import CliRunner

from monet_core.cli.main import app
from monet_core.cohort import Scheduler, segment_cohort
from monet_core.cohort.clusters import slurm_cluster
from monet_core.cohort.sizing import Team, team, worker_bytes
from monet_core.cohort.surveying import Grid
from monet_core.errors import MonetError
from monet_core.jobs import Message, Phase
from monet_core.models import ModelEntry, read_manifest
from monet_core.scans import Decisions
from monet_core.segmenting import Failure, SegmentResult

ONE = Scheduler(workers=1)
HEAD = Grid((256, 256, 256), (1.0, 1.0, 1.0))


@pytest.fixture
def small(tmp_path):
    """Two items and a model of their own, to be changed."""
    return tiny_items(tmp_path / "in", 2), tiny_model(tmp_path / "model")


def skipped(outcomes) -> list[bool]:
    return [one.skipped for one in outcomes]


def test_results_lie_where_each_item_wants_them_with_their_records(cohort):
    result = cohort.outcomes[0]
    assert isinstance(result, SegmentResult)
    record = cohort.serial / "sub-0" / "anat" / "sub-0_seg-first_dseg.json"
    assert result.files["first"].record == record
    assert json.loads(record.read_text())["Computation"]["threads"] == 1
    assert len(result.volumes["first"]) == 15
    lines = (cohort.serial / "outcomes.jsonl").read_text().splitlines()
    assert [json.loads(line)["folder"] for line in lines] == [i.folder for i in cohort.items]


def test_a_rerun_skips_what_is_finished_without_loading_the_model(small, tmp_path):
    items, model = small
    first = segment_cohort(items, model, tmp_path / "out", SETTINGS, scheduler=ONE)
    assert skipped(first) == [False, False]
    kept = (tmp_path / "out" / "outcomes.jsonl").read_text()
    (model / "weights.safetensors").unlink()
    events, finished = [], []
    again = segment_cohort(
        items, model, tmp_path / "out", SETTINGS, report=events.append,
        finished=lambda item, outcome: finished.append(item),
    )  # fmt: skip
    assert skipped(again) == [True, True]
    assert finished == items
    assert [one.files for one in again] == [one.files for one in first]
    assert [[n.code for n in one.notes] for one in again] == [
        [n.code for n in one.notes] for one in first
    ]
    assert (tmp_path / "out" / "outcomes.jsonl").read_text() == kept
    assert not any(isinstance(event, Message) for event in events)


def test_what_changed_is_done_again(small, tmp_path):
    items, model = small
    out = tmp_path / "out"
    segment_cohort(items, model, out, SETTINGS, scheduler=ONE)

    def again(items=items, model=model, settings=SETTINGS, decisions=Decisions()):  # noqa: B008
        done = segment_cohort(items, model, out, settings, decisions, ONE)
        assert all(isinstance(one, SegmentResult) for one in done)
        return skipped(done)

    assert again(settings=SETTINGS.model_copy(update={"overlap": 0.25})) == [False, False]
    assert again() == [False, False]
    assert again(model=tiny_model(tmp_path / "other", seed=1)) == [False, False]
    assert again(decisions=Decisions(form="sform")) == [False, False]
    assert again(decisions=Decisions(form="sform")) == [True, True]
    answered = [dataclasses.replace(items[0], decisions=Decisions(form="qform")), items[1]]
    assert again(items=answered, decisions=Decisions(form="sform")) == [False, True]


def test_another_scan_of_the_name_of_a_finished_one_is_refused(small, tmp_path):
    items, model = small
    segment_cohort(items, model, tmp_path / "out", SETTINGS, scheduler=ONE)
    tiny_scan(items[0].scan, seed=9)
    first, second = segment_cohort(items, model, tmp_path / "out", SETTINGS, scheduler=ONE)
    assert isinstance(first, Failure)
    assert "belongs to another scan" in str(first)
    assert second.skipped


def test_what_a_killed_run_left_half_written_is_removed(small, tmp_path):
    items, model = small
    left = tmp_path / "out" / items[0].folder / ".writing-sub-0-ab_12xyz"
    other = left.with_name(".writing-sub-0-b-ab_12xyz")
    for folder in (left, other):
        folder.mkdir(parents=True)
    segment_cohort(items[:1], model, tmp_path / "out", SETTINGS, scheduler=ONE)
    assert not left.exists()
    assert other.exists()


def test_a_fault_that_passes_is_tried_again_and_one_that_stays_is_reported(small, tmp_path):
    items, model = small
    for folder, retries in (("a", 1), ("b", 0)):
        (tmp_path / folder).mkdir()
        outcomes = segment_cohort(
            items, model, tmp_path / folder, SETTINGS,
            scheduler=Scheduler(workers=1, retries=retries), after=failing_once(tmp_path / folder),
        )  # fmt: skip
        assert [isinstance(one, Failure) for one in outcomes] == [retries == 0] * 2
    assert "unexpected error: RuntimeError: a fault that passes" in str(outcomes[0])


def test_what_is_called_after_a_scan_may_fail_without_harm(small, tmp_path):
    def fail(*_):
        raise OSError(28, "No space left on device")

    items, model = small
    outcomes = segment_cohort(items, model, tmp_path / "out", SETTINGS, scheduler=ONE, after=fail)
    assert all("No space left" in one.warnings[-1].message for one in outcomes)


def test_phases_say_which_scan_they_are_about(small, tmp_path):
    items, model = small
    events = []
    segment_cohort(
        items, model, tmp_path / "out", SETTINGS, scheduler=ONE, report=events.append,
        started=lambda item, number, total: events.append((item.stem, number, total)),
    )  # fmt: skip
    phases = [event.name for event in events if isinstance(event, Phase)]
    assert "Scan 2 of 2, sub-1: Predicting" in phases
    assert [event for event in events if isinstance(event, tuple)] == [
        ("sub-0", 1, 2), ("sub-1", 2, 2),
    ]  # fmt: skip


def entry(cohort) -> ModelEntry:
    return ModelEntry(cohort.model, read_manifest(cohort.model))


@pytest.fixture
def machine(monkeypatch):
    """A machine of that much free memory (GB) and so many cores."""

    def make(free_gb, cores):
        sizing = "monet_core.cohort.sizing"
        monkeypatch.setattr(f"{sizing}.free_bytes", lambda _: int(free_gb * 1e9))
        monkeypatch.setattr(f"{sizing}._cores", lambda: cores)

    return make


@pytest.mark.parametrize(
    ("free_gb", "cores", "scans", "workers"),
    [(64, 4, 100, 4), (64, 4, 5, 2), (64, 4, 3, 1), (4, 16, 100, 3), (0.1, 16, 100, 1)],
)
def test_as_many_workers_as_cores_memory_and_scans_are_good_for(
    cohort, machine, free_gb, cores, scans, workers
):
    machine(free_gb, cores)
    found = team(Scheduler(), [HEAD], scans, entry(cohort), SETTINGS, lambda _: None)
    assert found.workers == workers
    assert found.apart == (workers > 1)
    # Several have a thread each, so that results do not depend on their number.
    assert found.threads == (1 if workers > 1 else None)


def test_more_workers_than_memory_allows_there_are_not_and_that_is_told(cohort, machine):
    machine(4, 16)
    events = []
    found = team(Scheduler(workers=9), [HEAD], 100, entry(cohort), SETTINGS, events.append)
    assert found.workers == 3
    (event,) = events
    assert event.level == "warning"
    assert "9 workers would take" in event.text
    assert str(found).startswith("3 workers, at most 1.")
    assert str(found).endswith(" GB each")


def test_the_largest_scan_decides_what_a_worker_takes(cohort):
    small = Grid((64, 64, 64), (1.0, 1.0, 1.0))
    both = worker_bytes([small, HEAD], entry(cohort), SETTINGS)
    assert both == worker_bytes([HEAD], entry(cohort), SETTINGS)
    assert both > worker_bytes([small], entry(cohort), SETTINGS)


def test_a_slurm_job_asks_for_what_a_worker_takes(tmp_path, monkeypatch):
    pytest.importorskip("dask_jobqueue")
    monkeypatch.chdir(tmp_path)
    with slurm_cluster(Team(3, 2, 1_900_000_000, apart=True)) as cluster:
        script = cluster.job_script()
    assert "#SBATCH --cpus-per-task=2" in script
    assert "#SBATCH --mem=2G" in script
    assert f"{sys.executable} -m distributed.cli.dask_worker tcp://" in script
    assert "--nthreads 1" in script
    assert "export DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE=False" in script


@pytest.mark.parametrize("where", ["locl", "node7:8786", "http://node7:8786", "tcp://"])
def test_a_scheduler_that_is_none_is_refused(cohort, tmp_path, where):
    with pytest.raises(MonetError, match=r"is no scheduler. Give local, slurm, or the address"):
        cohort.run(tmp_path, scheduler=Scheduler(where=where))


@pytest.mark.parametrize("where", ["local", "slurm", "tcp://127.0.0.1:9"])
def test_without_dask_the_remedy_is_named(cohort, tmp_path, monkeypatch, where):
    monkeypatch.setattr("monet_core.cohort.clusters.find_spec", lambda _: None)
    with pytest.raises(MonetError, match=r"pip install 'monet-studio\[cluster\]'"):
        cohort.run(tmp_path, scheduler=Scheduler(where=where, workers=2))


def test_the_command_skips_and_tells_it(cohort, tmp_path):
    scans = [str(cohort.items[0].scan), str(cohort.items[3].scan)]
    words = [*scans, "--out", tmp_path, "--model", cohort.model, "--no-mirror", "--picture"]
    for said in ("1 of 2 scans segmented", "1 of 2 scans segmented, 1 of them before"):
        done = CliRunner().invoke(app, ["segment", *map(str, words)])
        assert done.exit_code == 1
        assert said in done.output
    assert (tmp_path / "sub-0_overlay.png").stat().st_size > 1000
