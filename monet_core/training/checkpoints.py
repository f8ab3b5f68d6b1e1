"""Checkpoints: one safetensors file holding tensors and, as JSON, where the training stood.

A checkpoint is written under a temporary name, synced and renamed, and the one before it is
kept, so that a kill or a power loss at any moment leaves a whole one. Nothing is pickled.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from monet_core.errors import TrainingError
from monet_core.files import atomic_path, require_space
from monet_core.jobs import Message, Reporter, silent

log = logging.getLogger(__name__)

CURRENT = "checkpoint.safetensors"
PREVIOUS = "checkpoint-previous.safetensors"
NETWORK, EMA, OPTIMIZER = "network/", "ema/", "optimizer/"


@dataclass
class TrainingState:
    """Where a training stands: plain numbers, JSON-ready.

    `step` counts finished optimiser steps; `loss_sums` are the running sums of this epoch's
    losses over `loss_steps` steps; `best_dice` is the best validation Dice so far (at epoch
    `best_epoch`); `zero_epochs` counts epochs since all validation Dice were last above 0.
    """

    step: int = 0
    loss_sums: dict[str, float] = field(default_factory=dict)
    loss_steps: int = 0
    best_dice: float = -1.0
    best_epoch: int = -1
    zero_epochs: int = 0
    finished: bool = False


def save_checkpoint(
    folder: Path,
    state: TrainingState,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    ema: dict[str, Tensor] | None,
) -> None:
    """Write the checkpoint of `folder`; the former one becomes the previous one.

    Raises OutputError on a full or read-only disk; both older files are then still whole.
    """
    tensors = {NETWORK + name: value for name, value in network.state_dict().items()}
    tensors |= {OPTIMIZER + name: value for name, value in _optimizer_tensors(network, optimizer)}
    tensors |= {EMA + name: value for name, value in (ema or {}).items()}
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    require_space(folder, int(1.1 * sum(t.nbytes for t in tensors.values())))
    current = folder / CURRENT
    with atomic_path(current) as temporary:
        save_file(tensors, temporary, metadata={"state": json.dumps(asdict(state))})
        if current.exists():
            # A hard link, not a rename: at no moment is there no whole checkpoint.
            link = folder / f".{PREVIOUS}"
            link.unlink(missing_ok=True)
            link.hardlink_to(current)
            link.replace(folder / PREVIOUS)


def load_checkpoint(
    folder: Path, report: Reporter = silent
) -> tuple[TrainingState, dict[str, Tensor]] | None:
    """The newest whole checkpoint of `folder`, or None where there is none.

    Raises TrainingError where checkpoints exist but none can be read.
    """
    damaged = []
    for path in (folder / CURRENT, folder / PREVIOUS):
        if not path.exists():
            continue
        try:
            return _read(path)
        except (SafetensorError, OSError, ValueError, TypeError) as error:
            damaged.append(f"{path.name} ({error})")
            text = f"{path.name} is damaged; the checkpoint before it is taken, if there is one"
            log.warning(text)
            report(Message(text, "warning"))
    if damaged:
        raise TrainingError(
            "checkpoint-damaged",
            f"no checkpoint can be read: {'; '.join(damaged)}",
            remedy="Start the run again in a new folder.",
            file=folder,
        )
    return None


def restore(
    tensors: dict[str, Tensor],
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    ema: dict[str, Tensor] | None,
) -> None:
    """Put a checkpoint's tensors back into network, optimiser and moving average, in place."""
    network.load_state_dict(_below(tensors, NETWORK))
    parameters = dict(network.named_parameters())
    for name, value in _below(tensors, OPTIMIZER).items():
        parameter, key = name.rsplit("/", 1)
        target = parameters[parameter]
        # Adam keeps its step count on the CPU, its moments beside the parameter.
        device = value.device if key == "step" else target.device
        optimizer.state[target][key] = value.to(device)
    for name, value in _below(tensors, EMA).items():
        if ema is not None:
            ema[name].copy_(value)


def _optimizer_tensors(
    network: nn.Module, optimizer: torch.optim.Optimizer
) -> list[tuple[str, Tensor]]:
    return [
        (f"{name}/{key}", value)
        for name, parameter in network.named_parameters()
        for key, value in optimizer.state.get(parameter, {}).items()
    ]


def _read(path: Path) -> tuple[TrainingState, dict[str, Tensor]]:
    with safe_open(path, framework="pt") as stream:
        state = TrainingState(**json.loads((stream.metadata() or {})["state"]))
        return state, {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
