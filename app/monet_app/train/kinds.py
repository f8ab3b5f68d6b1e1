"""The four trainings that are offered, in users' words. No Qt, no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monet_core.training.settings import FULL, PARTIAL, Stage

StartRule = Literal["none", "optional", "needed"]


@dataclass(frozen=True)
class Kind:
    """One training: which decoders it trains, and whether it begins with a model.

    `main` is the decoder whose atlas the scans' labels are of.
    """

    key: str
    text: str
    help: str
    stage: Stage
    decoders: tuple[str, ...]
    start: StartRule

    @property
    def main(self) -> str:
        """The decoder of the scans' own labels."""
        return FULL if FULL in self.decoders else PARTIAL

    @property
    def joint(self) -> bool:
        """Whether sub-cortical labels are extracted from the full ones."""
        return len(self.decoders) > 1


PRETRAIN = Kind(
    "pretrain", "Pre-train on sub-cortical labels",
    "Step 1: a network learns the sub-cortical structures of many scans, whose labels may come "
    "from a program. Its knowledge is where step 2 begins.",
    "pretrain", (PARTIAL,), "none",
)  # fmt: skip
JOINT = Kind(
    "joint", "Joint fine-tuning (MO-Net)",
    "Step 2: one network learns your atlas and the sub-cortical structures together, from a few "
    "annotated scans, beginning with a pre-trained model. The method of the paper.",
    "finetune", (FULL, PARTIAL), "optional",
)  # fmt: skip
SCRATCH = Kind(
    "scratch", "U-Net from scratch",
    "One network learns your atlas from your scans alone. To compare with.",
    "finetune", (FULL,), "none",
)  # fmt: skip
FINETUNE = Kind(
    "unet", "U-Net, fine-tuned",
    "One network learns your atlas, beginning with another model. To compare with.",
    "finetune", (FULL,), "needed",
)  # fmt: skip
KINDS = {kind.key: kind for kind in (JOINT, PRETRAIN, FINETUNE, SCRATCH)}
"""In the order in which they are offered."""


def kind_of_settings(stage: str, decoders: tuple[str, ...], started: bool) -> Kind:
    """The kind that a stored run is of."""
    if stage == "pretrain":
        return PRETRAIN
    if len(decoders) > 1:
        return JOINT
    return FINETUNE if started else SCRATCH
