import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn

from monet_core.errors import ModelError
from monet_core.networks import MONet, NetworkSettings
from monet_core.networks.blocks import InstanceNorm

TINY = NetworkSettings(width=4, levels=3)


def seeded(settings: NetworkSettings = TINY, seed: int = 0, **decoders: int) -> MONet:
    torch.manual_seed(seed)
    return MONet(settings, decoders or {"full": 5})


@settings(max_examples=15, deadline=None)
@given(
    sides=st.tuples(*[st.integers(1, 3)] * 3).filter(lambda s: max(s) > 1),
    levels=st.integers(2, 4),
    residual=st.booleans(),
)
def test_output_has_the_size_of_any_input_that_divides(sides, levels, residual):
    network = MONet(NetworkSettings(width=2, levels=levels, residual=residual), {"a": 3, "b": 4})
    shape = tuple(side * network.divisor for side in sides)
    with torch.no_grad():
        outputs = network(torch.zeros(1, 1, *shape))
    assert {name: [tuple(o.dense().shape) for o in out] for name, out in outputs.items()} == {
        "a": [(1, 3, *shape)],
        "b": [(1, 4, *shape)],
    }


def test_deep_supervision_gives_finest_first_in_training_and_one_in_eval():
    network = seeded(TINY.model_copy(update={"deep_supervision": True, "levels": 4}), full=5)
    x = torch.randn(2, 1, 16, 16, 32)
    training = [tuple(o.dense().shape) for o in network(x)["full"]]
    assert training == [(2, 5, 16, 16, 32), (2, 5, 8, 8, 16), (2, 5, 4, 4, 8)]
    network.eval()
    assert [tuple(o.dense().shape) for o in network(x)["full"]] == [(2, 5, 16, 16, 32)]


def test_without_deep_supervision_there_is_one_head_and_one_output_in_training():
    network = seeded()
    assert len(network(torch.randn(1, 1, 8, 8, 8))["full"]) == 1
    assert not [name for name in network.state_dict() if ".heads.1" in name]


def test_only_the_named_decoders_run():
    network = seeded(full=5, partial=3)
    ran = []
    for name, decoder in network.decoders.items():
        decoder.register_forward_hook(lambda *_, name=name: ran.append(name))
    x = torch.randn(1, 1, 8, 8, 8)
    every = network(x)
    assert ran == ["full", "partial"]
    ran.clear()
    alone = network(x, only=["partial"])
    assert ran == list(alone) == ["partial"]
    assert torch.equal(alone["partial"][0].dense(), every["partial"][0].dense())


def test_unknown_decoder_is_refused_with_what_exists():
    with pytest.raises(ModelError, match=r"no decoder x.*It has: full, partial") as error:
        seeded(full=5, partial=3)(torch.zeros(1, 1, 8, 8, 8), only=["x"])
    assert error.value.code == "unknown-decoder"


@pytest.mark.parametrize(
    ("shape", "code", "words"),
    [
        ((1, 1, 8, 8, 10), "input-size", "8 x 8 x 10 .* multiples of 4, one at least 8"),
        ((1, 1, 4, 4, 4), "input-size", "one at least 8"),
        ((1, 1, 0, 8, 8), "input-size", "0 x 8 x 8"),
        ((1, 2, 8, 8, 8), "input-shape", r"\(batch, 1, X, Y, Z\), got \(1, 2, 8, 8, 8\)"),
        ((8, 8, 8), "input-shape", "expects"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(shape, code, words):
    with pytest.raises(ModelError, match=words) as error:
        seeded()(torch.zeros(*shape))
    assert error.value.code == code


def test_initialisation_follows_the_seed():
    one, same, other = seeded(seed=1), seeded(seed=1), seeded(seed=2)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not torch.equal(next(one.parameters()), next(other.parameters()))


def test_signals_keep_their_scale_at_the_start():
    network = seeded(NetworkSettings(width=8, levels=3), full=5)
    features = network.encoder(torch.randn(1, 1, 16, 16, 16))
    assert all(0.3 < float(f.detach().std()) < 3 for f in features)


def test_number_of_parameters_of_a_small_unet():
    # Widths 4, 8, 16; norms have 2 per channel, convolutions before them no bias.
    def block(inputs, outputs):
        return 27 * inputs * outputs + 27 * outputs**2 + 4 * outputs

    encoder = block(1, 4) + block(4, 8) + block(8, 16)
    ups = (16 * 8 * 8 + 8) + (8 * 4 * 8 + 4)
    expected = encoder + ups + block(16, 8) + block(8, 4) + (4 * 5 + 5)
    assert sum(p.numel() for p in seeded(full=5).parameters()) == expected


def test_a_thin_top_has_one_convolution_there_and_half_the_channels_in_the_encoder():
    settings = TINY.model_copy(update={"thin_top": True})
    network = seeded(settings, full=5)
    thin, full = network.state_dict(), seeded(full=5).state_dict()
    assert {name: tuple(thin[name].shape) for name in thin if thin[name].ndim == 5} == {
        **{name: tuple(full[name].shape) for name in thin if full[name].ndim == 5},
        "encoder.stages.0.first.0.weight": (2, 1, 3, 3, 3),
        "encoder.stages.1.first.0.weight": (8, 2, 3, 3, 3),
        "decoders.full.blocks.0.first.0.weight": (4, 4 + 2, 3, 3, 3),
    }
    assert not [name for name in thin if ".0.second" in name]
    assert network(torch.randn(1, 1, 8, 8, 8))["full"][0].dense().shape == (1, 5, 8, 8, 8)


def test_classes_change_nothing_but_the_head():
    few, many = seeded(full=2).state_dict(), seeded(full=200).state_dict()
    different = [name for name in few if few[name].shape != many[name].shape]
    assert different == ["decoders.full.heads.0.weight", "decoders.full.heads.0.bias"]


def test_widths_double_up_to_the_maximum():
    assert NetworkSettings().widths == (16, 32, 64, 128)
    assert NetworkSettings(levels=5, max_width=100).widths == (16, 32, 64, 100, 100)


def test_every_activation_is_leaky_with_the_papers_slope():
    modules = list(seeded(TINY.model_copy(update={"residual": True})).modules())
    slopes = {m.negative_slope for m in modules if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.01}
    assert not [m for m in modules if isinstance(m, nn.ReLU)]


def test_batch_norm_is_an_option():
    network = seeded(TINY.model_copy(update={"norm": "batch"}))
    kinds = {type(m) for m in network.modules() if "Norm" in type(m).__name__}
    assert kinds == {nn.BatchNorm3d}
    assert network(torch.randn(2, 1, 8, 8, 8))["full"][0].dense().shape == (2, 5, 8, 8, 8)


def test_residual_blocks_add_their_input():
    network = seeded(TINY.model_copy(update={"residual": True}))
    stage = network.encoder.stages[1]
    x = torch.randn(1, 4, 8, 8, 8)
    with torch.no_grad():
        stage.second[1].weight.zero_()  # the convolutions' branch is silenced
        passed = stage(x)
        expected = nn.functional.leaky_relu(stage.shortcut(x), 0.01)
    assert torch.allclose(passed, expected)


def test_residual_block_of_equal_width_passes_its_input_unchanged():
    settings = NetworkSettings(width=4, max_width=4, levels=2, residual=True)
    assert isinstance(seeded(settings).encoder.stages[1].shortcut, nn.Identity)


def test_gradients_reach_every_parameter():
    settings = TINY.model_copy(update={"residual": True, "deep_supervision": True})
    network = seeded(settings, full=5, partial=3)
    outputs = network(torch.randn(1, 1, 8, 8, 16))
    sum(o.dense().square().sum() for out in outputs.values() for o in out).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize(
    ("decoders", "code"),
    [
        ({}, "no-decoders"),
        ({"a.b": 3}, "decoder-name"),
        ({"": 3}, "decoder-name"),
        ({"values": 3}, "decoder-name"),
        ({"a": 1}, "decoder-classes"),
    ],
)
def test_impossible_decoders_are_refused(decoders, code):
    with pytest.raises(ModelError) as error:
        MONet(TINY, decoders)
    assert error.value.code == code


@pytest.mark.parametrize("bad", [{"levels": 1}, {"width": 0}, {"norm": "layer"}, {"depth": 4}])
def test_impossible_settings_are_refused(bad):
    with pytest.raises(ValidationError):
        NetworkSettings(**bad)


def test_bf16_gives_nearly_the_same():
    network = seeded().eval()
    x = torch.randn(1, 1, 16, 16, 16)
    with torch.no_grad():
        plain = network(x)["full"][0].dense()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            low = network(x)["full"][0].dense()
    assert low.dtype == torch.bfloat16
    assert float((low - plain).abs().mean() / plain.abs().mean()) < 0.05


@pytest.mark.parametrize("batch", [1, 3])
def test_instance_norm_is_torchs_in_both_directions(batch):
    """And keeps the memory order of its input."""
    ours, plain = InstanceNorm(4).double(), nn.InstanceNorm3d(4, affine=True).double()
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.normal_()
    plain.load_state_dict(ours.state_dict())
    x = torch.randn(batch, 4, 6, 5, 8, dtype=torch.float64, requires_grad=True)
    low = x.detach().to(memory_format=torch.channels_last_3d).requires_grad_()
    out, expected = ours(low), plain(x)
    assert out.is_contiguous(memory_format=torch.channels_last_3d)
    assert torch.allclose(out, expected)
    weights = torch.randn_like(x)
    (out * weights).sum().backward()
    (expected * weights).sum().backward()
    assert torch.allclose(low.grad, x.grad)
    assert torch.allclose(ours.weight.grad, plain.weight.grad)
    assert torch.allclose(ours.bias.grad, plain.bias.grad)


def test_features_keep_the_channels_of_a_voxel_side_by_side():
    features = seeded()(torch.randn(1, 1, 8, 8, 16))["full"][0].features
    assert features.is_contiguous(memory_format=torch.channels_last_3d)
