"""Two processes train one network (what several GPUs would do), on the CPU."""

import json
import subprocess
import sys
from pathlib import Path

from phantoms import save_subject

WORDS = (
    "--epochs 2 --patch 24 --width 4 --levels 2 --patches-per-scan 2 --workers 0 "
    "--missing-regions absent --set preprocessing.register=false --spacing 3 "
    "--device cpu --devices 2"
).split()


def test_two_processes_share_each_step(tmp_path: Path) -> None:
    for seed in range(2):
        save_subject(tmp_path / "data/train", f"sub-{seed}", seed=seed)
    command = [sys.executable, "-m", "monet_core.cli", "pretrain", str(tmp_path / "data")]
    places = ["--out", str(tmp_path / "run"), "--cache", str(tmp_path / "cache")]
    done = subprocess.run(
        [*command, *places, *WORDS], capture_output=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    rows = [json.loads(x) for x in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    # Two scans x two patches in batches of one on two processes: two steps an epoch.
    assert [(row["epoch"], row["step"]) for row in rows] == [(1, 2), (2, 4)]
    assert (tmp_path / "run/model/weights.safetensors").exists()
