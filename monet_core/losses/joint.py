"""The joint loss over all decoders and, with deep supervision, all resolutions (eq. 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from monet_core.errors import TrainingError
from monet_core.losses.head import head_loss
from monet_core.losses.settings import LossSettings
from monet_core.networks import Logits


@dataclass(frozen=True, eq=False)
class Target:
    """What a decoder should have said.

    `classes` (B, X, Y, Z), any integer type. `group` (decoder's classes,) is given where the
    annotation is partial for this decoder: the annotated class of each decoder class. Voxels
    whose class is `ignore` do not count.
    """

    classes: Tensor
    group: Tensor | None = None
    ignore: int | None = None

    def at(self, sides: Sequence[int]) -> Target:
        """The target on a coarser grid of `sides` voxels: every n-th voxel, no interpolation."""
        full = self.classes.shape[1:]
        return self.every([n // side for n, side in zip(full, sides, strict=True)])

    def every(self, steps: Sequence[int], first: Sequence[int] = (0, 0, 0)) -> Target:
        """The target at every n-th voxel along each axis, from voxel `first`."""
        x, y, z = (slice(start, None, step) for start, step in zip(first, steps, strict=True))
        return Target(self.classes[:, x, y, z], self.group, self.ignore)


class JointLoss:
    """Weighted sum of the decoders' losses (the paper's eq. 2)."""

    def __init__(self, settings: LossSettings) -> None:
        self.settings = settings

    def __call__(
        self,
        outputs: Mapping[str, Sequence[Logits]],
        targets: Mapping[str, Target],
        step: int = 0,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss to minimise, and each decoder's own (unweighted, detached).

        `outputs` is what a MONet returns; `step` of the training decides which voxels count where
        not all do. Decoders without a target do not count, and share no
        weight. Raises TrainingError where there is no target or a decoder has no weight.
        """
        if not targets:
            raise TrainingError("no-target", "no decoder has a target to learn from")
        parts = {
            name: self._decoder(outputs[name], target, step) for name, target in targets.items()
        }
        weights = self._weights(tuple(parts))
        total = torch.stack([weights[name] * part for name, part in parts.items()]).sum()
        return total, {name: part.detach() for name, part in parts.items()}

    def _weights(self, names: Sequence[str]) -> Mapping[str, float]:
        weights = self.settings.weights
        if weights is None:
            return dict.fromkeys(names, 1 / len(names))
        missing = [name for name in names if name not in weights]
        if missing:
            raise TrainingError(
                "loss-weights",
                f"no loss weight for decoder {', '.join(missing)}",
                remedy=f"Weights are given for: {', '.join(weights) or 'none'}.",
            )
        return weights

    def _decoder(self, outputs: Sequence[Logits], target: Target, step: int) -> Tensor:
        weights = self.settings.deep_weights[: len(outputs)]
        if len(weights) < len(outputs) or sum(weights) == 0:
            raise TrainingError(
                "deep-weights",
                f"{len(outputs)} resolutions need as many weights, not all 0; got {weights}",
            )
        finest, *coarser = outputs
        pairs = [self._some(finest, target, step)]
        pairs += [(logits, target.at(logits.sides)) for logits in coarser]
        losses = [
            weight / sum(weights) * self._resolution(*pair)
            for pair, weight in zip(pairs, weights, strict=True)
        ]
        return torch.stack(losses).sum()

    def _some(self, logits: Logits, target: Target, step: int) -> tuple[Logits, Target]:
        """The voxels that count at this `step`."""
        every = self.settings.every
        if every == 1:
            return logits, target
        first = step % every, step // every % every, step // every**2 % every
        return logits.every(every, first), target.every([every] * 3, first)

    def _resolution(self, logits: Logits, target: Target) -> Tensor:
        # Autocast would take products of the head, and sums over millions of voxels, to 16 bits.
        with torch.autocast(logits.features.device.type, enabled=False):
            return head_loss(
                logits,
                target.classes,
                target.group,
                target.ignore,
                dice=self.settings.kind == "dice_ce",
            )
