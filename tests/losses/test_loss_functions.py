import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from one_loss import (
    cross_entropy,
    marginal_cross_entropy,
    marginal_dice,
    soft_dice,
)
from torch.nn import functional

from monet_core.losses import head, head_loss
from monet_core.networks import Logits

SHAPE = (2, 3, 2, 4)
GROUP = torch.tensor([0, 0, 1, 2, 1, 0])  # six decoder classes, three annotated ones


def case(seed: int = 0, classes: int = 6, annotated: int | None = None, scale: float = 2.0):
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(2, classes, *SHAPE[1:], generator=generator, dtype=torch.float64)
    target = torch.randint(0, annotated or classes, SHAPE, generator=generator)
    return logits, target


def voxels(logits, target):
    """(probabilities as lists, class) of every voxel, by the definition of softmax."""
    for b, x, y, z in torch.cartesian_prod(*[torch.arange(n) for n in SHAPE]).tolist():
        powers = [math.exp(v) for v in logits[b, :, x, y, z].tolist()]
        yield [p / sum(powers) for p in powers], int(target[b, x, y, z])


def grouped(probabilities, group):
    sums = [0.0] * (max(group) + 1)
    for p, g in zip(probabilities, group, strict=True):
        sums[g] += p
    return sums


def slow_cross_entropy(pairs):
    losses = [-math.log(p[c]) for p, c in pairs]
    return sum(losses) / len(losses)


def slow_dice(pairs, classes):
    losses = []
    for k in range(1, classes):
        true = sum(c == k for _, c in pairs)
        if true:
            overlap = sum(p[k] for p, c in pairs if c == k)
            losses.append(1 - 2 * overlap / (sum(p[k] for p, _ in pairs) + true))
    return sum(losses) / len(losses) if losses else 0.0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_cross_entropy_is_equation_one(seed):
    logits, target = case(seed)
    expected = slow_cross_entropy(list(voxels(logits, target)))
    assert float(cross_entropy(logits, target)) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_dice_is_the_mean_over_foreground_classes_that_occur(seed):
    logits, target = case(seed, annotated=4)
    expected = slow_dice(list(voxels(logits, target)), 6)
    assert float(soft_dice(logits, target)) == pytest.approx(expected, abs=1e-5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_marginal_losses_sum_the_probabilities_of_a_group(seed):
    logits, target = case(seed, annotated=3)
    pairs = [(grouped(p, GROUP.tolist()), c) for p, c in voxels(logits, target)]
    ce = marginal_cross_entropy(logits, target, GROUP)
    dice = marginal_dice(logits, target, GROUP)
    assert float(ce) == pytest.approx(slow_cross_entropy(pairs), rel=1e-9)
    assert float(dice) == pytest.approx(slow_dice(pairs, 3), abs=1e-5)


def test_dice_without_foreground_is_zero_and_a_perfect_one_nearly():
    logits, target = case()
    assert float(soft_dice(logits, torch.zeros_like(target))) == 0
    perfect = 50.0 * torch.nn.functional.one_hot(target, 6).movedim(-1, 1)
    assert float(soft_dice(perfect, target)) == pytest.approx(0, abs=1e-4)


def test_dice_sums_over_the_batch():
    logits, target = case()
    as_one = torch.cat(list(logits), dim=1)[None], torch.cat(list(target))[None]
    assert float(soft_dice(*as_one)) == pytest.approx(float(soft_dice(logits, target)), rel=1e-12)


def test_the_identity_group_changes_nothing():
    logits, target = case()
    marginal = marginal_cross_entropy(logits, target, torch.arange(6))
    assert torch.allclose(marginal, cross_entropy(logits, target), rtol=1e-12)


def test_one_group_for_everything_says_nothing():
    logits, _ = case()
    logits.requires_grad_()
    loss = marginal_cross_entropy(logits, torch.zeros(SHAPE, dtype=torch.uint8), torch.zeros(6))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0, abs=1e-12)
    assert logits.grad.abs().max() < 1e-12


@pytest.mark.parametrize("loss", [marginal_cross_entropy, marginal_dice])
def test_classes_within_a_group_keep_their_relative_odds(loss):
    """The gradient is in proportion to the probability within a group: no class is preferred."""
    logits, target = case(annotated=3)
    logits.requires_grad_()
    loss(logits, target, GROUP).backward()
    shares = logits.grad / logits.detach().softmax(1)
    for members in ([0, 1, 5], [2, 4]):
        assert torch.allclose(shares[:, members], shares[:, members[:1]], rtol=1e-9, atol=1e-15)
    assert not torch.allclose(shares[:, 0], shares[:, 3])


@pytest.mark.parametrize("ignore", [None, 255])
@pytest.mark.parametrize("group", [None, GROUP])
def test_gradients_are_those_of_the_losses(group, ignore):
    logits, target = case(annotated=3)
    if ignore:
        target[0, 0] = ignore
    logits.requires_grad_()

    def both(z):
        if group is None:
            return cross_entropy(z, target, ignore) + soft_dice(z, target, ignore)
        ce = marginal_cross_entropy(z, target, group, ignore)
        return ce + marginal_dice(z, target, group, ignore)

    assert torch.autograd.gradcheck(both, (logits,))


@pytest.mark.parametrize("loss", [cross_entropy, soft_dice])
@pytest.mark.parametrize("ignore", [255, -1, 5])
def test_ignored_voxels_do_not_count(loss, ignore):
    logits, target = case(annotated=4)
    holed = target.clone()
    holed[:, :, 1] = ignore
    kept = loss(logits[:, :, :, :1], target[:, :, :1])
    assert torch.allclose(loss(logits, holed, ignore), kept, rtol=1e-12)
    assert float(loss(logits, torch.full_like(target, ignore), ignore)) == 0


def test_ignored_voxels_do_not_count_in_groups_either():
    logits, target = case(annotated=3)
    holed = target.to(torch.uint8)
    holed[:, :, 1] = 255
    kept = marginal_dice(logits[:, :, :, :1], target[:, :, :1], GROUP)
    assert torch.allclose(marginal_dice(logits, holed, GROUP, ignore=255), kept, rtol=1e-12)


@pytest.mark.parametrize("stranger", [1, 4, 9])
def test_annotated_classes_unknown_to_the_decoder_do_not_count(stranger):
    """Group 0, 2, 3 only: 1 lies in a gap, 4 and 9 beyond the last."""
    logits, target = case(annotated=2)
    group = torch.tensor([0, 0, 2, 3, 2, 0])
    target = torch.tensor([0, 2])[target]
    strange = target.clone()
    strange[:, :, 1] = stranger
    kept = marginal_cross_entropy(logits[:, :, :, :1], target[:, :, :1], group)
    assert torch.allclose(marginal_cross_entropy(logits, strange, group), kept, rtol=1e-12)


@pytest.mark.parametrize("kind", [torch.uint8, torch.uint16, torch.int16, torch.int32])
def test_every_integer_type_holds_classes(kind):
    logits, target = case(annotated=3)
    for loss in (cross_entropy, soft_dice):
        assert loss(logits, target.to(kind)) == loss(logits, target)
    assert marginal_dice(logits, target.to(kind), GROUP.to(torch.int32)) == marginal_dice(
        logits, target, GROUP
    )


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_large_logits_stay_finite(size):
    """A group far below the most likely class must not underflow to log(0)."""
    logits = torch.zeros(1, 6, 1, 1, 1)
    logits[:, 3] = size
    logits.requires_grad_()
    target = torch.ones(1, 1, 1, 1, dtype=torch.uint8)
    loss = marginal_cross_entropy(logits, target, GROUP)
    loss.backward()
    expected = 1e4 - math.log(2) if size > 0 else math.log(5 / 2)
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-6)
    assert logits.grad.isfinite().all()


def test_16_bit_logits_are_summed_in_32_bits():
    logits = torch.randn(1, 6, 40, 40, 40, generator=torch.Generator().manual_seed(0)).bfloat16()
    target = torch.zeros(1, 40, 40, 40, dtype=torch.uint8)
    target[:, :20] = 1
    for loss in (cross_entropy, soft_dice):
        result = loss(logits, target)
        assert result.dtype == torch.float32
        assert float(result) == pytest.approx(float(loss(logits.double(), target)), rel=1e-5)
    partial = marginal_cross_entropy(logits, target, GROUP)
    expected = marginal_cross_entropy(logits.double(), target, GROUP)
    assert float(partial) == pytest.approx(float(expected), rel=1e-5)


def with_head(classes=20, features=5, dtype=torch.float64, sides=(7, 6, 5)):
    """Random features and head, and targets."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, features, *sides, generator=generator, dtype=dtype)
    weight = torch.randn(classes, features, generator=generator, dtype=dtype)
    bias = torch.randn(classes, generator=generator, dtype=dtype)
    target = torch.randint(0, classes, (2, *sides), generator=generator)
    return [part.requires_grad_() for part in (x, weight, bias)], target


def test_gradients_of_features_weight_and_bias_are_those_of_torch(monkeypatch):
    """The plain way, all logits at once, and ours in chunks that do not divide the voxels."""
    monkeypatch.setitem(head.CHUNK_BYTES, "cpu", 8 * 20 * 17)
    parts, target = with_head()
    target[0, 0] = 255
    ours = head_loss(Logits(*parts), target, ignore=255)
    plain = functional.cross_entropy(Logits(*parts).dense(), target, ignore_index=255)
    assert torch.allclose(ours, plain, rtol=1e-12)
    for one, other in zip(
        torch.autograd.grad(3 * ours, parts), torch.autograd.grad(3 * plain, parts), strict=True
    ):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("kind", ["plain", "grouped"])
def test_dice_and_cross_entropy_through_a_head_have_the_right_gradients(kind, monkeypatch):
    monkeypatch.setitem(head.CHUNK_BYTES, "cpu", 8 * 6 * 7)
    parts, target = with_head(classes=6, features=3, sides=(3, 2, 3))
    group = GROUP if kind == "grouped" else None
    target = target % 3
    target[1, 1] = 9  # does not count
    assert torch.autograd.gradcheck(
        lambda *p: head_loss(Logits(*p), target, group, 9, dice=True), parts
    )


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last_3d])
def test_16_bit_features_give_the_loss_of_their_values_in_either_memory_order(order):
    (x, weight, bias), target = with_head(classes=139, features=16, dtype=torch.float32)
    half = x.detach().bfloat16().contiguous(memory_format=order).requires_grad_()
    loss = head_loss(Logits(half, weight, bias), target, dice=True)
    exact = [part.detach().double().requires_grad_() for part in (half, weight, bias)]
    expected = head_loss(Logits(*exact), target, dice=True)
    assert loss.dtype == torch.float32
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    found = torch.autograd.grad(loss, [half, weight, bias])
    for one, other, rtol in zip(
        found, torch.autograd.grad(expected, exact), (1e-2, 1e-4, 1e-4), strict=True
    ):
        assert (one.double() - other).abs().max() <= rtol * other.abs().max()


def test_peak_memory_does_not_grow_with_the_number_of_classes(monkeypatch):
    """Nothing of more numbers than features or chunk is ever made."""
    largest = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor):
                largest.append(result.numel())
            return result

    monkeypatch.setitem(head.CHUNK_BYTES, "cpu", 4 * 200 * 64)
    (x, weight, bias), target = with_head(classes=200, dtype=torch.float32, sides=(16, 16, 16))
    with Watch():
        head_loss(Logits(x, weight, bias), target, dice=True).backward()
    assert max(largest) <= max(x.numel(), 200 * 64)
