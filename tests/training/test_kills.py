"""kill -9 at random moments, then --resume: the same weights as an uninterrupted run."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from phantoms import save_subject

from monet_core.jobs import EVENTS
from monet_core.models import load_model
from monet_core.training import read_metrics

STEPS = 40
COMMAND = (
    "--epochs 10 --patch 24 --width 4 --levels 2 --patches-per-scan 2 --workers 1 --seed 3 "
    "--missing-regions absent --set preprocessing.register=false --spacing 3 "
    "--set checkpoint_minutes=1e-9 --set ema_decay=0.9 --validate-every 2"
).split()


def start(data: Path, out: Path, cache: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "monet_core.cli", "pretrain", str(data), "--out", str(out)]
    return subprocess.Popen(
        [*command, "--cache", str(cache), *COMMAND, *more],
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def steps_done(out: Path) -> int:
    """Newest step that the run has told."""
    if not (out / EVENTS).exists():
        return 0
    for line in reversed((out / EVENTS).read_text().splitlines()):
        event = json.loads(line) if line.endswith("}") else {}
        if event.get("event") == "Progress" and event.get("total") == STEPS:
            return int(event["done"])
    return 0


def wait_for_step(process: subprocess.Popen[bytes], out: Path, step: int) -> None:
    deadline = time.monotonic() + 120
    while steps_done(out) < step and process.poll() is None:
        assert time.monotonic() < deadline, "the training makes no steps"
        time.sleep(0.005)


def test_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    for seed in range(2):
        save_subject(tmp_path / "data/train", f"sub-{seed}", seed=seed)
    save_subject(tmp_path / "data/validation", "sub-9", seed=9)
    data, cache = tmp_path / "data", tmp_path / "cache"
    whole = start(data, tmp_path / "whole", cache)
    assert whole.wait(180) == 0, whole.stderr.read() if whole.stderr else ""

    rng = random.Random(1)
    broken = tmp_path / "broken"
    for number, step in enumerate((1, 8, 19, 33)):
        process = start(data, broken, cache, *(["--resume"] if number else []))
        wait_for_step(process, broken, step)
        time.sleep(rng.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
    last = start(data, broken, cache, "--resume")
    assert last.wait(180) == 0, last.stderr.read() if last.stderr else ""

    a = load_model(tmp_path / "whole").network.state_dict()
    b = load_model(broken).network.state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert read_metrics(tmp_path / "whole") == read_metrics(broken)
    regions = [(run / "regions.jsonl").read_text() for run in (tmp_path / "whole", broken)]
    assert regions[0] == regions[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_stop_keeps_a_checkpoint(number: signal.Signals, tmp_path: Path) -> None:
    save_subject(tmp_path / "data/train", "sub-0")
    out = tmp_path / "run"
    process = start(tmp_path / "data", out, tmp_path / "cache", "--epochs", "500")
    deadline = time.monotonic() + 120
    while not (out / "checkpoint.safetensors").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, number)  # as a terminal does: the workers get it too
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"cancelled; what was finished is kept" in said
    assert b"Traceback" not in said
