import pytest
import torch
from one_loss import (
    as_they_are,
    cross_entropy,
    marginal_cross_entropy,
    marginal_dice,
    soft_dice,
)
from pydantic import ValidationError

from monet_core.errors import TrainingError
from monet_core.losses import JointLoss, LossSettings, Target

SIDES = (8, 8, 4)
GROUP = torch.tensor([0, 0, 1, 2, 1, 0])


def make(seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    full = torch.randint(0, 6, (1, *SIDES), generator=generator, dtype=torch.uint8)
    outputs = {
        "full": [torch.randn(1, 6, *SIDES, generator=generator)],
        "partial": [torch.randn(1, 3, *SIDES, generator=generator)],
    }
    return outputs, {"full": Target(full), "partial": Target(GROUP[full.long()])}


def joint(settings, outputs, targets, step=0):
    """The joint loss of dense logits."""
    logits = {name: [as_they_are(level) for level in levels] for name, levels in outputs.items()}
    return JointLoss(settings)(logits, targets, step)


def test_decoders_weigh_the_same_by_default():
    outputs, targets = make()
    total, parts = joint(LossSettings(), outputs, targets)
    full = cross_entropy(outputs["full"][0], targets["full"].classes)
    partial = cross_entropy(outputs["partial"][0], targets["partial"].classes)
    assert parts == {"full": full, "partial": partial}
    assert torch.allclose(total, 0.5 * full + 0.5 * partial)


def test_given_weights_are_taken_as_they_are():
    outputs, targets = make()
    settings = LossSettings(weights={"full": 2.0, "partial": 0.25, "other": 1.0})
    total, parts = joint(settings, outputs, targets)
    assert torch.allclose(total, 2 * parts["full"] + 0.25 * parts["partial"])


def test_a_decoder_without_target_does_not_count():
    outputs, targets = make()
    total, parts = joint(LossSettings(), outputs, {"partial": targets["partial"]})
    assert list(parts) == ["partial"]
    assert torch.equal(total, parts["partial"])


def test_dice_ce_is_the_sum_of_both():
    outputs, targets = make()
    _, parts = joint(LossSettings(kind="dice_ce"), outputs, targets)
    logits, classes = outputs["full"][0], targets["full"].classes
    assert parts["full"] == cross_entropy(logits, classes) + soft_dice(logits, classes)


def test_every_second_voxel_counts_and_after_eight_steps_every_one_did_once():
    outputs, targets = make()
    steps = [joint(LossSettings(every=2), outputs, targets, step)[1] for step in range(8)]
    _, whole = joint(LossSettings(), outputs, targets)
    for name, of_all in whole.items():
        of_some = torch.stack([parts[name] for parts in steps])
        assert torch.allclose(of_some.mean(), of_all)
        assert len(of_some.unique()) == 8
    logits, classes = outputs["full"][0], targets["full"].classes
    expected = cross_entropy(logits[:, :, 1::2, ::2, 1::2], classes[:, 1::2, ::2, 1::2])
    assert torch.allclose(steps[5]["full"], expected)


def test_coarser_resolutions_count_in_full():
    outputs, targets = make()
    fine, coarse = outputs["full"][0], outputs["full"][0][:, :, ::2, ::2, ::2]
    settings = LossSettings(every=2, deep_weights=(1.0, 1.0))
    total, _ = joint(settings, {"full": [fine, coarse]}, {"full": targets["full"]})
    classes = targets["full"].classes[:, ::2, ::2, ::2]
    assert torch.allclose(total, cross_entropy(coarse, classes))


@pytest.mark.parametrize("kind", ["ce", "dice_ce"])
def test_a_group_makes_the_loss_marginal(kind):
    outputs, targets = make()
    logits, classes = outputs["full"][0], targets["partial"].classes
    target = Target(classes, group=GROUP)
    total, _ = joint(LossSettings(kind=kind), {"full": [logits]}, {"full": target})
    expected = marginal_cross_entropy(logits, classes, GROUP)
    if kind == "dice_ce":
        expected = expected + marginal_dice(logits, classes, GROUP)
    assert torch.allclose(total, expected)


def test_ignored_voxels_reach_every_part():
    outputs, targets = make()
    logits, holed = outputs["full"][0], targets["full"].classes.clone()
    holed[:, 4:] = 255
    settings = LossSettings(kind="dice_ce")
    total, _ = joint(settings, {"full": [logits]}, {"full": Target(holed, ignore=255)})
    kept, _ = joint(settings, {"full": [logits[:, :, :4]]}, {"full": Target(holed[:, :4])})
    assert torch.allclose(total, kept)


def test_deep_supervision_weights_halve_and_sum_to_one():
    outputs, targets = make()
    fine = outputs["full"][0]
    levels = [fine, fine[:, :, ::2, ::2, ::2], fine[:, :, ::4, ::4, ::4]]
    classes = targets["full"].classes
    total, _ = joint(LossSettings(), {"full": levels}, {"full": targets["full"]})
    single = [
        cross_entropy(out, classes[:, ::step, ::step, ::step])
        for out, step in zip(levels, (1, 2, 4), strict=True)
    ]
    assert torch.allclose(total, (4 * single[0] + 2 * single[1] + single[2]) / 7)


def test_coarse_targets_are_strided_never_interpolated():
    classes = torch.arange(8 * 8 * 4).reshape(1, 8, 8, 4)
    coarse = Target(classes, group=GROUP, ignore=3).at((4, 4, 2))
    assert torch.equal(coarse.classes, classes[:, ::2, ::2, ::2])
    assert coarse.group is GROUP
    assert coarse.ignore == 3


def test_losses_are_32_bit_under_autocast():
    outputs, targets = make()
    halves = {name: [o.bfloat16() for o in out] for name, out in outputs.items()}
    settings = LossSettings(kind="dice_ce")
    targets["full"] = Target(targets["partial"].classes, GROUP)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        total, parts = joint(settings, halves, targets)
    assert {total.dtype, *(p.dtype for p in parts.values())} == {torch.float32}
    exact, _ = joint(settings, {n: [o.double() for o in out] for n, out in halves.items()}, targets)
    assert float(total) == pytest.approx(float(exact), rel=1e-5)


def test_only_the_total_carries_gradients():
    outputs, targets = make()
    for out in outputs.values():
        out[0].requires_grad_()
    total, parts = joint(LossSettings(), outputs, targets)
    total.backward()
    assert all(out[0].grad is not None for out in outputs.values())
    assert not any(part.requires_grad for part in parts.values())


def test_missing_weights_and_targets_are_refused():
    outputs, targets = make()
    with pytest.raises(TrainingError, match="no decoder has a target"):
        joint(LossSettings(), outputs, {})
    with pytest.raises(TrainingError, match=r"decoder partial.*given for: full") as error:
        joint(LossSettings(weights={"full": 1.0}), outputs, targets)
    assert error.value.code == "loss-weights"
    for weights in ((), (0.0, 1.0)):
        with pytest.raises(TrainingError, match="1 resolutions"):
            joint(LossSettings(deep_weights=weights), outputs, targets)


@pytest.mark.parametrize("bad", [{"kind": "mse"}, {"weights": {"a": -1}}, {"lambda": 1}])
def test_impossible_settings_are_refused(bad):
    with pytest.raises(ValidationError):
        LossSettings(**bad)
