"""Quick, Paper, Best: the settings a training begins with. No Qt, no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monet_app.train.kinds import Kind
from monet_core.training.settings import Recipe
from monet_core.training.starting import complete_settings

Values = dict[str, Any]
"""Settings as nested JSON values, by the fields of `TrainingSettings`."""


@dataclass(frozen=True)
class Preset:
    """A recipe of the engine with changes; `help` is the one sentence that users read."""

    key: str
    text: str
    help: str
    recipe: Recipe
    changes: Values


QUICK = Preset(
    "quick", "Quick",
    "20 epochs, minutes to an hour: shows whether data and atlas work. A small network at 2 mm, "
    "unless it begins with a model.",
    "best",
    {"epochs": 20, "patch": 64, "patches_per_scan": 2, "validate_every": 2, "ema_decay": 0.99,
     "network": {"width": 8, "levels": 4, "residual": False, "deep_supervision": False},
     "preprocessing": {"spacing_mm": 2.0}},
)  # fmt: skip
PAPER = Preset(
    "paper", "Paper",
    "The published method to the letter: Adam, cross-entropy, random elastic deformation.",
    "paper", {},
)  # fmt: skip
BEST = Preset(
    "best", "Best",
    "All that is expected to help with few scans: Dice loss, rich augmentation, averaged weights.",
    "best", {"validate_every": 5},
)  # fmt: skip
PRESETS = {preset.key: preset for preset in (QUICK, PAPER, BEST)}


def preset_values(
    preset: Preset, kind: Kind, protocols: dict[str, str], start: Path | None = None
) -> Values:
    """All settings as JSON values: the recipe's, what the start model brings, the preset's.

    Raises ModelError where the start model cannot be read.
    """
    chosen = {**preset.changes, "protocols": protocols}
    if kind.stage == "pretrain" and preset is not QUICK:
        chosen["validate_every"] = 1  # there are three epochs
    if start is not None:
        chosen = {name: value for name, value in chosen.items() if name not in _OF_START}
    settings = complete_settings(kind.stage, preset.recipe, start, chosen)
    return settings.model_dump(mode="json")


_OF_START = ("network", "preprocessing", "patch")
"""What a training takes over from the model it begins with."""
