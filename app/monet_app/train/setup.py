"""What a new training is made of, as one value, and the request it becomes. No Qt, no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from monet_app.train.form import get, put
from monet_app.train.kinds import JOINT, Kind
from monet_app.train.presets import QUICK, Preset, Values, preset_values
from monet_core.protocols import Unknown
from monet_core.scans import Decisions
from monet_core.training.settings import PARTIAL
from monet_core.worker.requests import EstimateTrainingRequest, Missing, TrainRequest

Source = Literal["study", "folder"]
Variant = Literal["default", "core"]
NO_DECISIONS = Decisions()


@dataclass(frozen=True)
class Setup:
    """The user's choices for a training.

    `protocol` is of the scans' labels, `partial` the sub-cortical one that a joint training
    extracts from them. `changes` are settings under Advanced that differ from the preset, by path.
    """

    kind: Kind = JOINT
    source: Source = "study"
    folder: Path | None = None
    labels: Path | None = None
    protocol: str = "malc"
    partial: str = "first"
    variant: Variant = "default"
    start: Path | None = None
    preset: Preset = QUICK
    changes: Mapping[str, Any] = field(default_factory=dict)
    device: str = "auto"
    name: str = ""
    unknown: Unknown = "ask"
    missing: Missing = "ask"
    decisions: Decisions = NO_DECISIONS

    @property
    def protocols(self) -> dict[str, str]:
        """The protocol of each decoder."""
        main = {self.kind.main: self.protocol}
        return {**main, PARTIAL: self.partial} if self.kind.joint else main

    @property
    def base(self) -> Values:
        """The preset's settings, with what the start model brings. Raises ModelError."""
        start = None if self.kind.start == "none" else self.start
        return preset_values(self.preset, self.kind, self.protocols, start)

    @property
    def values(self) -> Values:
        """All settings, with the user's changes. Raises ModelError."""
        values = self.base
        for path, value in self.changes.items():
            put(values, path, value)
        return {**values, "device": self.device, "mapping_variant": self.variant}

    def changed(self, path: str, value: object) -> dict[str, Any]:
        """`changes` with another value of a setting; none where it is the preset's own."""
        changes = {name: kept for name, kept in self.changes.items() if name != path}
        return changes if get(self.base, path) == value else {**changes, path: value}


def train_request(setup: Setup, data: Path, out: Path) -> TrainRequest:
    """What the worker is asked: to train on `data` into the run folder `out`. Raises ModelError."""
    return TrainRequest(
        stage=setup.kind.stage,
        data=data,
        out=out,
        recipe=setup.preset.recipe,
        settings=setup.values,
        labels=setup.labels if setup.source == "folder" else None,
        start=_start(setup),
        decisions=setup.decisions,
        unknown=setup.unknown,
        missing=setup.missing,
    )


def estimate_request(setup: Setup, scans: int, measure: bool) -> EstimateTrainingRequest:
    """The question what this training would take, on so many training scans."""
    return EstimateTrainingRequest(
        stage=setup.kind.stage,
        recipe=setup.preset.recipe,
        settings=setup.values,
        start=_start(setup),
        scans=max(1, scans),
        measure=measure,
    )


def _start(setup: Setup) -> str | None:
    return None if setup.start is None or setup.kind.start == "none" else str(setup.start)
