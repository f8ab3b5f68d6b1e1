"""What an experiment is asked to do, and the settings it may not change on the way."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monet_core.datasets import Dataset, find_dataset
from monet_core.errors import MonetError, OutputError
from monet_core.experiments.definitions import (
    METHODS,
    PARTIAL_PROTOCOL,
    Experiment,
    Method,
    Tool,
)
from monet_core.files import read_json, sha256, write_json
from monet_core.protocols import Unknown
from monet_core.scans import Decisions
from monet_core.training import TrainingSettings
from monet_core.training.checkpoints import CURRENT
from monet_core.training.config import Missing

RECORD, RUN = "experiment.json", "run"
_NO_MATTER = {"device", "workers", "checkpoint_minutes"}
_MOST_NAMED = 4


@dataclass(frozen=True)
class Stages:
    """The settings of both stages of one recipe; `finetune` with both decoders."""

    pretrain: TrainingSettings
    finetune: TrainingSettings


@dataclass(frozen=True)
class ExperimentRequest:
    """Which experiment, on what, and where.

    `data` and `partial` (with `partial_labels`) as `find_dataset` takes them; without `partial`,
    stage 1 trains on what is extracted from the full labels. `stages` by recipe. `distances`
    says whether HD95 and ASSD are measured.
    """

    experiment: Experiment
    data: Path
    out: Path
    stages: Mapping[str, Stages]
    methods: tuple[str, ...] = tuple(METHODS)
    partial: Path | None = None
    partial_labels: Path | None = None
    tools: tuple[Tool, ...] = ()
    decisions: Decisions = field(default_factory=Decisions)
    unknown: Unknown = "ask"
    missing: Missing = "ask"
    cache: Path | None = None
    distances: bool = True

    @property
    def plan(self) -> list[Method]:
        """The methods to train, in the paper's order; MonetError for an unknown one, or for two
        tools of one name."""
        strange = set(self.methods) - METHODS.keys()
        if strange or not self.methods:
            raise MonetError(
                "no-such-method",
                f"there is no method {', '.join(sorted(strange)) or 'to train'}",
                remedy=f"Choose among {', '.join(METHODS)}.",
            )
        names = [tool.name for tool in self.tools]
        if len(set(names)) < len(names):
            problem = "two tools have the same name"
            raise MonetError("same-name", problem, remedy="Name each --tool differently.")
        return [method for key, method in METHODS.items() if key in self.methods]


def keep_settings(request: ExperimentRequest, data: Dataset) -> None:
    """Store in experiment.json what decides the results, or compare it with what is there.

    Methods, recipes and tools may be added to an experiment, and a question answered. Anything
    else that differs once a training has begun raises OutputError naming it.
    """
    path = request.out / RECORD
    now = json.loads(json.dumps(_record(request, data)))
    before = _stored(path)
    begun = {checkpoint.parts[-4] for checkpoint in request.out.glob(f"*/*/{RUN}/{CURRENT}")}
    recipes = _only(before.pop("recipes", {}), begun)
    if begun and before:
        changes = list(_changes({**before, "recipes": recipes}, now))
        if changes:
            raise _changed(changes, request.out)
    write_json(path, {**now, "recipes": {**recipes, **now["recipes"]}})


def _record(request: ExperimentRequest, data: Dataset) -> dict[str, Any]:
    recipes = {
        recipe: {
            "pretrain": stages.pretrain.model_dump(mode="json", exclude=_NO_MATTER),
            "finetune": stages.finetune.model_dump(mode="json", exclude=_NO_MATTER),
        }
        for recipe, stages in request.stages.items()
    }
    return {
        "experiment": request.experiment.name,
        "scans": {
            subject.name: {
                "split": subject.split or "train",
                "scan": sha256(subject.scan),
                "labels": sha256(subject.labels) if subject.labels else None,
            }
            for subject in data.subjects
        },
        "partial": _partial_names(request),
        "unknown": request.unknown,
        "missing": request.missing,
        "recipes": recipes,
    }


def _partial_names(request: ExperimentRequest) -> list[str] | None:
    """Names alone: a run compares the contents itself when it is resumed."""
    if request.partial is None:
        return None
    found = find_dataset(request.partial, PARTIAL_PROTOCOL, request.partial_labels)
    return [subject.name for subject in found.subjects]


def _stored(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        stored = read_json(path)
    except (ValueError, OSError) as error:
        raise OutputError(
            "record-damaged",
            f"the experiment's settings cannot be read ({error})",
            remedy="Choose a new folder for --out.",
            file=path,
        ) from error
    return stored if isinstance(stored, dict) else {}


def _changes(before: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    """What differs, in words; a recipe that only one of the two has is no change."""
    both = before["recipes"].keys() & now["recipes"].keys()
    old, new = (
        dict(_leaves({**record, "recipes": _only(record["recipes"], both)}))
        for record in (before, now)
    )
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name) and old.get(name) != "ask":
            yield f"{name} is {_shown(new.get(name))}, was {_shown(old.get(name))}"


def _only(values: dict[str, Any], keys: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key in keys}


def _leaves(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _shown(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _changed(changes: list[str], out: Path) -> OutputError:
    more = f" and {len(changes) - _MOST_NAMED} more" if len(changes) > _MOST_NAMED else ""
    return OutputError(
        "experiment-changed",
        f"holds an experiment with other settings: {'; '.join(changes[:_MOST_NAMED])}{more}",
        remedy="Give the settings it was begun with, or another folder for --out.",
        file=out,
    )
