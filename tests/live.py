"""What the tests of long work in a window share: a heart, a pump, a tiny model."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from phantoms import brain_phantom, save
from qtpy.QtCore import QTimer

from monet_app.session import Session


class Heart:
    """Beats every 10 ms on the GUI thread and measures the gaps between its beats.

    `wall` counts what the machine's other work costs too; `own` is processor time that the GUI
    thread itself spent in a gap, which is ours alone. Seconds.
    """

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.own: list[float] = []
        self._last = time.perf_counter(), time.thread_time()
        self._timer = QTimer(interval=10)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self.wall.append(now[0] - self._last[0])
        self.own.append(now[1] - self._last[1])
        self._last = now

    def stop(self) -> str:
        """Stop; the figures in a line."""
        self._timer.stop()
        wall, own = 1000 * np.array(self.wall), 1000 * np.array(self.own)
        median, most = np.median(wall), np.percentile(wall, 99)
        return (
            f"{len(wall)} beats, {median:.0f} ms apart (99 %: {most:.0f} ms, longest"
            f" {wall.max():.0f} ms); of the GUI thread's own time at most {own.max():.0f} ms"
        )


def pump(session: Session) -> QTimer:
    """What the window's timer does: tell what jobs said. Keep the result."""
    timer = QTimer(interval=100)
    timer.timeout.connect(session.drain)
    timer.start()
    return timer


def save_scans(folder: Path, number: int = 3) -> list[Path]:
    """Phantoms of different people, without labels."""
    paths = []
    for seed in range(number):
        image, _, affine = brain_phantom(seed=seed)
        paths.append(save(folder / f"sub-{seed}_T1w.nii.gz", image, affine))
    return paths


def save_tiny_model(folder: Path, name: str = "tiny") -> Path:
    """A model that has learnt nothing, for the 15 sub-cortical regions; fast."""
    import torch

    from monet_core.models import DecoderEntry, Manifest, Model, save_model
    from monet_core.networks import MONet, NetworkSettings
    from monet_core.protocols import load_protocol

    torch.manual_seed(0)
    protocol, settings = load_protocol("first"), NetworkSettings(width=4, levels=2)
    manifest = Manifest(
        name=name,
        network=settings,
        decoders=[DecoderEntry(name="partial", protocol=protocol.as_dict())],
        preprocessing={"spacing_mm": 2.0, "register": False},
        patch=32,
        scores={"partial": {"dice": {"mean": 0.5}}},
        card="A test.\n\nKnown failures: everything.",
    )
    path = folder / name
    save_model(path, Model(manifest, MONet(settings, {"partial": protocol.n_classes})))
    return path
