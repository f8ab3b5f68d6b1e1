"""Learning rate as a function of the step; moving average of weights."""

from itertools import pairwise

import torch
from torch import nn

from monet_core.training import TrainingSettings, recipe_settings
from monet_core.training.averaging import learning_rate, start_average, update_average


def _settings(**kwargs: object) -> TrainingSettings:
    values = {**recipe_settings("paper", "pretrain"), "protocols": {"partial": "first"}, **kwargs}
    return TrainingSettings(**values)


def test_the_papers_rate_is_constant() -> None:
    assert {learning_rate(_settings(), step, 100) for step in range(100)} == {1e-3}


def test_warm_up_rises_and_the_cosine_falls_to_almost_nothing() -> None:
    settings = _settings(schedule="cosine", warm_up_share=0.1, learning_rate=1.0)
    rates = [learning_rate(settings, step, 100) for step in range(100)]
    assert rates[:10] == [(step + 1) / 10 for step in range(10)]
    assert rates[10] == 1.0
    assert all(a >= b for a, b in pairwise(rates[10:]))
    assert rates[-1] < 0.001


def test_the_average_follows_the_weights_and_copies_counters() -> None:
    network = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    average = start_average(network)
    with torch.no_grad():
        network[0].weight.add_(10)
        network[1].num_batches_tracked += 3
    start = average["0.weight"].clone()
    update_average(average, network, decay=0.999, step=0)  # d = 1/10
    torch.testing.assert_close(average["0.weight"], start + 9)
    update_average(average, network, decay=0.5, step=10**6)  # d = 0.5
    torch.testing.assert_close(average["0.weight"], start + 9.5)
    assert int(average["1.num_batches_tracked"]) == 3
