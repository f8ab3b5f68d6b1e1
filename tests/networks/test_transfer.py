import pytest
import torch

from monet_core.errors import ModelError
from monet_core.networks import MONet, NetworkSettings, check_same_architecture, transfer

TINY = NetworkSettings(width=4, levels=3)


def network(seed: int, settings: NetworkSettings = TINY, **decoders: int) -> MONet:
    torch.manual_seed(seed)
    return MONet(settings, decoders)


def changed(**update) -> NetworkSettings:
    return TINY.model_copy(update=update)


def entries(state, decoder):
    prefix = f"decoders.{decoder}."
    return {n.removeprefix(prefix): v for n, v in state.items() if n.startswith(prefix)}


def test_stage_one_reaches_the_encoder_and_every_decoder():
    stage1 = network(1, first=4).state_dict()
    joint = network(2, full=9, partial=4)
    report = transfer(joint, stage1)
    state = joint.state_dict()
    source = entries(stage1, "first")
    assert all(torch.equal(state[n], v) for n, v in stage1.items() if n.startswith("encoder."))
    for decoder in ("full", "partial"):
        body = {n: v for n, v in entries(state, decoder).items() if not n.startswith("heads.")}
        assert body
        assert all(torch.equal(v, source[n]) for n, v in body.items())
    assert torch.equal(state["decoders.partial.heads.0.weight"], source["heads.0.weight"])
    assert report.fresh == ("decoders.full.heads.0.weight", "decoders.full.heads.0.bias")
    assert set(report.loaded) == set(state) - set(report.fresh)
    assert report.sources == {"full": "first", "partial": "first"}


def test_fresh_heads_keep_their_own_start():
    joint = network(2, full=9)
    before = joint.state_dict()["decoders.full.heads.0.weight"].clone()
    transfer(joint, network(1, first=4).state_dict())
    assert torch.equal(joint.state_dict()["decoders.full.heads.0.weight"], before)


def test_both_decoders_give_equal_features_after_transfer():
    joint = network(2, full=9, partial=4)
    transfer(joint, network(1, first=4).state_dict())
    with torch.no_grad():
        outputs = joint.eval()(torch.randn(1, 1, 8, 8, 8))
    assert torch.equal(outputs["full"][0].features, outputs["partial"][0].features)


def test_equal_class_counts_give_equal_outputs():
    stage1, again = network(1, first=4).eval(), network(2, other=4).eval()
    report = transfer(again, stage1.state_dict())
    x = torch.randn(1, 1, 8, 8, 8)
    assert report.fresh == ()
    assert torch.equal(stage1(x)["first"][0].dense(), again(x)["other"][0].dense())


def test_a_decoder_of_the_same_name_is_preferred():
    state = network(1, full=9, partial=4).state_dict()
    target = network(2, partial=4, full=9, third=5)
    report = transfer(target, state, source_decoder="partial")
    assert report.sources == {"partial": "partial", "full": "full", "third": "partial"}
    assert report.fresh == ("decoders.third.heads.0.weight", "decoders.third.heads.0.bias")
    name = "decoders.full.blocks.0.first.0.weight"
    assert torch.equal(target.state_dict()[name], state[name])


def test_without_a_named_source_the_first_decoder_is_taken():
    state = network(1, b=9, a=4).state_dict()
    assert transfer(network(2, full=3), state).sources == {"full": "b"}


def test_deep_supervision_heads_are_loaded_where_they_exist_and_fit():
    deep = changed(deep_supervision=True, levels=4)
    shallow = changed(levels=4)
    both = transfer(network(2, deep, full=9, partial=4), network(1, deep, first=4).state_dict())
    assert {n.split(".")[1] for n in both.fresh} == {"full"}
    assert len(both.fresh) == 6  # weight and bias of three heads
    added = transfer(network(2, deep, partial=4), network(1, shallow, first=4).state_dict())
    assert {n[:24] for n in added.fresh} == {"decoders.partial.heads.1", "decoders.partial.heads.2"}
    dropped = transfer(network(2, shallow, partial=4), network(1, deep, first=4).state_dict())
    assert dropped.fresh == ()


def test_batch_norm_statistics_travel_too():
    norm = changed(norm="batch")
    trained = network(1, norm, first=4)
    trained(torch.randn(1, 1, 8, 8, 8) + 3)
    target = network(2, norm, full=9)
    transfer(target, trained.state_dict())
    name = "encoder.stages.0.first.1.running_mean"
    assert torch.equal(target.state_dict()[name], trained.state_dict()[name])
    assert target.state_dict()[name].abs().sum() > 0


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (changed(width=8), "channels 4/8/16, got 8/16/32"),
        (changed(levels=4), "levels 3, got 4"),
        (changed(residual=True), "residual blocks False, got True"),
        (changed(norm="batch"), "batch norm False, got True"),
        (changed(in_channels=2), "input channels 1, got 2"),
    ],
)
def test_other_architectures_are_refused_naming_the_difference(other, words):
    target = network(2, full=9)
    before = {n: v.clone() for n, v in target.state_dict().items()}
    with pytest.raises(ModelError, match=words) as error:
        transfer(target, network(1, other, first=4).state_dict())
    assert error.value.code == "architecture-differs"
    assert all(torch.equal(v, before[n]) for n, v in target.state_dict().items())


def test_unknown_source_decoder_is_refused():
    with pytest.raises(ModelError, match=r"no decoder x.*It has: first"):
        transfer(network(2, full=9), network(1, first=4).state_dict(), source_decoder="x")


def test_a_state_without_decoders_is_refused():
    state = {n: v for n, v in network(1, a=4).state_dict().items() if n.startswith("encoder.")}
    with pytest.raises(ModelError, match="decoders full, got none"):
        transfer(network(2, full=9), state)


def test_differences_of_single_entries_are_told_a_few_at_most():
    state = network(1, a=4).state_dict()
    assert check_same_architecture(state, state) is None
    damaged = dict(state)
    del damaged["decoders.a.ups.0.bias"]
    damaged["evil\nname"] = torch.zeros(1)
    damaged["decoders.a.ups.1.bias"] = torch.zeros(3)
    with pytest.raises(ModelError) as error:
        check_same_architecture(state, damaged)
    text = str(error.value)
    assert "decoders.a.ups.1.bias of shape (8,), got (3,)" in text
    assert "an entry 'decoders.a.ups.0.bias', got none" in text
    assert "\n" not in text
    with pytest.raises(ModelError, match="and 1 more"):
        check_same_architecture(state, {n: v for n, v in state.items() if "ups" not in n})
