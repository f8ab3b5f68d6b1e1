"""Segmentations of validation scans while a training runs, to be laid over the scans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monet_core.errors import MonetError
from monet_core.jobs import Message, Reporter, Result
from monet_core.preprocessing import resample
from monet_core.preprocessing.resampling import inverse
from monet_core.scans import Decisions, LabelMap, read_scan, write_labels
from monet_core.training.cache import model_space_of
from monet_core.training.patches import PreparedSubject
from monet_core.training.subjects import TrainingData
from monet_core.training.validation import ScanDice


class Previews:
    """Writes what a validation predicted, on the scans' own grids, into `folder`.

    One file per scan and decoder, `<scan>_<decoder>_dseg.nii.gz`, overwritten by every validation,
    for the first `most` validation scans. Each is told as Result("preview"). What cannot be
    written is told once and left out: a training does not end for the want of a picture.
    """

    def __init__(
        self, folder: Path, data: TrainingData, decisions: Decisions, report: Reporter, most: int
    ) -> None:
        self._folder, self._data = folder, data
        self._decisions, self._report = decisions, report
        self._shown = {subject.name for subject in data.validation[:most]}
        self._grids: dict[str, LabelMap] = {}

    def show(
        self,
        epoch: int,
        subject: PreparedSubject,
        classes: Mapping[str, NDArray],
        scores: Sequence[ScanDice],
    ) -> None:
        """Write the prediction for one scan: `classes` (X, Y, Z) per decoder in model space."""
        if subject.name not in self._shown:
            return
        dice = {score.decoder: score.mean for score in scores}
        try:
            grid = self._grid(subject)
            for decoder, predicted in classes.items():
                self._write(epoch, subject, decoder, predicted, grid, dice.get(decoder, np.nan))
        except (MonetError, OSError) as error:
            self._shown.discard(subject.name)
            self._report(Message(f"There will be no preview of {subject.name}: {error}", "warning"))

    def _write(
        self,
        epoch: int,
        subject: PreparedSubject,
        decoder: str,
        predicted: NDArray,
        grid: LabelMap,
        dice: float,
    ) -> None:
        labels = self._data.protocols[decoder].decode(predicted)
        geometry, transform = model_space_of(subject)
        moved = resample(labels, geometry, grid.geometry, inverse(transform), "nearest")
        path = self._folder / f"{_plain(subject.name)}_{decoder}_dseg.nii.gz"
        write_labels(path, moved, grid)
        values = {
            "scan": subject.name,
            "decoder": decoder,
            "path": str(path),
            "source": str(grid.path),
            "protocol": self._data.protocols[decoder].name,
            "epoch": epoch,
            "dice": float(dice) if np.isfinite(dice) else None,
        }
        self._report(Result("preview", values))

    def _grid(self, subject: PreparedSubject) -> LabelMap:
        """The grid of the scan as stored; its voxels are let go."""
        if subject.name not in self._grids:
            path = self._data.scans[subject.name]
            scan = read_scan(path, self._decisions)
            nothing = np.empty((0, 0, 0), np.int32)
            self._grids[subject.name] = LabelMap(nothing, scan.geometry, scan.forms, path)
        return self._grids[subject.name]


def _plain(name: str) -> str:
    """A scan's name as part of a file's: without separators of folders."""
    return "".join("_" if letter in "/\\:" else letter for letter in name)
