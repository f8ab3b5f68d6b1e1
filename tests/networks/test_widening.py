import pytest
import torch

from monet_core.networks import MONet, NetworkSettings, widened, widens

NARROW = NetworkSettings(width=4, levels=3, max_width=8, deep_supervision=True)
WIDER = {"width": 6, "max_width": 20}


def settings(**changes: object) -> NetworkSettings:
    return NetworkSettings.model_validate({**NARROW.model_dump(), **changes})


def trained(network: NetworkSettings) -> MONet:
    """Weights, norms and biases that are nowhere at their first values."""
    torch.manual_seed(1)
    made = MONet(network, {"full": 7, "partial": 3})
    with torch.no_grad():
        for values in made.parameters():
            values += 0.3 * torch.randn_like(values)
    return made


def outputs(network: MONet, x: torch.Tensor) -> list[torch.Tensor]:
    return [one.dense() for each in network(x).values() for one in each]


@pytest.mark.parametrize(
    "kind", [{}, {"thin_top": True}, {"residual": True, "max_width": 64}, {"norm": "batch"}]
)
@pytest.mark.parametrize("change", [WIDER, {"width": 9, "max_width": 64, "top_width": 5}])
def test_a_widened_network_computes_the_same_and_can_use_its_new_channels(kind, change):
    narrow = trained(settings(**kind))
    target = settings(**{**change, **kind})
    assert widens(narrow.settings, target)
    wide = widened(narrow, target)
    x = torch.randn(1, 1, 16, 16, 16)
    for few, many in zip(outputs(narrow, x), outputs(wide, x), strict=True):
        assert torch.allclose(few, many, atol=1e-4)
    optimizer = torch.optim.SGD(wide.parameters(), 0.01)
    for _ in range(2):  # the ways out of the new channels move first, then the ways in
        optimizer.zero_grad()
        torch.stack([out.square().mean() for out in outputs(wide, x)]).sum().backward()
        optimizer.step()
    deep = wide.encoder.stages[1].first[0].weight
    assert deep.grad[narrow.settings.widths[1] :].abs().sum() > 0


@pytest.mark.parametrize(
    "change",
    [{}, {"width": 3}, {"levels": 4}, {"width": 6, "norm": "batch"}, {"width": 6, "max_width": 7}],
)
def test_nothing_else_is_taken_for_a_wider_network(change):
    assert not widens(NARROW, settings(**change))


def test_residual_blocks_whose_input_is_added_as_it_is_are_not_widened_to_others():
    narrow, wide = settings(residual=True, max_width=4), settings(residual=True, max_width=8)
    assert not widens(narrow, wide)


def test_the_top_may_have_a_width_of_its_own():
    made = NetworkSettings(width=24, top_width=16, levels=5, max_width=256, thin_top=True)
    assert made.widths == (16, 48, 96, 192, 256)
    assert made.encoder_widths == (8, 48, 96, 192, 256)
