import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial.transform import Rotation

from monet_core.preprocessing import resample
from monet_core.preprocessing.fitting import fit, interpolate, take_samples
from monet_core.preprocessing.likeness import correlation, information
from monet_core.scans.geometry import Geometry

MIDDLE = np.array([20.0, -10.0, 5.0])


def values(count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    fixed = rng.uniform(0, 1, count)
    return fixed, np.clip(0.8 * fixed**2 + rng.uniform(0, 0.2, count), 0, 1)


@pytest.fixture(scope="module")
def blobs() -> tuple[np.ndarray, Geometry]:
    """A smooth image from 0 to 1 of 120 mm, 2 mm voxels, around MIDDLE."""
    noise = gaussian_filter(np.random.default_rng(1).normal(size=(60, 60, 60)), 4)
    noise -= noise.min()
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = MIDDLE - 59
    return (noise / noise.max()).astype(np.float32), Geometry((60, 60, 60), affine)


@pytest.mark.parametrize("likeness", [correlation, information])
def test_derivatives_are_those_of_the_likeness(likeness) -> None:
    fixed, moving = values()
    direction = (
        np.random.default_rng(2).normal(size=len(moving)) * (moving > 0.01) * (moving < 0.99)
    )
    step = 1e-6
    ahead, behind = (likeness(fixed, moving + sign * step * direction)[0] for sign in (1, -1))
    assert (ahead - behind) / (2 * step) == pytest.approx(
        likeness(fixed, moving)[1] @ direction, rel=1e-4
    )


def test_correlation_is_squared_so_that_contrast_may_be_inverse() -> None:
    fixed, moving = values()
    wanted = -(np.corrcoef(fixed, moving)[0, 1] ** 2)
    assert correlation(fixed, moving)[0] == pytest.approx(wanted)
    assert correlation(fixed, 1 - moving)[0] == pytest.approx(wanted)


def test_information_is_that_of_the_histogram_and_none_in_noise() -> None:
    fixed, moving = values(200_000)
    joint = np.histogram2d(fixed, moving, 28)[0] / len(fixed)
    alone = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    plain = float((joint[joint > 0] * np.log(joint[joint > 0] / alone[joint > 0])).sum())
    assert -information(fixed, moving)[0] == pytest.approx(plain, rel=0.15)
    noise = np.random.default_rng(3).permutation(moving)
    assert abs(information(fixed, noise)[0]) < 0.005


def test_interpolation_is_scipys_with_its_slope(blobs: tuple[np.ndarray, Geometry]) -> None:
    image, _ = blobs
    index = np.random.default_rng(4).uniform(-3, 62, (3, 5000))
    found, gradient, inside = interpolate(image, index)
    np.testing.assert_array_equal(inside, ((index >= 0) & (index <= 59)).all(axis=0))
    within = index[:, inside]
    np.testing.assert_allclose(found, map_coordinates(image, within, order=1), atol=1e-6)
    for axis in range(3):
        step = np.zeros((3, 1))
        step[axis] = 1e-5
        inner = (np.abs(within[axis] - np.round(within[axis])) > 1e-4) & (within < 59).all(axis=0)
        ahead, behind = (interpolate(image, within[:, inner] + sign * step)[0] for sign in (1, -1))
        np.testing.assert_allclose((ahead - behind) / 2e-5, gradient[axis, inner], atol=1e-3)


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("likeness", [correlation, information])
def test_known_transform_is_found(
    blobs: tuple[np.ndarray, Geometry], likeness, affine: bool
) -> None:
    image, grid = blobs
    truth = np.eye(4)
    truth[:3, :3] = Rotation.from_rotvec([0.1, -0.05, 0.12]).as_matrix() * 1.05
    if affine:
        truth[0, 1] += 0.05
    truth[:3, 3] = MIDDLE - truth[:3, :3] @ MIDDLE + (3, -2, 1)
    moving = resample(image, grid, grid, truth)
    samples = take_samples(image, grid, np.pad(np.ones((40, 40, 40), bool), 10), 20_000)
    assert samples.points.shape == (3, len(samples.values)) == (3, 64_000 // 3 + 1)
    found, value = fit(
        samples, (moving, grid), np.eye(4), MIDDLE, likeness, affine=affine, steps=60
    )
    corners = MIDDLE[:, None] + 40 * np.stack(np.meshgrid(*[(-1, 1)] * 3)).reshape(3, -1)
    difference = (found - truth)[:3, :3] @ corners + (found - truth)[:3, 3:]
    assert np.linalg.norm(difference, axis=0).max() < 0.5
    assert value < -0.9


def test_a_start_outside_the_image_stays_and_counts_nothing(
    blobs: tuple[np.ndarray, Geometry],
) -> None:
    image, grid = blobs
    away = np.eye(4)
    away[:3, 3] = 500
    samples = take_samples(image, grid, np.ones(image.shape, bool), 1000)
    found, value = fit(samples, (image, grid), away, MIDDLE, correlation, affine=False, steps=5)
    assert value == 0
    np.testing.assert_array_equal(found, away)
