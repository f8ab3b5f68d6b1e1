"""What a training is told: one frozen settings object per run, and the recipes that fill it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt
from pydantic.config import JsonDict

from monet_core.augmentation.settings import AugmentationSettings
from monet_core.losses.settings import LossSettings
from monet_core.networks.settings import NetworkSettings
from monet_core.preprocessing.settings import PreprocessingSettings

Recipe = Literal["paper", "best"]
Stage = Literal["pretrain", "finetune"]

VOXELS: JsonDict = {"unit": "voxels"}

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

    epochs: PositiveInt = Field(default=200, description="passes over all training scans")
    patch: PositiveInt = Field(
        default=128,
        title="Patch side",
        description="side of the cubes that are trained on; larger sees more around a voxel and "
        "takes more memory",
        json_schema_extra=VOXELS,
    )
    patches_per_scan: PositiveInt = Field(default=1, description="patches of each scan in an epoch")
    batch: PositiveInt = Field(default=1, description="patches in one optimiser step")
    foreground_share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of the patches whose middle lies in a random region",
    )

    optimizer: Literal["adam", "adamw"] = Field(
        default="adam", description="AdamW decays weights apart"
    )
    learning_rate: PositiveFloat = Field(
        default=1e-3, description="at the beginning, after warming up"
    )
    weight_decay: float = Field(default=0.0, ge=0, description="pull of all weights towards 0")
    schedule: Literal["constant", "cosine"] = Field(
        default="constant",
        title="Learning rate over time",
        description="cosine: falls to 0 at the end",
    )
    warm_up_share: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        title="Warm-up",
        description="share of the steps in which the learning rate rises to its full height",
    )
    clip_norm: PositiveFloat | None = Field(
        default=None,
        title="Largest gradient",
        description="gradients are cut to this norm; empty: never",
    )
    ema_decay: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        title="Averaging of weights",
        description="decay of the moving average that is validated and kept; empty: no average",
    )

    network: NetworkSettings = NetworkSettings()
    loss: LossSettings = LossSettings()
    augmentation: AugmentationSettings = AugmentationSettings.paper()
    preprocessing: PreprocessingSettings = PreprocessingSettings()

    validate_every: PositiveInt = Field(
        default=1,
        description="epochs from one validation to the next; each gives Dice and a preview",
        json_schema_extra={"unit": "epochs"},
    )
    validation_overlap: float = Field(
        default=0.25, ge=0, lt=1, description="share of a tile that the next one covers again"
    )
    evaluated_regions: str = Field(
        default="evaluated", description="the atlas's subset whose mean Dice decides what is best"
    )
    stop_after_zero_dice: PositiveInt = Field(
        default=50,
        title="Give up after",
        description="so many epochs without a single voxel of overlap end the training",
        json_schema_extra={"unit": "epochs"},
    )
    checkpoint_minutes: PositiveFloat = Field(
        default=10.0,
        title="Checkpoint every",
        description="what at most is lost where the computer is switched off",
        json_schema_extra={"unit": "min"},
    )

    seed: int = Field(default=0, description="of weights, patches and augmentation")
    deterministic: bool = Field(
        default=False, description="the same bits on every run; slower on a GPU"
    )
    device: str = "auto"
    devices: PositiveInt = Field(
        default=1, title="Number of devices", description="GPUs, or CPU processes"
    )
    precision: Literal["auto", "32", "bf16"] = Field(
        default="auto", description="arithmetic of the network; auto: bf16 where that is fast"
    )
    workers: int = Field(default=2, ge=0, description="processes that make patches")

    @property
    def main_decoder(self) -> str:
        """The decoder whose validation Dice decides which weights are the best."""
        return FULL if FULL in self.protocols else PARTIAL


def recipe_settings(recipe: Recipe, stage: Stage) -> dict[str, Any]:
    """The recipe as keyword arguments of `TrainingSettings`; what is given later overrides.

    "paper" is the paper's method to the letter where it is stated (Adam at 0.001, batch 1,
    random 128^3 patches, elastic deformation, cross-entropy, every head turned to MNI space; 3 and
    200 epochs). "best" turns on what is expected to win with few scans; every part is a switch of
    its own.
    """
    epochs = 3 if stage == "pretrain" else 200
    if recipe == "paper":
        # It never sees a turned head, and one that is left 13 degrees off costs it .03 of Dice.
        turned = PreprocessingSettings(turn_from_deg=0)
        return {"recipe": "paper", "stage": stage, "epochs": epochs, "preprocessing": turned}
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
