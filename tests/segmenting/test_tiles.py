import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.inferers import sliding_window_inference
from one_loss import as_they_are
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation
from torch import nn

from monet_core.jobs.events import Cancel, CancelledError, Progress
from monet_core.networks import MONet, NetworkSettings
from monet_core.segmenting import predict
from monet_core.segmenting.grids import Onto
from monet_core.segmenting.tiling import tiling


class Tiny(nn.Module):
    """The output form of MONet: name -> [logits], sides multiples of `divisor`."""

    divisor = 4

    def __init__(self, decoders=None, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        decoders = decoders or {"malc": 5}
        self.body = nn.Sequential(nn.Conv3d(1, 4, 3, padding=1), nn.LeakyReLU(0.01))
        self.heads = nn.ModuleDict({k: nn.Conv3d(4, n, 3, padding=1) for k, n in decoders.items()})
        self.seen = []

    def forward(self, x, only=None):
        assert all(side % self.divisor == 0 for side in x.shape[2:])
        self.seen.append(tuple(x.shape))
        features = self.body(x)
        return {
            name: [as_they_are(4 * head(features))]
            for name, head in self.heads.items()
            if name in (only or self.heads)
        }


class Given(nn.Module):
    """Logits that are a function of the intensities alone."""

    divisor = 2

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x, only=None):
        return {"given": [as_they_are(self.function(x))]}


def image_of(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def reference(network, image, patch, overlap, name="malc"):
    """Posterior (C, X, Y, Z) of the mean logits in MONAI's accumulator of the whole scan."""
    with torch.no_grad():
        mean = sliding_window_inference(
            torch.from_numpy(image)[None, None],
            patch,
            1,
            lambda x: network(x)[name][0].dense(),
            overlap=overlap,
            mode="gaussian",
            cval=float(image.min()),
        )
    return torch.softmax(mean[0], 0).numpy()


@pytest.mark.parametrize(
    ("shape", "patch", "overlap"),
    [
        ((24, 24, 24), (16, 16, 16), 0.5),
        ((19, 33, 26), (8, 12, 16), 0.5),
        ((31, 18, 22), (16, 16, 16), 0.75),
        ((30, 17, 25), (16, 8, 12), 0.0),
        ((9, 40, 13), (12, 16, 16), 0.25),  # smaller than the patch along two axes
        ((9, 6, 10), (12, 8, 12), 0.5),
    ],
)
def test_equals_monai_with_a_whole_scan_accumulator(shape, patch, overlap):
    network, image = Tiny().eval(), image_of(shape)
    expected = reference(network, image, patch, overlap)
    found = predict(network, image, patch=patch, overlap=overlap, entropy=True)
    top = np.sort(expected, axis=0)
    clear = top[-1] - top[-2] > 1e-5  # ties within rounding may fall either way
    assert clear.mean() > 0.999
    np.testing.assert_array_equal(found.classes["malc"][clear], expected.argmax(0)[clear])
    nats = -(expected * np.log(expected)).sum(0)
    np.testing.assert_allclose(found.entropy["malc"].astype(float), nats, atol=2e-3)


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(*[st.integers(1, 40)] * 3),
    st.tuples(*[st.integers(4, 24)] * 3),
    st.sampled_from([0.0, 0.3, 0.5, 0.75, 0.9]),
    st.sampled_from([1, 2, 4, 8]),
)
def test_tiles_cover_every_voxel_and_fit_the_network(shape, patch, overlap, divisor):
    tiles = tiling(shape, patch, overlap, divisor)
    covered = np.zeros(tiles.size, bool)
    corners = [corner for layer, _ in tiles.layers() for corner in layer]
    for x, y, z in corners:
        a, b, c = tiles.patch
        assert x + a <= tiles.size[0]
        assert y + b <= tiles.size[1]
        assert z + c <= tiles.size[2]
        covered[x : x + a, y : y + b, z : z + c] = True
    assert covered.all()
    assert len(set(corners)) == len(corners) == tiles.count
    for side, wanted in zip(tiles.patch, patch, strict=True):
        assert side % divisor == 0
        assert side <= max(wanted, 2 * divisor)
    assert [n for _, n in tiles.layers()][-1] == tiles.size[tiles.axis]


def test_the_slab_moves_along_the_longest_axis():
    assert tiling((40, 90, 50), 16, 0.5, 4).slab_shape == (16, 40, 50)
    assert tiling((40, 50, 90), 16, 0.5, 4).axis == 2


def test_small_images_are_padded_with_their_minimum_to_the_patch_as_in_training():
    low = Given(lambda x: torch.cat([x < -7, x >= -7], 1).float())
    image = np.full((5, 9, 30), -8.0, np.float32)
    image[0, 0, 0] = 3
    found = predict(low, image, patch=16)
    assert found.classes["given"].shape == image.shape
    assert found.classes["given"].sum() == 1
    network = Tiny()
    predict(network, image, patch=16)
    assert set(network.seen) == {(1, 1, 16, 16, 16)}


def test_two_decoders_and_a_choice_of_one():
    network, image = Tiny({"malc": 139, "first": 16}), image_of((20, 24, 17))
    both = predict(network, image, patch=16)
    assert set(both.classes) == {"malc", "first"}
    assert both.entropy is None
    one = predict(network, image, patch=16, decoders=["first"])
    assert set(one.classes) == {"first"}
    np.testing.assert_array_equal(one.classes["first"], both.classes["first"])
    assert both.classes["malc"].max() > 16


@pytest.mark.parametrize(("n", "dtype"), [(256, np.uint8), (257, np.uint16)])
def test_classes_take_the_smallest_type(n, dtype):
    def logits(x):
        classes = torch.arange(n).view(1, n, 1, 1, 1)
        return -((x - classes) ** 2)

    values = np.random.default_rng(0).integers(0, n, (10, 9, 12))
    values[0, 0, 0] = n - 1
    found = predict(Given(logits), values.astype(np.float32), patch=8)
    assert found.classes["given"].dtype == dtype
    np.testing.assert_array_equal(found.classes["given"], values)


@pytest.mark.parametrize("precision", ["32", "bf16"])
@pytest.mark.parametrize("shape", [(30, 24, 20), (18, 24, 30)])
def test_heads_applied_to_mean_features_give_the_mean_logits(shape, precision):
    torch.manual_seed(0)
    network, image = MONet(NetworkSettings(width=4, levels=2), {"malc": 9}).eval(), image_of(shape)
    swap = np.array([0, 2, 1, 4, 3, 5, 6, 8, 7])

    def both(x):
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            plain, mirrored = network(x)["malc"][0], network(x.flip(2))["malc"][0]
        plain.features, mirrored.features = plain.features.float(), mirrored.features.float()
        return (plain.dense() + mirrored.dense().flip(2)[:, swap]) / 2

    expected = reference(lambda x: {"malc": [as_they_are(both(x))]}, image, 16, 0.5)
    found = predict(
        network, image, patch=16, precision=precision, mirror={"malc": swap}, entropy=True
    )
    assert (found.classes["malc"] == expected.argmax(0)).mean() > 0.999
    nats = -(expected * np.log(expected)).sum(0)
    np.testing.assert_allclose(found.entropy["malc"].astype(float), nats, atol=2e-3)


@pytest.mark.parametrize("shape", [(22, 18, 16), (16, 28, 18), (18, 17, 27)])
def test_mirror_averages_the_mirrored_tile_with_sides_swapped(shape, monkeypatch):
    monkeypatch.setattr("monet_core.segmenting.grids.CHUNK", 100)  # which divides no plane
    network, image = Tiny().eval(), image_of(shape)
    swap = np.array([0, 2, 1, 4, 3])

    def averaged(x):
        plain = network(x)["malc"][0].dense()
        mirrored = network(x.flip(2))["malc"][0].dense().flip(2)[:, swap]
        return (plain + mirrored) / 2

    expected = predict(Given(averaged), image, patch=16, entropy=True)
    found = predict(network, image, patch=16, mirror={"malc": swap}, entropy=True)
    assert (found.classes["malc"] == expected.classes["given"]).mean() > 0.999
    np.testing.assert_allclose(found.entropy["malc"], expected.entropy["given"], atol=2e-3)
    plain = predict(network, image, patch=16)
    assert (found.classes["malc"] != plain.classes["malc"]).any()


def test_a_mirrored_image_gives_the_mirrored_and_swapped_result():
    network, image = Tiny(), image_of((24, 16, 16))
    swap = np.array([0, 2, 1, 4, 3])
    found = predict(network, image, patch=(24, 16, 16), mirror={"malc": swap})
    flipped = predict(network, image[::-1], patch=(24, 16, 16), mirror={"malc": swap})
    assert (flipped.classes["malc"] == swap[found.classes["malc"]][::-1]).mean() > 0.999


def test_entropy_is_ln_n_for_equal_classes_and_zero_for_a_sure_one():
    def half_sure(x):
        equal = torch.zeros(x.shape[0], 7, *x.shape[2:])
        equal[:, 3] = torch.where(x[:, 0] > 0, 60.0, 0.0)
        return equal

    image = np.ones((12, 10, 9), np.float32)
    image[:, :, :4] = -1
    entropy = predict(Given(half_sure), image, patch=8, entropy=True).entropy["given"]
    assert entropy.dtype == np.float16
    np.testing.assert_allclose(entropy[:, :, :4], math.log(7), rtol=1e-3)
    assert (entropy[:, :, 4:] == 0).all()


def test_batches_of_tiles_give_the_same():
    network, image = Tiny(), image_of((20, 30, 25))
    one = predict(network, image, patch=12)
    three = predict(network, image, patch=12, batch=3)
    assert {shape[0] for shape in network.seen} >= {1, 3}
    assert (one.classes["malc"] == three.classes["malc"]).mean() > 0.999


def test_bf16_differs_little():
    network, image = Tiny(), image_of((16, 20, 16))
    full = predict(network, image, patch=16).classes["malc"]
    half = predict(network, image, patch=16, precision="bf16").classes["malc"]
    assert (full == half).mean() > 0.95


def test_progress_counts_tiles_and_training_mode_is_put_back():
    events, network = [], Tiny().train()
    predict(network, image_of((20, 20, 20)), patch=16, report=events.append)
    assert network.training
    assert all(isinstance(event, Progress) for event in events)
    assert [event.done for event in events] == list(range(1, 9))
    assert events[0].total == 8
    assert events[-1].remaining_s == 0


def test_cancelling_stops_between_tiles_and_puts_the_training_mode_back():
    cancel, network = Cancel(), Tiny().train()
    with pytest.raises(CancelledError):
        predict(
            network, image_of((20, 20, 20)), patch=16, report=lambda _: cancel.set(), cancel=cancel
        )
    assert len(network.seen) == 1
    assert network.training


def test_a_share_of_overlap_outside_0_to_1_is_refused():
    with pytest.raises(ValueError, match=r"overlap is 1\.0"):
        tiling((16, 16, 16), 8, 1.0, 2)


# Labels on another grid


def askew(degrees, scale=(1, 1, 1), shift=(0, 0, 0)):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix() * scale
    matrix[:3, 3] = shift
    return matrix


def interpolated(posterior, onto):
    """Classes of logits (C, X, Y, Z) interpolated linearly, and how sure each voxel's is."""
    voxels = np.indices(onto.shape).reshape(3, -1)
    points = onto.matrix[:3, :3] @ voxels + onto.matrix[:3, 3:]
    sides = np.array(posterior.shape[1:])[:, None]
    inside = ((points >= -0.5) & (points < sides - 0.5)).all(axis=0)
    logits = [map_coordinates(one, points, order=1, mode="nearest") for one in posterior]
    second, first = np.sort(logits, axis=0)[-2:]
    classes = np.where(inside, np.argmax(logits, axis=0), 0)
    return classes.reshape(onto.shape), (first - second > 1e-4).reshape(onto.shape)


@pytest.mark.parametrize("patch", [16, (8, 16, 16), (16, 16, 8)])
@pytest.mark.parametrize(
    "matrix",
    [
        askew((0, 0, 0)),
        askew((10, -20, 30), shift=(3, -2, 4)),
        askew((100, 5, -80), (0.7, 1.3, 2.1), (20, 9, -3)),
        np.diag([-1.0, 1, -1, 1]) + np.outer([21, 0, 14, 0], [0, 0, 0, 1]),
    ],
)
def test_another_grid_gets_the_class_of_the_interpolated_logits(matrix, patch):
    network, image = (
        Given(lambda x: torch.cat((0 * x, x, -x, 1 - x * x), 1)),
        image_of((22, 18, 15)),
    )
    logits = network(torch.from_numpy(image)[None, None])["given"][0].dense()[0].numpy()
    onto = Onto(matrix, (20, 17, 19))
    found = predict(network, image, patch=patch, onto=onto).classes["given"]
    expected, sure = interpolated(logits, onto)
    assert found.shape == onto.shape
    assert (expected > 0).mean() > 0.05
    np.testing.assert_array_equal(found[sure], expected[sure])


def test_the_images_own_grid_as_another_one_changes_nothing():
    network, image = Tiny(), image_of((20, 16, 13))
    same = predict(network, image, patch=12, entropy=True)
    other = predict(network, image, patch=12, entropy=True, onto=Onto(np.eye(4), image.shape))
    np.testing.assert_array_equal(same.classes["malc"], other.classes["malc"])
    assert same.entropy is not None
    assert other.entropy is not None
    np.testing.assert_array_equal(same.entropy["malc"], other.entropy["malc"])


def test_a_grid_beside_the_image_stays_background():
    image = image_of((12, 12, 12))
    onto = Onto(askew((0, 0, 0), shift=(40, 0, 0)), (6, 7, 8))
    assert not predict(Tiny(), image, patch=12, onto=onto).classes["malc"].any()
