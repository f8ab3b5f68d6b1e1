"""Small models and a phantom for segmenting."""

import nibabel as nib
import numpy as np
import pytest
import torch
from one_loss import as_they_are
from phantoms import LEFT_THALAMUS, brain_phantom

from monet_core.models import DecoderEntry, Manifest, Model
from monet_core.networks import MONet, NetworkSettings
from monet_core.protocols import load_protocol

LESION = (-12, 14, 8)  # mm; negative x is left
SMALL = NetworkSettings(width=2, levels=3)


def make_model(protocols=("first",), network=None, register=False, patch=32) -> Model:
    torch.manual_seed(0)
    known = {name: load_protocol(name) for name in protocols}
    manifest = Manifest(
        name="test",
        network=SMALL,
        decoders=[DecoderEntry(name=k, protocol=p.as_dict()) for k, p in known.items()],
        preprocessing={"register": register, "margin_mm": 2.0},
        patch=patch,
        weights_sha256="a" * 64,
    )
    network = network or MONet(SMALL, {k: p.n_classes for k, p in known.items()})
    return Model(manifest, network.eval())


class Bright(torch.nn.Module):
    """Labels what is brightest with FIRST's left thalamus; the phantom has it on the left only."""

    divisor = 4

    def forward(self, x, only=None):
        logits = torch.zeros(1, 16, *x.shape[2:])
        logits[:, load_protocol("first").indices.index(LEFT_THALAMUS) + 1] = 50 * (x[:, 0] - 2.5)
        return {"first": [as_they_are(logits)]}


@pytest.fixture
def phantom():
    """A brain with a bright ball on the left, large enough not to be clipped as an outlier."""
    image, labels, affine = brain_phantom()
    grid = np.stack(np.meshgrid(*map(np.arange, image.shape), indexing="ij"), -1)
    world = nib.affines.apply_affine(affine, grid)
    image[np.linalg.norm(world - LESION, axis=-1) < 8] = 1400
    return image, labels, affine


@pytest.fixture
def model_of():
    """A function that makes models with random weights, or with a given network."""
    return make_model


@pytest.fixture
def bright_model():
    """A model that labels what is brightest with FIRST's left thalamus."""
    return make_model(network=Bright(), patch=96)
