"""How long a training waits for its data, and what the workers beside it cost the step.

A real training loop, short: prepared subjects on disk (real scans; synthetic where ../shared is
absent), the loader of `monet_core.training` with the settings' default workers, MONet of width 16
with 139 + 16 classes, the joint loss and the optimiser of the recipe. Before and after it the
same step on one fixed batch, without any loader: that is the step alone. Two figures count:

- waiting: the share of the loop's time that passes in `next(loader)`, from the second step on
  (the first one waits for the workers to start);
- slowdown: how much longer a step takes beside the workers than alone. Where all cores compute
  the step, what the workers compute is taken from it, whatever the loader does.

And how many samples a second the workers make when nothing else runs: the fastest step (on a GPU,
say) that would not wait. Usage: pipeline.py [recipe-side ...], as in `pipeline.py paper-96`.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from augmentation import scan_of
from side_by_side import RESULTS, machine

from monet_core.losses import JointLoss, Target
from monet_core.networks import MONet
from monet_core.training.batches import Batch, Schedule, StepSampler, batches
from monet_core.training.patches import PatchDataset, PreparedSubject, write_subject
from monet_core.training.settings import TrainingSettings, recipe_settings
from monet_core.training.team import make_fabric

CLASSES = {"full": 139, "partial": 16}
SWAPS = {name: np.arange(count) for name, count in CLASSES.items()}
CASES = ("paper-96", "paper-128", "best-96")
ALONE, LOOP = 3, 7
GOAL = "waiting at most 5 %"

Step = Callable[[list[Batch]], object]


@dataclass
class Found:
    """Seconds of each step alone, of each step in the loop, of each wait; samples a second."""

    case: str
    workers: int
    alone: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    start_up: list[float] = field(default_factory=list)
    samples_per_second: float = 0.0

    @property
    def waiting(self) -> float:
        """Share of the loop's time."""
        return sum(self.waits) / (sum(self.waits) + sum(self.steps))

    @property
    def slowdown(self) -> float:
        """Median step in the loop over median step alone, less 1."""
        return statistics.median(self.steps) / statistics.median(self.alone) - 1


def main(cases: Iterable[str]) -> None:
    """Measure each case, print the table and keep the figures."""
    with tempfile.TemporaryDirectory(prefix="monet-benchmark-") as folder:
        subjects = make_subjects(Path(folder))
        found = [measure(case, subjects) for case in cases]
    title = "data pipeline while training"
    print(f"\n**{title}** (goal: {GOAL})\n")
    print("| case | step alone | step in the loop | slowdown | waiting | workers alone |")
    print("| --- | --- | --- | --- | --- | --- |")
    for one in found:
        print(
            f"| {one.case}, {one.workers} workers | {statistics.median(one.alone):.2f} s"
            f" | {statistics.median(one.steps):.2f} s | {one.slowdown:+.1%} | {one.waiting:.2%}"
            f" | {one.samples_per_second:.1f} samples/s |"
        )
    text = {"title": title, "goal": GOAL, "machine": machine(), "cases": [asdict(f) for f in found]}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "data-pipeline-while-training.json").write_text(json.dumps(text, indent=1) + "\n")


def make_subjects(folder: Path) -> list[PreparedSubject]:
    """Four scans of 182 x 218 x 182 voxels with both label maps."""
    subjects = []
    for number in range(4):
        image, full = scan_of(number)
        maps = {"full": full.astype(np.uint8), "partial": (full % 16).astype(np.uint8)}
        (folder / str(number)).mkdir()
        subjects.append(write_subject(folder / str(number), f"scan {number}", image, maps))
    return subjects


def measure(case: str, subjects: list[PreparedSubject]) -> Found:
    """Steps alone, steps in the loop, steps alone again."""
    recipe, side = case.split("-")
    settings = TrainingSettings(
        protocols={"full": "malc", "partial": "first"},
        patch=int(side),
        **recipe_settings("best" if recipe == "best" else "paper", "finetune"),
    )
    dataset = PatchDataset(
        subjects,
        settings.patch,
        augmentation=settings.augmentation,
        swaps=SWAPS,
        foreground_share=settings.foreground_share,
    )
    found = Found(case, settings.workers)
    found.samples_per_second = rate(dataset, settings)
    step = make_step(settings)
    fixed = next(iter(loader(dataset, settings, 1, workers=0)))
    step(fixed)  # allocates, and chooses algorithms
    found.alone += [seconds(step, fixed) for _ in range(ALONE)]
    loop(step, loader(dataset, settings, LOOP), found)
    found.alone += [seconds(step, fixed) for _ in range(ALONE)]
    return found


def loader(
    dataset: PatchDataset, settings: TrainingSettings, steps: int, workers: int = -1
) -> Iterable[list[Batch]]:
    """The loader of a training, for some of its steps."""
    schedule = Schedule(len(dataset), settings.batch)
    sampler = StepSampler(schedule, 0, steps, 0)
    count = settings.workers if workers < 0 else workers
    return batches(dataset, sampler, {}, count, torch.cuda.is_available(), settings.batch)


def loop(step: Step, parts: Iterable[list[Batch]], found: Found) -> None:
    """One short training; its first step is left out of the count."""
    began = time.perf_counter()
    iterator: Iterator[list[Batch]] = iter(parts)
    step(next(iterator))
    found.start_up.append(time.perf_counter() - began)
    while True:
        began = time.perf_counter()
        batch = next(iterator, None)
        if batch is None:
            return
        found.waits.append(time.perf_counter() - began)
        found.steps.append(seconds(step, batch))


def seconds(step: Step, batch: list[Batch]) -> float:
    """Of one step."""
    began = time.perf_counter()
    step(batch)
    return time.perf_counter() - began


def make_step(settings: TrainingSettings) -> Step:
    """One optimiser step as the trainer takes it."""
    torch.manual_seed(0)
    fabric = make_fabric(settings)
    network = MONet(settings.network, CLASSES)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[settings.optimizer]
    model, optimizer = fabric.setup(network, kind(network.parameters(), lr=1e-4))
    loss = JointLoss(settings.loss)
    model.train()

    def step(parts: list[Batch]) -> float:
        optimizer.zero_grad(set_to_none=True)
        for part in parts:
            outputs = model(fabric.to_device(part.image))
            targets = {name: Target(fabric.to_device(v)) for name, v in part.targets.items()}
            total, _ = loss(outputs, targets)
            fabric.backward(total / len(parts))
        if settings.clip_norm:
            fabric.clip_gradients(model, optimizer, max_norm=settings.clip_norm)
        optimizer.step()
        return float(total.detach())

    return step


def rate(dataset: PatchDataset, settings: TrainingSettings) -> float:
    """Samples a second that the workers make when nobody else computes."""
    count = 24
    iterator = iter(loader(dataset, settings, count + 4))
    for _ in range(4):
        next(iterator)
    began = time.perf_counter()
    taken = sum(1 for _ in iterator)
    return taken / (time.perf_counter() - began)


if __name__ == "__main__":
    main(sys.argv[1:] or CASES)
