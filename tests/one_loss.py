"""One loss at a time, on dense logits: what the equations in tests are about."""

import torch

from monet_core.losses import head_loss
from monet_core.networks import Logits


def as_they_are(logits):
    """Dense logits (B, C, X, Y, Z) as features under a head that changes nothing."""
    number = logits.shape[1]
    same = torch.eye(number, dtype=logits.dtype if logits.dtype == torch.float64 else None)
    return Logits(logits, same, same.new_zeros(number))


def cross_entropy(logits, classes, ignore=None):
    return head_loss(as_they_are(logits), classes, None, ignore)


def soft_dice(logits, classes, ignore=None):
    return head_loss(as_they_are(logits), classes, None, ignore, cross_entropy=False, dice=True)


def marginal_cross_entropy(logits, classes, group, ignore=None):
    return head_loss(as_they_are(logits), classes, group, ignore)


def marginal_dice(logits, classes, group, ignore=None):
    return head_loss(as_they_are(logits), classes, group, ignore, cross_entropy=False, dice=True)
