"""Processes under torchrun learn what one process learns, end together, and go on in any number."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from phantoms import save_subject
from safetensors.torch import load_file

from monet_core.jobs import Cancel, CancelledError, Event, Progress, silent
from monet_core.networks import NetworkSettings
from monet_core.preprocessing import PreprocessingSettings
from monet_core.training import (
    TrainingRequest,
    TrainingSettings,
    read_metrics,
    recipe_settings,
    train,
)
from monet_core.training.batches import Schedule
from monet_core.training.checkpoints import CURRENT

STEPS = 9
"""Three scans x two patches, in steps of two patches, in three epochs."""
WORDS = (
    "--epochs 3 --patch 24 --width 4 --levels 2 --patches-per-scan 2 --device cpu --precision 32 "
    "--missing-regions absent --set preprocessing.register=false --spacing 3 --seed 0 "
    "--set checkpoint_minutes=1e-9 --workers 0"
).split()

RATE = 1e-3
"""By as much Adam moves a weight in one step."""
MOST, MEAN = 0.5 * RATE, 0.02 * RATE
"""No weight of shared steps lies further off, nor all of a tensor's on average (docs/cluster.md).
Sums are rounded in another order, and Adam divides gradients by their own size: small ones, too."""
MOMENTS = 0.02
"""The same for Adam's running means of gradients and squares, as a share of a tensor's largest."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scans in `data`, and `whole`: a run of one process with both processes' patches."""
    folder = tmp_path_factory.mktemp("torchrun")
    for seed in range(3):
        save_subject(folder / "data/train", f"sub-{seed}", seed=seed)
    for seed in (8, 9):
        save_subject(folder / "data/validation", f"sub-{seed}", seed=seed)
    train(alone(folder, "whole"), silent, Cancel())
    return folder


def alone(place: Path, run: str, **kwargs: object) -> TrainingRequest:
    settings = TrainingSettings(
        **{
            **recipe_settings("paper", "pretrain"),
            "protocols": {"partial": "first"},
            "epochs": 3,
            "patch": 24,
            "batch": 2,
            "learning_rate": RATE,
            "patches_per_scan": 2,
            "workers": 0,
            "device": "cpu",
            "precision": "32",
            "checkpoint_minutes": 1e-9,
            "network": NetworkSettings(width=4, levels=2),
            "preprocessing": PreprocessingSettings(register=False, spacing_mm=3.0),
        }
    )
    return TrainingRequest(
        place / "data",
        place / run,
        settings,
        missing="absent",
        cache=place / "cache",
        **kwargs,
    )


class Torchrun:
    """Two processes on this machine; `said` is what they wrote when they have ended."""

    def __init__(self, place: Path, run: str, *more: str) -> None:
        self.out = place / run
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command += [
            "--nproc-per-node",
            "2",
            "-m",
            "monet_core.cli",
            "pretrain",
            str(place / "data"),
        ]
        command += ["--out", str(self.out), "--cache", str(place / "cache"), *WORDS, *more]
        self._log = (place / f"{run}.txt").open("w+")
        self.process = subprocess.Popen(
            command, stderr=self._log, stdout=self._log, start_new_session=True
        )

    def end(self) -> int:
        status = self.process.wait(400)
        self._log.seek(0)
        self.said = self._log.read()
        return status

    def wait_for_a_step(self) -> None:
        deadline = time.monotonic() + 400
        while not (self.out / CURRENT).exists():
            assert self.process.poll() is None, self.end() or self.said
            assert time.monotonic() < deadline, "the training makes no steps"
            time.sleep(0.01)

    def of_rank(self, rank: int) -> psutil.Process:
        for child in psutil.Process(self.process.pid).children():
            if child.environ().get("RANK") == str(rank):
                return child
        raise AssertionError("there is no such process")

    @property
    def lines(self) -> list[str]:
        """What the user is told of the end."""
        return re.findall("^(?:monet: |ERROR).*", self.said, re.MULTILINE)


def require_alike(a: Path, b: Path) -> None:
    one, two = load_file(a / CURRENT), load_file(b / CURRENT)
    assert one.keys() == two.keys()
    for name, value in one.items():
        off = (two[name] - value).abs()
        if name.startswith("optimizer/"):
            assert off.max() <= MOMENTS * value.abs().max(), name
        else:
            assert off.max() <= MOST, name
            assert off.mean() <= MEAN, name
    for before, after in zip(read_metrics(a), read_metrics(b), strict=True):
        assert after == pytest.approx(before, rel=0.01, abs=1e-3)


def test_two_processes_learn_what_one_learns_from_both_their_patches(place: Path) -> None:
    both = Torchrun(place, "both")
    assert both.end() == 0, both.said
    require_alike(place / "whole", both.out)
    assert both.said.count("epoch 3: ") == 1
    assert len((both.out / "regions.jsonl").read_text().splitlines()) == 3 * 2


def test_a_killed_process_ends_all_and_any_number_goes_on(place: Path) -> None:
    """Two processes, then one, then two: what one alone would have learnt."""
    both = Torchrun(place, "killed")
    both.wait_for_a_step()
    both.of_rank(1).kill()
    assert both.end() != 0
    assert len(both.lines) == 1, both.said
    assert "processes is gone" in both.lines[0]
    assert "--resume goes on" in both.lines[0]

    cancel = Cancel()

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.total == STEPS and event.done == STEPS - 1:
            cancel.set()

    with pytest.raises(CancelledError):
        train(alone(place, "killed", resume=True), stop, cancel)
    again = Torchrun(place, "killed", "--resume")
    assert again.end() == 0, again.said
    assert f"Resumed at step {STEPS - 1} of {STEPS}" in again.said
    require_alike(place / "whole", place / "killed")


def test_ctrl_c_keeps_a_checkpoint_and_is_told_once(place: Path) -> None:
    both = Torchrun(place, "stopped", "--epochs", "500", "--workers", "1")
    both.wait_for_a_step()
    os.kill(both.process.pid, signal.SIGINT)
    assert both.end() != 0
    assert both.lines == ["monet: cancelled; what was finished is kept"]
    assert "forcefully" not in both.said  # torchrun's word for killing what does not end
    assert not list(both.out.glob(".writing-*"))
    assert load_file(both.out / CURRENT)


def test_what_one_process_cannot_read_is_told_once_and_ends_all(place: Path) -> None:
    """The prepared scans go away while two processes train on them."""
    more = ["--epochs", "500", "--workers", "1", "--cache", str(place / "other")]
    here = Torchrun(place, "lost", *more)
    here.wait_for_a_step()
    for file in (place / "other").glob("*/image.npy"):
        file.rename(file.with_name("away"))
    assert here.end() != 0
    assert len(here.lines) == 1, here.said
    for part in (r"process [12] of 2 \(on ", r"image\.npy", "cannot be read or written"):
        assert re.search(part, here.lines[0])


@pytest.mark.parametrize(("batch", "world"), [(1, 1), (2, 2), (8, 3), (5, 4)])
def test_a_step_is_shared_out_whole_whatever_the_number_of_processes(
    batch: int, world: int
) -> None:
    alone, shared = Schedule(20, batch), Schedule(20, batch, world)
    assert alone.steps_per_epoch == shared.steps_per_epoch
    for step in range(alone.steps_per_epoch):
        shares = [shared.indices(step, rank) for rank in range(world)]
        assert [n for share in shares for n in share] == list(alone.indices(step, 0))
        assert max(map(len, shares)) - min(map(len, shares)) <= 1
        assert min(map(len, shares)) >= 1


def test_more_processes_than_patches_in_a_step_are_refused(place: Path) -> None:
    request = alone(place, "whole", resume=True, devices=3)
    with pytest.raises(Exception, match=r"takes 2 patches, which 3 processes cannot share"):
        train(request, silent, Cancel())
