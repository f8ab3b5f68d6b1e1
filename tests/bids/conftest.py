"""A model for tests of BIDS data sets."""

from pathlib import Path

import pytest
import torch

from monet_core.models import DecoderEntry, Manifest, Model, save_model
from monet_core.networks import MONet, NetworkSettings
from monet_core.protocols import load_protocol


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small model of random weights with two atlases."""
    torch.manual_seed(0)
    network = NetworkSettings(width=2, levels=3)
    protocols = {name: load_protocol(name) for name in ("malc", "first")}
    manifest = Manifest(
        name="tiny",
        network=network,
        decoders=[DecoderEntry(name=k, protocol=p.as_dict()) for k, p in protocols.items()],
        preprocessing={"register": False, "margin_mm": 2.0},
        patch=32,
    )
    weights = MONet(network, {k: p.n_classes for k, p in protocols.items()}).eval()
    return save_model(tmp_path_factory.mktemp("models") / "tiny", Model(manifest, weights))
