"""Checkpoints: everything comes back bit by bit, and one is always whole."""

from pathlib import Path

import pytest
import torch

from monet_core.errors import OutputError, TrainingError
from monet_core.networks import MONet, NetworkSettings
from monet_core.training import checkpoints
from monet_core.training.averaging import start_average
from monet_core.training.checkpoints import (
    CURRENT,
    PREVIOUS,
    TrainingState,
    load_checkpoint,
    restore,
    save_checkpoint,
)


def _trained(seed: int) -> tuple[MONet, torch.optim.Optimizer, dict[str, torch.Tensor]]:
    torch.manual_seed(seed)
    network = MONet(NetworkSettings(width=4, levels=2), {"partial": 3})
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(2):
        network(torch.randn(1, 1, 8, 8, 8))["partial"][0].dense().square().mean().backward()
        optimizer.step()
    return network, optimizer, start_average(network)


def test_network_optimiser_average_and_state_come_back_bit_by_bit(tmp_path: Path) -> None:
    network, optimizer, average = _trained(0)
    state = TrainingState(7, {"loss": 0.1 + 0.2}, 3, 0.5, 2, 1)
    save_checkpoint(tmp_path, state, network, optimizer, average)

    other, other_optimizer, other_average = _trained(1)
    found = load_checkpoint(tmp_path)
    assert found is not None
    assert found[0] == state
    restore(found[1], other, other_optimizer, other_average)
    for a, b in zip(network.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert all(torch.equal(average[name], other_average[name]) for name in average)
    for a, b in zip(network.parameters(), other.parameters(), strict=True):
        for key, value in optimizer.state[a].items():
            assert torch.equal(value, other_optimizer.state[b][key])


def test_no_checkpoint_is_no_error(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path) is None


def test_the_previous_checkpoint_takes_the_place_of_a_damaged_one(tmp_path: Path) -> None:
    network, optimizer, average = _trained(0)
    for step in (1, 2):
        save_checkpoint(tmp_path, TrainingState(step), network, optimizer, average)
    whole = (tmp_path / CURRENT).read_bytes()
    (tmp_path / CURRENT).write_bytes(whole[: len(whole) // 2])
    found = load_checkpoint(tmp_path)
    assert found is not None
    assert found[0].step == 1
    (tmp_path / PREVIOUS).write_bytes(b"")
    with pytest.raises(TrainingError, match="no checkpoint can be read"):
        load_checkpoint(tmp_path)


def test_a_write_that_fails_midway_leaves_the_last_one_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, optimizer, average = _trained(0)
    save_checkpoint(tmp_path, TrainingState(1), network, optimizer, average)

    def breaks(tensors: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "save_file", breaks)
    with pytest.raises(OutputError, match="disk is full"):
        save_checkpoint(tmp_path, TrainingState(2), network, optimizer, average)
    found = load_checkpoint(tmp_path)
    assert found is not None
    assert found[0].step == 1
    assert {path.name for path in tmp_path.iterdir()} == {CURRENT}
