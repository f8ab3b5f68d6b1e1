"""Learning rate over steps, and the exponential moving average of weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from monet_core.training.settings import TrainingSettings


def learning_rate(settings: TrainingSettings, step: int, total: int) -> float:
    """Learning rate of optimiser step `step` (from 0) of `total`.

    Linear warm-up over `warm_up_share` of the steps, then constant or a half cosine to 0. A
    pure function of the step, so that a resumed run needs no scheduler state.
    """
    warm_up = int(settings.warm_up_share * total)
    if step < warm_up:
        return settings.learning_rate * (step + 1) / warm_up
    if settings.schedule == "constant":
        return settings.learning_rate
    progress = (step - warm_up) / max(1, total - warm_up)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def start_average(network: nn.Module) -> dict[str, Tensor]:
    """A copy of the network's state to average into."""
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


@torch.no_grad()
def update_average(average: dict[str, Tensor], network: nn.Module, decay: float, step: int) -> None:
    """Move the average towards the network: a <- d a + (1 - d) w.

    d rises as (1 + step) / (10 + step) up to `decay`, so that a short run is not dominated by
    its random start. Integer buffers are copied.
    """
    d = min(decay, (1 + step) / (10 + step))
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - d)
        else:
            average[name].copy_(value)
