"""A wider network that computes what a narrower one does (Net2Net; Chen et al., ICLR 2016)."""

from __future__ import annotations

import re
from itertools import pairwise

import torch
from torch import Tensor

from monet_core.networks.monet import MONet
from monet_core.networks.settings import NetworkSettings

_WIDTHS = {"width", "top_width", "max_width"}
# A decoder's blocks read what comes up from the level below, and then the encoder's channels.
_JOINING = re.compile(r"decoders\..+\.blocks\.(\d+)\.first\.0\.weight")


def widens(narrow: NetworkSettings, wide: NetworkSettings) -> bool:
    """Whether the two differ in nothing but their widths, of which `wide` has no smaller one."""
    alike = narrow.model_dump(exclude=_WIDTHS) == wide.model_dump(exclude=_WIDTHS)
    if not alike or narrow.widths == wide.widths or _shortcuts(narrow) != _shortcuts(wide):
        return False
    return all(few <= many for few, many in zip(narrow.widths, wide.widths, strict=True))


@torch.no_grad()
def widened(narrow: MONet, settings: NetworkSettings) -> MONet:
    """A network of `settings`, which `widens` those of `narrow`, that computes the same.

    Added channels read all others through fresh weights, and begin unread: every weight from an
    added channel to an old one, or to a head, is 0. So they differ from the start, where copies of
    channels would stay alike, as their gradients are.
    """
    wide = MONet(settings, narrow.classes)
    grown = wide.state_dict()
    for name, few in narrow.state_dict().items():
        many = grown[name]
        if few.ndim < 5:  # of a norm, or a bias: one value per channel
            many[tuple(slice(side) for side in few.shape)] = few
        elif ".ups." in name:  # transposed convolutions have their inputs first
            _lay(few.transpose(0, 1), many.transpose(0, 1))
        elif match := _JOINING.fullmatch(name):
            level = int(match[1])
            _lay(few, many, narrow.settings.widths[level], settings.widths[level])
        else:
            _lay(few, many)
    return wide


def _lay(few: Tensor, many: Tensor, split: int = 0, split_wide: int = 0) -> None:
    """Weights (outputs, inputs, ...) of old channels; their inputs lie together, or in two runs
    that begin at 0 and at `split` (of `few`; in `many` at `split_wide`)."""
    outputs, inputs = few.shape[:2]
    many[:outputs] = 0
    many[:outputs, :split] = few[:, :split]
    many[:outputs, split_wide : split_wide + inputs - split] = few[:, split:]


def _shortcuts(settings: NetworkSettings) -> list[bool]:
    """Per level whether a residual block adds its input as it is: no weights lie there."""
    channels = (settings.in_channels, *settings.encoder_widths)
    return [settings.residual and inputs == outputs for inputs, outputs in pairwise(channels)]
