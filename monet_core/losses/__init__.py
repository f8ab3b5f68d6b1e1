"""Cross-entropy, Dice and marginal losses; the joint loss of the paper."""

from monet_core.losses.functions import (
    cross_entropy,
    group_logits,
    marginal_cross_entropy,
    marginal_dice,
    soft_dice,
)
from monet_core.losses.joint import JointLoss, LossSettings, Target

__all__ = [
    "JointLoss",
    "LossSettings",
    "Target",
    "cross_entropy",
    "group_logits",
    "marginal_cross_entropy",
    "marginal_dice",
    "soft_dice",
]
