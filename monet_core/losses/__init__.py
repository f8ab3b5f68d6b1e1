"""Cross-entropy, Dice and their marginal forms, from features; the joint loss of the paper.

The settings load without torch.
"""

from typing import TYPE_CHECKING

from monet_core.lazy import lazy
from monet_core.losses.settings import LossSettings

if TYPE_CHECKING:
    from monet_core.losses.head import head_loss
    from monet_core.losses.joint import JointLoss, Target
else:
    __getattr__ = lazy(__name__, {"head": "head_loss", "joint": "JointLoss Target"})

__all__ = ["JointLoss", "LossSettings", "Target", "head_loss"]
