import pytest
import torch

from monet_core.models import DecoderEntry, Manifest, Model, save_model
from monet_core.networks import MONet, NetworkSettings
from monet_core.protocols import Protocol, Region

TINY = NetworkSettings(width=4, levels=3)


def toy_protocol(name: str, regions: int) -> Protocol:
    return Protocol(name, tuple(Region(10 * k, f"region {k}") for k in range(1, regions + 1)))


@pytest.fixture
def make_model():
    def make(seed: int = 0, settings: NetworkSettings = TINY, name: str = "toy", **fields) -> Model:
        protocols = {"full": toy_protocol("atlas", 4), "partial": toy_protocol("part", 2)}
        torch.manual_seed(seed)
        network = MONet(settings, {n: p.n_classes for n, p in protocols.items()})
        manifest = Manifest(
            name=name,
            network=settings,
            decoders=[DecoderEntry(name=n, protocol=p.as_dict()) for n, p in protocols.items()],
            preprocessing={"spacing_mm": 1.0},
            patch=16,
            **fields,
        )
        return Model(manifest, network)

    return make


@pytest.fixture
def saved(tmp_path, make_model):
    """The folder of a sound model."""
    return save_model(tmp_path / "toy", make_model())
