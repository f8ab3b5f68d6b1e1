"""How long a training step takes on this machine, measured on made-up patches."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import torch

from monet_core.jobs import Cancel
from monet_core.losses import JointLoss, Target
from monet_core.networks import MONet
from monet_core.segmenting import resolve_device, resolve_precision
from monet_core.training.settings import TrainingSettings

_LONGEST_S = 20.0
_STEPS = 3
_SMALL = 64
"""Side in voxels of the patches measured on a CPU, where a step takes time as its voxels do."""


def seconds_per_step(
    settings: TrainingSettings, classes: Mapping[str, int], cancel: Cancel | None = None
) -> float:
    """Seconds of one optimiser step: network, loss and weights, not the making of patches.

    `classes` per decoder, background included. On a CPU a smaller patch is measured and its time
    scaled by the voxels. Takes some seconds.
    """
    device = resolve_device(settings.device)
    bf16 = resolve_precision(settings.precision, device) == "bf16"
    side = settings.patch if device.type != "cpu" else _small(settings)
    network = MONet(settings.network, dict(classes)).to(device).train()
    optimizer = torch.optim.Adam(network.parameters())
    loss = JointLoss(settings.loss)
    image = torch.randn(1, 1, side, side, side, device=device)
    shape = (1, side, side, side)
    targets = {
        name: Target(torch.randint(number, shape, device=device))
        for name, number in classes.items()
    }

    def step() -> float:
        began = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            outputs = network(image)
        loss(outputs, targets)[0].backward()
        optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter() - began

    return _fastest(step, cancel or Cancel()) * settings.batch * (settings.patch / side) ** 3


def _fastest(step: Callable[[], float], cancel: Cancel) -> float:
    """The shortest of a few steps: the first one also loads code, and others share the machine."""
    began, times = time.perf_counter(), [step()]
    while len(times) <= _STEPS and time.perf_counter() - began < _LONGEST_S:
        cancel.check()
        times.append(step())
    return min(times)


def _small(settings: TrainingSettings) -> int:
    divisor = 2 ** (settings.network.levels - 1)
    wanted = min(settings.patch, max(_SMALL, 2 * divisor))
    return max(divisor, wanted // divisor * divisor)
