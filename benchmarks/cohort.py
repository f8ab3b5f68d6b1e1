"""A cohort of 2,000 small phantoms through the command: does cost stay flat?

    benchmarks/cohort.py [NUMBER]     measure, keep figures in `results/cohort.json`, draw
    benchmarks/cohort.py draw         docs/pictures/scale.png again, from what was kept

`monet segment` runs with two workers and a tiny model; meanwhile memory, processor time and what
is written are read every few seconds. Then a rerun, which skips all; then a study takes the results
in, 500 at a time, for the size of its index. Phantoms are 28 x 30 x 28 voxels of 3 mm.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import psutil
from matplotlib import pyplot as plt
from side_by_side import RESULTS, machine

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
KEPT = RESULTS / "cohort.json"
PICTURE = ROOT / "docs" / "pictures" / "scale.png"
EVERY_S = 5.0
STEP = 500


def main() -> None:
    """Measure and draw, or draw alone."""
    words = sys.argv[1:]
    if words != ["draw"]:
        with tempfile.TemporaryDirectory() as folder:
            found = measure(Path(folder), int(words[0]) if words else 2000)
        KEPT.write_text(json.dumps(found, indent=1) + "\n")
    draw(json.loads(KEPT.read_text()))


def measure(folder: Path, number: int) -> dict[str, Any]:
    """All figures for `number` phantoms, made in `folder`."""
    from small_cohort import tiny_model, tiny_scan

    model = tiny_model(folder / "model")
    scans = [tiny_scan(folder / "in" / f"sub-{n:04}_T1w.nii.gz", seed=n) for n in range(number)]
    command = [
        *(
            sys.executable,
            "-m",
            "monet_core.cli",
            "segment",
            folder / "in",
            "--out",
            folder / "out",
        ),
        *("--model", model, "--workers", "2", "--no-mirror", "--overlap", "0", "--device", "cpu"),
    ]
    run = follow([str(word) for word in command], folder / "out" / "outcomes.jsonl")
    began = time.perf_counter()
    again = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    print(again.stdout.strip())
    return {
        "scans": number,
        "run": run,
        "rerun_s": time.perf_counter() - began,
        "index": index(folder, scans),
        "machine": machine(),
    }


def follow(command: list[str], outcomes: Path) -> list[dict[str, float]]:
    """Run `command`; what it takes and has written, every few seconds."""
    with (outcomes.parent.with_suffix(".log")).open("w") as log:
        process = psutil.Popen(command, stdout=log, stderr=log)
    began, rows = time.perf_counter(), []
    while process.poll() is None:
        time.sleep(EVERY_S)
        try:
            rows.append({"s": time.perf_counter() - began, **taken(process), **written(outcomes)})
        except psutil.NoSuchProcess:
            continue  # it ended meanwhile
        print({name: round(value, 1) for name, value in rows[-1].items()}, flush=True)
    assert process.returncode == 0, outcomes.parent.with_suffix(".log").read_text()[-2000:]
    return rows


def taken(process: psutil.Process) -> dict[str, float]:
    """Memory in MB and processor seconds of the command and of its workers."""
    workers = [
        each
        for each in process.children(recursive=True)
        if "spawn_main" in " ".join(each.cmdline())
    ]
    memory = [each.memory_info().rss / 1e6 for each in workers]
    seconds = [sum(each.cpu_times()[:2]) for each in (process, *workers)]
    return {
        "main_mb": process.memory_info().rss / 1e6,
        "worker_mb": max(memory, default=0.0),
        "cpu_s": sum(seconds),
    }


def written(outcomes: Path) -> dict[str, float]:
    """Outcomes so far, and the bytes of their file."""
    text = outcomes.read_bytes() if outcomes.exists() else b""
    return {"done": text.count(b"\n"), "outcomes_bytes": len(text)}


def index(folder: Path, scans: list[Path]) -> list[dict[str, float]]:
    """A study's index as it takes scans and their results in."""
    from monet_core.workspace import Study

    study, rows, place = Study.open(folder / "study"), [], folder / "study" / ".monet"
    for first in range(0, len(scans), STEP):
        some = scans[first : first + STEP]
        results = study.derivatives / f"part-{first}"
        results.mkdir(parents=True)
        for scan in some:
            stem = re.sub("_T1w.*", "", scan.name)
            for file in (folder / "out").glob(f"{stem}_*"):
                file.rename(results / file.name)
        began = time.perf_counter()
        study.add(some)
        study.register_results(results)
        seconds = time.perf_counter() - began
        study.close()
        size = sum(file.stat().st_size for file in place.glob("study.sqlite*"))
        rows.append(
            {"scans": first + len(some), "bytes": size, "ms_per_scan": 1e3 * seconds / len(some)}
        )
        print(rows[-1], flush=True)
        study = Study.open(folder / "study")
    return rows


def draw(found: dict[str, Any]) -> None:
    """Four panels against scans done: flat lines are costs that do not grow."""
    run = [row for row in found["run"] if row["done"] and row["worker_mb"]]
    done = [row["done"] for row in run]
    figure, axes = plt.subplots(1, 4, figsize=(15, 3.4), layout="constrained")
    axes[0].plot(*per_scan(run, "cpu_s"), label="processor")
    axes[0].plot(*per_scan(run, "s"), label="clock", alpha=0.5)
    axes[0].set_title("Seconds per scan, last 100 scans")
    axes[1].plot(done, [row["main_mb"] for row in run], label="command and scheduler")
    axes[1].plot(done, [row["worker_mb"] for row in run], label="largest worker")
    axes[1].set_title("Memory, MB")
    axes[2].plot(done, [row["outcomes_bytes"] / row["done"] for row in run])
    axes[2].set_title("outcomes.jsonl, bytes per scan")
    index_rows = found["index"]
    scans = [row["scans"] for row in index_rows]
    axes[3].plot(scans, [row["bytes"] / row["scans"] for row in index_rows], marker="o")
    axes[3].set_title("Study's index, bytes per scan")
    for axis in axes:
        axis.set_xlabel("scans done")
        axis.set_xlim(left=0)
        axis.set_ylim(0, 1.25 * axis.get_ylim()[1])
    for axis in axes[:2]:
        axis.legend(frameon=False)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, dpi=110)


def per_scan(run: list[dict[str, float]], name: str) -> tuple[list[float], list[float]]:
    """What `name` grew by per scan, over some 100 scans up to each row."""
    x, y = [], []
    for row in run:
        before = [each for each in run if each["done"] <= row["done"] - 100]
        if before:
            x.append(row["done"])
            y.append((row[name] - before[-1][name]) / (row["done"] - before[-1]["done"]))
    return x, y


if __name__ == "__main__":
    main()
