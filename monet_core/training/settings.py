"""What a training is told: one frozen settings object per run, and the recipes that fill it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

from monet_core.augmentation.settings import AugmentationSettings
from monet_core.losses.settings import LossSettings
from monet_core.networks.settings import NetworkSettings
from monet_core.preprocessing.settings import PreprocessingSettings

Recipe = Literal["paper", "best"]
Stage = Literal["pretrain", "finetune"]

PARTIAL = "partial"
"""Name of the decoder of the partial annotations."""
FULL = "full"
"""Name of the decoder of the full annotations."""


class TrainingSettings(BaseModel):
    """All that decides a training's result; stored in the run folder and in the model.

    `protocols` gives each decoder its protocol (a shipped name or a path). In stage 1 there is
    one decoder, "partial"; in stage 2 "full" and, in a MO-Net, "partial", whose targets are
    extracted from the full labels. Patch sides are in voxels, one epoch shows every training
    scan `patches_per_scan` times.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: Stage
    recipe: Recipe
    protocols: dict[str, str]
    mapping_variant: Literal["default", "core"] = "default"
    mapping: dict[int, int] | None = None
    """Full index -> partial index, where the known mapping of the protocols is not meant."""

    epochs: PositiveInt = 200
    patch: PositiveInt = 128
    patches_per_scan: PositiveInt = 1
    batch: PositiveInt = 1
    foreground_share: float = Field(0.0, ge=0, le=1)

    optimizer: Literal["adam", "adamw"] = "adam"
    learning_rate: PositiveFloat = 1e-3
    weight_decay: float = Field(0.0, ge=0)
    schedule: Literal["constant", "cosine"] = "constant"
    warm_up_share: float = Field(0.0, ge=0, lt=1)
    clip_norm: PositiveFloat | None = None
    ema_decay: float | None = Field(None, gt=0, lt=1)

    network: NetworkSettings = NetworkSettings()
    loss: LossSettings = LossSettings()
    augmentation: AugmentationSettings = AugmentationSettings.paper()
    preprocessing: PreprocessingSettings = PreprocessingSettings()

    validate_every: PositiveInt = 1
    validation_overlap: float = Field(0.25, ge=0, lt=1)
    evaluated_regions: str = "evaluated"
    stop_after_zero_dice: PositiveInt = 50
    checkpoint_minutes: PositiveFloat = 10.0

    seed: int = 0
    deterministic: bool = False
    device: str = "auto"
    devices: PositiveInt = 1
    precision: Literal["auto", "32", "bf16"] = "auto"
    workers: int = Field(2, ge=0)

    @property
    def main_decoder(self) -> str:
        """The decoder whose validation Dice decides which weights are the best."""
        return FULL if FULL in self.protocols else PARTIAL


def recipe_settings(recipe: Recipe, stage: Stage) -> dict[str, Any]:
    """The recipe as keyword arguments of `TrainingSettings`; what is given later overrides.

    "paper" is the paper's method to the letter where it is stated (Adam at 0.001, batch 1,
    random 128^3 patches, elastic deformation, cross-entropy; 3 and 200 epochs). "best" turns on
    what is expected to win with few scans; every part is a switch of its own.
    """
    epochs = 3 if stage == "pretrain" else 200
    if recipe == "paper":
        return {"recipe": "paper", "stage": stage, "epochs": epochs}
    return {
        "recipe": "best",
        "stage": stage,
        "epochs": epochs,
        "foreground_share": 0.5,
        "optimizer": "adamw",
        "weight_decay": 1e-5,
        "schedule": "cosine",
        "warm_up_share": 0.03,
        "clip_norm": 12.0,
        "ema_decay": 0.999,
        "network": NetworkSettings(residual=True, deep_supervision=True),
        "loss": LossSettings(kind="dice_ce"),
        "augmentation": AugmentationSettings.best(),
    }
