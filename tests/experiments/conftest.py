"""Small data sets in the layouts of MALC and HAA, with the experiment run on them once."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from phantoms import (
    BRAIN_STEM,
    LEFT_PUTAMEN,
    LEFT_THALAMUS,
    MALC_OF_FIRST,
    RIGHT_PUTAMEN,
    RIGHT_THALAMUS,
    brain_phantom,
    save,
)
from typer.testing import CliRunner, Result

from monet_core.cli.main import app

HAMMERS_OF_FIRST = {
    LEFT_THALAMUS: 40,
    RIGHT_THALAMUS: 41,
    LEFT_PUTAMEN: 38,
    RIGHT_PUTAMEN: 39,
    BRAIN_STEM: 19,
}
TINY = (
    "--spacing 4 --patch 16 --width 4 --epochs 2 --pretrain-epochs 2 --patches-per-scan 1 --seed 1 "
    "--workers 0 --device cpu --missing-regions absent --set network.levels=2 "
    "--set preprocessing.register=false --set learning_rate=0.02 --set validate_every=2"
).split()


@dataclass(frozen=True)
class World:
    """Data, the experiment's folder, and the words that run it."""

    data: Path
    out: Path
    words: tuple[object, ...]

    def run(self, *more: object) -> Result:
        words = ["experiment", *self.words, *more]
        runner = CliRunner()
        return runner.invoke(app, [str(word) for word in words], catch_exceptions=False)


def save_scans(root: Path, splits: dict[str, tuple[int, ...]], indices: dict[int, int]) -> Path:
    """Phantoms by split and seed, annotated in the protocol whose `indices` FIRST's stand for."""
    for split, seeds in splits.items():
        for seed in seeds:
            image, labels, affine = brain_phantom((36, 42, 36), spacing=2.0, seed=seed)
            full = np.zeros_like(labels)
            for first, index in indices.items():
                full[labels == first] = index
            save(root / split / f"sub-{seed}_T1w.nii.gz", image, affine)
            save(root / split / f"sub-{seed}_dseg.nii.gz", full, affine)
    return root


@pytest.fixture(scope="session")
def malc_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Both recipes, all methods, and two tools: SLANT has one of both test scans, perfectly;
    FIRST has both, one of them on another grid."""
    root = tmp_path_factory.mktemp("malc")
    splits = {"train": (0, 1), "validation": (9,), "test": (5, 6)}
    data = save_scans(root / "data", splits, MALC_OF_FIRST)
    (root / "slant").mkdir()
    shutil.copy(data / "test/sub-5_dseg.nii.gz", root / "slant/sub-5_seg-malc_dseg.nii.gz")
    for seed, spacing in ((5, 2.0), (6, 1.0)):
        shape = (36, 42, 36) if spacing == 2.0 else (72, 84, 72)
        _, labels, affine = brain_phantom(shape, spacing=spacing, seed=seed)
        save(root / f"first/sub-{seed}_dseg.nii.gz", labels, affine)
    tools = ("--tool", f"SLANT={root}/slant", "--tool", f"own={root}/first:first")
    where = ("--data", data, "--out", root / "out", "--cache", root / "cache")
    world = World(data, root / "out", ("malc", *where, *tools, *TINY))
    done = world.run()
    assert done.exit_code == 0, done.output
    return world


@pytest.fixture(scope="session")
def haa_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The layout of Hammers' atlas, without test scans; one recipe."""
    root = tmp_path_factory.mktemp("haa")
    data = save_scans(root / "data", {"train": (0, 1), "validation": (9,)}, HAMMERS_OF_FIRST)
    where = ("--data", data, "--out", root / "out", "--cache", root / "cache", "--recipe", "paper")
    world = World(data, root / "out", ("haa", *where, *TINY))
    done = world.run()
    assert done.exit_code == 0, done.output
    return world
