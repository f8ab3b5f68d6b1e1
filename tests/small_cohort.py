"""A cohort of small phantoms, and what its workers are let to do in tests.

A module of its own, since workers import from it what they are to call.
"""

import os
import signal
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from phantoms import brain_phantom, save

from monet_core.cohort import segment_cohort
from monet_core.models import DecoderEntry, Manifest, Model, save_model
from monet_core.networks import MONet, NetworkSettings
from monet_core.protocols import load_protocol
from monet_core.segmenting import SegmentSettings
from monet_core.segmenting.many import Item

SETTINGS = SegmentSettings(mirror=False, overlap=0.0, device="cpu", precision="32")
SMALL = NetworkSettings(width=2, levels=2)
MOST_BYTES = 4 * 2**30  # no more is eaten, should nobody stop it
STEP = 100 * 2**20


@dataclass(frozen=True)
class Cohort:
    """Items, the broken one's place, the model, and a serial run's folder and outcomes."""

    items: list[Item]
    broken: int
    model: Path
    serial: Path
    outcomes: list

    def run(self, out: Path, **words):
        return segment_cohort(self.items, self.model, out, SETTINGS, **words)

    def require_same_labels(self, out: Path) -> None:
        for number, item in enumerate(self.items):
            if number != self.broken:
                np.testing.assert_array_equal(labels(out, item), labels(self.serial, item))


def labels(out: Path, item: Item) -> np.ndarray:
    name = f"{item.stem}_seg-first_dseg.nii.gz"
    return np.asarray(nib.load(out / item.folder / name).dataobj)


def tiny_model(folder: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    first = load_protocol("first")
    manifest = Manifest(
        name="tiny",
        network=SMALL,
        decoders=[DecoderEntry(name="first", protocol=first.as_dict())],
        preprocessing={"register": False, "spacing_mm": 3.0},
        patch=32,
    )
    return save_model(folder, Model(manifest, MONet(SMALL, {"first": first.n_classes})))


def tiny_scan(path: Path, seed: int) -> Path:
    image, _, affine = brain_phantom(shape=(28, 30, 28), spacing=3.0, seed=seed)
    return save(path, image, affine)


def tiny_items(root: Path, number: int) -> list[Item]:
    items = []
    for n in range(number):
        folder = f"sub-{n}/anat"
        scan = tiny_scan(root / folder / f"sub-{n}_T1w.nii.gz", n)
        items.append(Item(scan, f"sub-{n}", folder=folder))
    return items


def holding(stem, mark: Path):
    """At the first attempt at the scan of that name: leave the process' number, and stay."""
    return partial(_hold, stem, mark)


def _hold(stem, mark, result, model, decisions):
    if result.stem == stem and not mark.exists():
        mark.write_text(str(os.getpid()))
        time.sleep(600)


def killing(stem):
    """Kill the worker whenever it has segmented the scan of that name."""
    return partial(_kill, stem)


def _kill(stem, result, model, decisions):
    if result.stem == stem:
        os.kill(os.getpid(), signal.SIGKILL)


def eating(stem):
    """Take ever more memory once the scan of that name is segmented."""
    return partial(_eat, stem)


def _eat(stem, result, model, decisions):
    eaten = []
    while result.stem == stem and len(eaten) * STEP < MOST_BYTES:
        eaten.append(b"x" * STEP)
        time.sleep(0.05)


def failing_once(folder: Path):
    """Fail for a passing reason the first time that a scan is segmented."""
    return partial(_fail_once, folder)


def _fail_once(folder, result, model, decisions):
    mark = folder / f"{result.stem}.failed"
    if not mark.exists():
        mark.touch()
        raise RuntimeError("a fault that passes")
