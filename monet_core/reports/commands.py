"""Records as the `monet` command that does the same again."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from monet_core.segmenting.settings import SegmentSettings
from monet_core.training.settings import FULL, PARTIAL, TrainingSettings, recipe_settings

Record = Mapping[str, Any]
Place = str | Path

_OPTIONS = (
    "epochs",
    "patch",
    "learning_rate",
    "batch",
    "patches_per_scan",
    "validate_every",
    "workers",
    "device",
    "devices",
    "precision",
    "seed",
)
_NESTED = {
    "preprocessing.spacing_mm": "spacing",
    "network.width": "width",
    "network.levels": "levels",
}
# What a training takes over from the model it begins with; said even where it is the default.
_FROM_START = ("network", "preprocessing", "patch")


def segment_command(
    record: Record,
    scans: Sequence[Place] = (),
    out: Place = "OUT",
    model: Place | None = None,
    decisions: object = None,
) -> str:
    """`monet segment` as a label map's record tells it.

    `scans` and `model` by default as the record names them (without folders); `decisions` are
    the user's answers (`Decisions`, or the same as JSON data), which records do not hold.
    """
    asked = SegmentSettings.model_validate(record.get("Settings", {}))
    words = ["monet", "segment", *map(str, scans or record["Sources"])]
    words += ["--out", str(out), "--model", str(model or record["Model"]["Name"])]
    default = SegmentSettings()
    for name in ("overlap", "patch", "device", "precision"):
        if getattr(asked, name) != getattr(default, name):
            words += [f"--{name}", str(getattr(asked, name))]
    words += [] if asked.mirror else ["--no-mirror"]
    words += ["--entropy"] if asked.entropy else []
    return shlex.join([*words, *_decided(decisions)])


def train_command(
    config: Record, data: Place = "DATA", labels: Place | None = None, out: Place = "OUT"
) -> str:
    """`monet pretrain` or `finetune` as a run's config.json tells it.

    `data` and `labels` are where the scans are, which the configuration does not hold; `out` is
    the run's folder, which the start model's place is relative to.
    """
    settings = TrainingSettings.model_validate(config["settings"])
    words = [*_program(config.get("processes"), settings), settings.stage, str(data)]
    words += ["--out", str(out), "--recipe", settings.recipe]
    words += ["--labels", str(labels)] if labels else []
    words += _protocols(settings)
    start = config.get("start")
    words += ["--from", os.path.normpath(Path(out) / start)] if start else []
    words += _changed(settings, said=_FROM_START if start else ())
    for name, option in (("unknown", "unknown-labels"), ("missing", "missing-regions")):
        if config.get(name, "ask") != "ask":
            words += [f"--{option}", config[name]]
    return shlex.join([*words, *_decided(config.get("decisions"))])


def _program(processes: int | None, settings: TrainingSettings) -> list[str]:
    """Through torchrun where that started the processes, whose number is part of the result."""
    if processes in (None, settings.devices):
        return ["monet"]
    return ["torchrun", "--nproc-per-node", str(processes), "-m", "monet_core.cli"]


def _protocols(settings: TrainingSettings) -> list[str]:
    if settings.stage == "pretrain":
        return ["--protocol", settings.protocols[PARTIAL]]
    words = ["--protocol", settings.protocols[FULL]]
    if PARTIAL in settings.protocols:
        return [*words, "--partial-protocol", settings.protocols[PARTIAL]]
    return [*words, "--decoders", "full"]


def _changed(settings: TrainingSettings, said: Iterable[str]) -> list[str]:
    """Options for all that is not as the recipe has it, and for what is `said` anyway."""
    recipe = recipe_settings(settings.recipe, settings.stage)
    base = TrainingSettings.model_validate({**recipe, "protocols": settings.protocols})
    before, now = _flat(base.model_dump(mode="json")), _flat(settings.model_dump(mode="json"))
    words = []
    for path, value in now.items():
        top = path.split(".")[0]
        if top == "protocols" or (value == before.get(path) and top not in said):
            continue
        words += _option(path, value)
    return words


def _option(path: str, value: object) -> list[str]:
    if path == "deterministic":
        return ["--deterministic"] if value else []
    if path in _OPTIONS or path in _NESTED:
        return [f"--{_NESTED.get(path, path).replace('_', '-')}", _text(value)]
    return ["--set", f"{path}={_text(value)}"]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _flat(values: Record, prefix: str = "") -> dict[str, Any]:
    """Groups of settings by dotted names; tables such as the mapping stay whole."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if not prefix and isinstance(value, dict) and name not in ("mapping", "protocols"):
            flat |= _flat(value, f"{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _decided(decisions: object) -> list[str]:
    """The options that answer what only the user can know."""
    if decisions is None:
        return []
    known: Mapping[str, Any]
    if is_dataclass(decisions) and not isinstance(decisions, type):
        known = asdict(decisions)
    else:
        known = decisions if isinstance(decisions, Mapping) else {}
    words = []
    for name, option in (
        ("form", "--use-form"),
        ("orientation", "--assume-orientation"),
        ("series", "--series"),
    ):
        if known.get(name) is not None:
            words += [option, str(known[name])]
    return [*words, *(["--accept-labels-as-scan"] if known.get("labels_as_scan") else [])]
