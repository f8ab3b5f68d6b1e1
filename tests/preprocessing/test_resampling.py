import itertools
import tracemalloc

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phantoms import brain_phantom
from scipy.spatial.transform import Rotation

from monet_core.preprocessing import resample
from monet_core.scans.geometry import Geometry


def shifted(offset: float, spacing: float = 1.0) -> np.ndarray:
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = offset
    return affine


def ramp(geometry: Geometry) -> np.ndarray:
    """A volume whose values are a linear function of the world: interpolation is then exact."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in geometry.shape], indexing="ij"), -1)
    world = index @ geometry.affine[:3, :3].T + geometry.affine[:3, 3]
    return (world @ [1.0, 2.0, -3.0] + 500).astype(np.float32)


def sheared(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    affine = np.eye(4)
    affine[:3, :3] = Rotation.random(rng=rng).as_matrix() @ (
        np.eye(3) + rng.uniform(-0.2, 0.2, (3, 3))
    )
    affine[:3, 3] = rng.uniform(-5, 5, 3) - affine[:3, :3] @ [20, 20, 20]
    return affine


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_any_affine_is_honoured_exactly(one: int, two: int) -> None:
    source = Geometry((41, 41, 41), sheared(one))
    target = Geometry((9, 9, 9), shifted(-4.0))
    transform = np.eye(4)
    transform[:3, :3] = Rotation.random(rng=two).as_matrix()
    moved = resample(ramp(source), source, target, transform)
    # What is at world point t of the target was at inverse(transform) t in the source's world.
    back = Geometry(target.shape, np.linalg.inv(transform) @ target.affine)
    # Coarser steps through a sheared grid are smoothed, which keeps a ramp away from borders.
    assert np.abs(moved - ramp(back)).max() < 0.05


def test_outside_the_field_of_view_is_zero() -> None:
    source = Geometry((4, 4, 4), np.eye(4))
    affine = np.eye(4)
    affine[0, 3] = 10
    assert (resample(np.ones((4, 4, 4)), source, Geometry((4, 4, 4), affine)) == 0).all()


def test_whole_voxel_shifts_copy_the_values() -> None:
    rng = np.random.default_rng(0)
    data = rng.integers(0, 9, (7, 8, 9)).astype(np.int32)
    affine = np.eye(4)
    affine[:3, 3] = (2, -1, 3)
    target = Geometry((5, 8, 6), affine)
    for mode in ("nearest", "label", "linear"):
        moved = resample(data, Geometry(data.shape, np.eye(4)), target, mode=mode)
        np.testing.assert_array_equal(moved[:, 1:, :], data[2:, :7, 3:])
        assert (moved[:, 0] == 0).all()


def test_label_votes_by_trilinear_weight() -> None:
    # At the target point the nearest voxel says 1, but three others, together heavier, say 7.
    data = np.zeros((2, 2, 1), np.int16)
    data[:, :, 0] = [[1, 7], [7, 7]]
    affine = np.eye(4)
    affine[:3, 3] = (0.4, 0.4, 0)
    target = Geometry((1, 1, 1), affine)
    source = Geometry((2, 2, 1), np.eye(4))
    assert resample(data, source, target, mode="nearest")[0, 0, 0] == 1
    voted = resample(data, source, target, mode="label")
    assert voted[0, 0, 0] == 7
    assert voted.dtype == np.int16


def test_labels_never_invent_values_and_keep_large_ones() -> None:
    rng = np.random.default_rng(1)
    data = rng.choice([0, 207, 4013], (12, 12, 12)).astype(np.int32)
    target = Geometry((20, 20, 20), np.diag([0.6, 0.6, 0.6, 1]))
    moved = resample(data, Geometry(data.shape, np.eye(4)), target, mode="label")
    assert set(np.unique(moved)) <= {0, 207, 4013}
    assert (moved == 4013).any()


def test_label_borders_are_smoother_than_nearest() -> None:
    _, labels, affine = brain_phantom(noise=0)
    source = Geometry(labels.shape, affine)
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec([0.2, 0.1, 0.3]).as_matrix()
    fine = Geometry(
        (120, 120, 120),
        shifted(-30.0, 0.5),
    )

    def edges(mode: str) -> int:
        moved = resample(labels, source, fine, turn, mode)
        return sum(int((np.diff(moved, axis=axis) != 0).sum()) for axis in range(3))

    assert edges("label") < 0.98 * edges("nearest")


@pytest.mark.parametrize("factor", [2, 3.3])
def test_down_sampling_does_not_alias(factor: float) -> None:
    checkers = np.indices((40, 40, 40)).sum(0) % 2 * 100.0
    size = int(40 / factor) - 2
    affine = np.diag([factor, factor, factor, 1])
    affine[:3, 3] = factor
    moved = resample(checkers, Geometry((40, 40, 40), np.eye(4)), Geometry((size,) * 3, affine))
    np.testing.assert_allclose(moved, 50, atol=4)


def test_down_sampling_stays_in_place() -> None:
    source = Geometry((61, 62, 63), np.diag([0.3, 0.3, 0.3, 1]))
    affine = np.eye(4)
    affine[:3, 3] = 2
    target = Geometry((12, 12, 12), affine)
    np.testing.assert_allclose(resample(ramp(source), source, target), ramp(target), atol=0.01)


def test_thick_slices_are_only_smoothed_where_they_are_fine() -> None:
    # 0.5 x 0.5 x 5 mm: a ramp along the slices is unharmed.
    source = Geometry((80, 80, 8), np.diag([0.5, 0.5, 5.0, 1]))
    affine = np.eye(4)
    affine[:3, 3] = 5
    target = Geometry((20, 20, 20), affine)
    np.testing.assert_allclose(resample(ramp(source), source, target), ramp(target), atol=0.01)


def test_very_fine_scans_take_little_memory() -> None:
    data = np.ones((300, 300, 300), np.float32)
    source = Geometry(data.shape, np.diag([0.3, 0.3, 0.3, 1]))
    tracemalloc.start()
    resample(data, source, Geometry((90, 90, 90), np.eye(4)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.75 * data.nbytes


def test_every_orientation_gives_the_same_volume() -> None:
    image, labels, affine = brain_phantom((24, 28, 26), noise=5)
    target = Geometry((20, 20, 20), shifted(-9.3))
    wanted = resample(image, Geometry(image.shape, affine), target)
    wanted_labels = resample(labels, Geometry(labels.shape, affine), target, mode="nearest")
    for axes in itertools.permutations(range(3)):
        for flips in itertools.product((1, -1), repeat=3):
            orientation = np.array([axes, flips]).T
            geometry = Geometry(
                nib.apply_orientation(image, orientation).shape,
                affine @ nib.orientations.inv_ornt_aff(orientation, image.shape),
            )
            moved = resample(nib.apply_orientation(image, orientation), geometry, target)
            np.testing.assert_allclose(moved, wanted, atol=0.01)
            moved = resample(
                nib.apply_orientation(labels, orientation), geometry, target, mode="nearest"
            )
            np.testing.assert_array_equal(moved, wanted_labels)


def test_shape_and_grid_must_agree() -> None:
    with pytest.raises(ValueError, match="shape"):
        resample(
            np.zeros((2, 2, 2)), Geometry((3, 3, 3), np.eye(4)), Geometry((3, 3, 3), np.eye(4))
        )
