"""Loss functions over voxels, for full and for partial annotations.

Throughout, `logits` is (B, C, X, Y, Z) of any float type and is taken to float32 (float64 stays)
before anything is summed, `classes` is (B, X, Y, Z) of any integer type, and voxels whose class
equals `ignore` do not count. All losses are means, 0 where no voxel counts.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_IGNORED = -1
_EPSILON = 1e-5


def cross_entropy(logits: Tensor, classes: Tensor, ignore: int | None = None) -> Tensor:
    """Categorical cross-entropy, mean over voxels (the paper's eq. 1)."""
    target = _target(classes, ignore)
    total = functional.cross_entropy(
        _precise(logits), target, ignore_index=_IGNORED, reduction="sum"
    )
    return total / (target != _IGNORED).sum().clamp(min=1)


def soft_dice(logits: Tensor, classes: Tensor, ignore: int | None = None) -> Tensor:
    """1 - mean Dice between probabilities and `classes`.

    Overlaps are summed over the whole batch ("batch Dice": a region cut by the border of one
    patch does not dominate), and the mean is over the foreground classes that occur in
    `classes`: most of some hundred regions lie outside any one patch, and their Dice would
    only add a constant. 0 where none occurs.
    """
    probabilities = _precise(logits).softmax(dim=1)
    number = probabilities.shape[1]
    target = _target(classes, ignore)
    of_target = probabilities.gather(1, target.clamp(min=0).unsqueeze(1)).flatten()
    # One bin more, the first, takes the voxels that do not count.
    bins = target.flatten() + 1
    overlap = probabilities.new_zeros(number + 1).index_add(0, bins, of_target)[1:]
    true = torch.bincount(bins, minlength=number + 1)[1:].to(probabilities.dtype)
    if ignore is not None:
        probabilities = probabilities * (target != _IGNORED).unsqueeze(1)
    predicted = probabilities.sum(dim=(0, 2, 3, 4))
    dice = 2 * overlap / (predicted + true + _EPSILON)
    present = true > 0
    present[0] = False
    return ((1 - dice) * present).sum() / present.sum().clamp(min=1)


def marginal_cross_entropy(
    logits: Tensor, classes: Tensor, group: Tensor, ignore: int | None = None
) -> Tensor:
    """Cross-entropy of a partial annotation under a decoder that knows more classes.

    `group` (C,) holds the annotated class of each decoder class; the probability of an annotated
    class is the sum over its decoder classes (Shi et al., Medical Image Analysis 2021), so that a
    region without annotation may be anything that the annotation calls background. Annotated
    classes without any decoder class do not count.
    """
    return cross_entropy(*group_logits(logits, classes, group, ignore), ignore=_IGNORED)


def marginal_dice(
    logits: Tensor, classes: Tensor, group: Tensor, ignore: int | None = None
) -> Tensor:
    """`soft_dice` of a partial annotation; see `marginal_cross_entropy`."""
    return soft_dice(*group_logits(logits, classes, group, ignore), ignore=_IGNORED)


def group_logits(
    logits: Tensor, classes: Tensor, group: Tensor, ignore: int | None = None
) -> tuple[Tensor, Tensor]:
    """Logits (B, G, X, Y, Z) of the G annotated classes in `group`, and the target among them.

    The softmax of the result is the grouped sum of probabilities, since log-sum-exp over a group
    is its log-probability up to a constant shared by all groups. The target is -1 where `classes`
    is `ignore` or a class that no decoder class maps to.
    """
    group = group.long()
    annotated, sizes = group.unique(return_counts=True)
    # One gather and one split: their gradients cost two copies, those of a slice per group many.
    ordered = _precise(logits).index_select(1, group.argsort(stable=True).to(logits.device))
    parts = ordered.split(sizes.tolist(), dim=1)
    grouped = [part if part.shape[1] == 1 else part.logsumexp(1, keepdim=True) for part in parts]
    target = _target(classes, ignore)
    last = int(annotated[-1]) + 1
    table = target.new_full((last + 1,), _IGNORED)
    table[annotated.to(target.device)] = torch.arange(len(annotated), device=target.device)
    known = torch.where(target == _IGNORED, last, target.clamp(max=last))
    return torch.cat(grouped, dim=1), table[known]


def _precise(logits: Tensor) -> Tensor:
    return logits if logits.dtype == torch.float64 else logits.float()


def _target(classes: Tensor, ignore: int | None) -> Tensor:
    """`classes` as int64 with -1 where they equal `ignore`."""
    target = classes.long()
    if ignore is None or ignore == _IGNORED:
        return target
    return target.masked_fill(target == ignore, _IGNORED)
