"""What a training writes down: metrics (JSON lines and TensorBoard) and its model."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from monet_core.files import append_line, telling_about, write_text
from monet_core.training.history import METRICS, REGIONS, read_rows
from monet_core.training.validation import ScanDice


class Records:
    """Metrics of one run. What is newer than `step` (an interrupted stretch) is cut off first,
    so that a resumed run's curves equal those of an uninterrupted one."""

    def __init__(self, folder: Path, step: int) -> None:
        self._folder = folder
        for name in (METRICS, REGIONS):
            _cut(folder / name, step)
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def epoch(
        self, epoch: int, step: int, values: dict[str, float], scores: list[ScanDice]
    ) -> None:
        """Append one epoch's figures; per-region Dice go to their own file."""
        _append(self._folder / METRICS, {"epoch": epoch, "step": step, **_finite(values)})
        for score in scores:
            dice = _finite({str(index): value for index, value in score.regions.items()})
            row = {"epoch": epoch, "step": step, "scan": score.scan, "decoder": score.decoder}
            _append(self._folder / REGIONS, {**row, "dice": dice})
        with telling_about(self._folder / "tensorboard"):
            for name, value in values.items():
                self._board.add_scalar(name, value, step)
            self._board.flush()

    def close(self) -> None:
        """Close the TensorBoard file."""
        self._board.close()


def _cut(path: Path, step: int) -> None:
    if path.exists():
        kept = [row for row in read_rows(path) if row["step"] <= step]
        write_text(path, "".join(json.dumps(row) + "\n" for row in kept))


def _append(path: Path, row: dict[str, Any]) -> None:
    append_line(path, json.dumps(row))


def _finite(values: dict[str, float]) -> dict[str, float | None]:
    """JSON has no nan."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
