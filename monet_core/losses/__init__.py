"""Cross-entropy, Dice and their marginal forms, from features; the joint loss of the paper."""

from monet_core.losses.head import head_loss
from monet_core.losses.joint import JointLoss, LossSettings, Target

__all__ = ["JointLoss", "LossSettings", "Target", "head_loss"]
