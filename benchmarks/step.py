"""One joint training step of MO-Net, and head and loss alone, against plain PyTorch.

Width 16, 4 levels, 139 + 16 classes, batch 1, bf16, a random patch with labels in blocks of 8^3
voxels. Plain is what one writes first: channels-first modules, 1x1x1 heads, `cross_entropy` (for
Dice: MONAI's `DiceCELoss`) on the full logits, under autocast. Both begin with the same weights;
loss and gradients of both are compared before anything is timed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

import torch
from monai.losses import DiceCELoss
from plain import PlainMONet
from side_by_side import Way, compare
from torch import Tensor
from torch.nn import functional

from monet_core.losses import JointLoss, LossSettings, Target, head_loss
from monet_core.networks import Logits, MONet, NetworkSettings

DECODERS = {"full": 139, "partial": 16}
Call = Callable[[], object]


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patch", type=int, default=128, help="side in voxels")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    agreement(32)
    size = options.patch
    compare(
        f"Joint training step, {size}^3, 139 + 16 classes, cross-entropy",
        [Way("ours", partial(our_step, size)), Way("plain PyTorch", partial(plain_step, size))],
        repeats=options.repeats,
        memory=True,
        goal="0.4x time, 0.4x memory",
    )
    for dice, against in ((False, "plain PyTorch"), (True, "MONAI DiceCELoss")):
        # MONAI's would not fit this machine at 128^3.
        side = min(size, 96) if dice else size
        compare(
            f"Head and {'Dice + ' if dice else ''}cross-entropy of 139 classes, {side}^3",
            [
                Way("ours", partial(our_head, side, dice)),
                Way(against, partial(plain_head, side, dice)),
            ],
            repeats=options.repeats,
            memory=True,
            goal="5x faster, memory independent of classes",
        )


def patch(size: int) -> tuple[Tensor, dict[str, Tensor]]:
    """An image and its classes per decoder."""
    torch.manual_seed(0)
    side = -(-size // 8)
    coarse = torch.randint(0, 139, (1, side, side, side))
    classes = coarse
    for axis in (1, 2, 3):
        classes = classes.repeat_interleave(8, axis).narrow(axis, 0, size)
    of_decoders = {name: classes % number for name, number in DECODERS.items()}
    return torch.randn(1, 1, size, size, size), of_decoders


def our_step(size: int) -> Call:
    """Forward, joint loss, backward and Adam, as the trainer does it."""
    x, classes = patch(size)
    network = MONet(NetworkSettings(), DECODERS)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    loss = JointLoss(LossSettings())
    targets = {name: Target(values.to(torch.uint8)) for name, values in classes.items()}

    def step() -> float:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16):
            outputs = network(x)
        total, _ = loss(outputs, targets)
        total.backward()
        optimizer.step()
        return float(total.detach())

    return step


def plain_step(size: int) -> Call:
    """The same by the plain network."""
    x, classes = patch(size)
    network = PlainMONet(DECODERS).take(MONet(NetworkSettings(), DECODERS))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)

    def step() -> float:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16):
            outputs = network(x)
            losses = [functional.cross_entropy(outputs[n], classes[n]) for n in DECODERS]
        total = torch.stack(losses).mean()
        total.backward()
        optimizer.step()
        return float(total.detach())

    return step


def head(size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """16-bit features as a network leaves them, weights and bias of a head, classes."""
    _, classes = patch(size)
    features = torch.randn(1, 16, size, size, size).bfloat16()
    return features, torch.randn(139, 16), torch.randn(139), classes["full"]


def our_head(size: int, dice: bool) -> Call:
    """Loss and gradients of features and head."""
    features, *parameters, classes = head(size)
    features = features.contiguous(memory_format=torch.channels_last_3d)
    leaves = [features, *parameters]

    def call() -> None:
        taken = [leaf.detach().requires_grad_() for leaf in leaves]
        head_loss(Logits(*taken), classes.to(torch.uint8), dice=dice).backward()

    return call


def plain_head(size: int, dice: bool) -> Call:
    """The same from dense logits."""
    *leaves, classes = head(size)
    both = DiceCELoss(include_background=False, to_onehot_y=True, softmax=True, batch=True)

    def call() -> None:
        features, weight, bias = (leaf.detach().requires_grad_() for leaf in leaves)
        with torch.autocast("cpu", torch.bfloat16):
            logits = functional.conv3d(features, weight[..., None, None, None], bias)
            if dice:
                loss = both(logits, classes[:, None])
            else:
                loss = functional.cross_entropy(logits, classes)
        loss.backward()

    return call


def agreement(size: int) -> None:
    """Print how far losses and gradients of both ways lie apart, in 32 bits."""
    x, classes = patch(size)
    network = MONet(NetworkSettings(), DECODERS)
    plain = PlainMONet(DECODERS).take(network)
    total, _ = JointLoss(LossSettings())(network(x), {n: Target(c) for n, c in classes.items()})
    total.backward()
    outputs = plain(x)
    expected = sum(functional.cross_entropy(outputs[n], classes[n]) for n in DECODERS) / 2
    expected.backward()
    pairs = list(zip(network.parameters(), plain.parameters(), strict=True))
    apart = torch.cat([(a.grad - b.grad).flatten() for a, b in pairs]).norm()
    size = torch.cat([b.grad.flatten() for _, b in pairs]).norm()
    print(
        f"loss {total.item():.6f}, plain {expected.item():.6f}; gradients apart {apart / size:.0e}"
    )


if __name__ == "__main__":
    main()
