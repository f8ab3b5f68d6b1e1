"""The scans here are the shipped references themselves, put in known poses."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from monet_core.preprocessing import load_template, resample
from monet_core.preprocessing.heads import Head, look
from monet_core.preprocessing.registration import (
    Registration,
    along_voxels,
    brain_on,
    coverage,
    register,
)
from monet_core.preprocessing.template import load_reference
from monet_core.scans.geometry import Geometry


def pose(rotvec_deg: tuple[float, float, float], shift: tuple[float, float, float]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(np.radians(rotvec_deg)).as_matrix()
    matrix[:3, 3] = shift
    return matrix


def in_pose(image: np.ndarray, grid: Geometry, matrix: np.ndarray) -> Head:
    """`image` with another contrast and noise, lying as `matrix` tells (MNI -> scan world)."""
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = -125 + (matrix @ np.append(load_reference().middle, 1))[:3]
    target = Geometry((126, 126, 126), affine)
    moved = resample(image, grid, target, matrix)
    noise = np.random.default_rng(0).normal(0, 0.02, moved.shape) * (moved > 0.05)
    return look((800 * (moved**1.3 + noise)).astype(np.float32), target)


def errors(found: np.ndarray, matrix: np.ndarray) -> tuple[float, float]:
    """Degrees, and mm at the middle of the brain, by which `found` misses the true way back."""
    rest = found @ matrix
    middle = np.append(load_reference().middle, 1)
    degrees = np.degrees(Rotation.from_matrix(rest[:3, :3]).magnitude())
    return float(degrees), float(np.linalg.norm((rest @ middle - middle)[:3]))


@pytest.fixture(scope="module")
def turned_brain() -> tuple[np.ndarray, Head, Registration]:
    """A brain nearly upside down: its pose, the scan, and what the registration found."""
    matrix = pose((150, 40, 0), (5, 25, 5))
    image, _, grid = load_template()
    head = in_pose(image, grid, matrix)
    return matrix, head, register(head, load_reference())


def test_known_pose_of_a_brain_is_recovered(
    turned_brain: tuple[np.ndarray, Head, Registration],
) -> None:
    matrix, head, found = turned_brain
    degrees, mm = errors(found.rigid, matrix)
    assert head.kind == "stripped"
    assert found.good
    assert found.turned_deg == pytest.approx(np.hypot(150, 40), abs=0.5)
    assert degrees < 0.5
    assert mm < 0.5
    assert np.linalg.det(found.rigid[:3, :3]) == pytest.approx(1)
    np.testing.assert_allclose(found.rigid[:3, :3] @ found.rigid[:3, :3].T, np.eye(3), atol=1e-9)


def test_same_scan_gives_the_same_bits(
    turned_brain: tuple[np.ndarray, Head, Registration],
) -> None:
    _, head, first = turned_brain
    second = register(head, load_reference())
    np.testing.assert_array_equal(first.affine, second.affine)
    assert first.correlation == second.correlation


def test_whole_head_is_found_lying_on_its_side() -> None:
    reference = load_reference()
    matrix = pose((0, 85, 10), (10, -5, 20))
    head = in_pose(reference.head, reference.head_grid, matrix)
    assert head.kind == "whole"
    found = register(head, reference)
    degrees, mm = errors(found.rigid, matrix)
    assert found.good
    # Another person than the template, if in the same space: some difference is theirs.
    assert degrees < 3
    assert mm < 3
    brain = brain_on(head, found, reference)
    assert brain.sum() * 8 == pytest.approx(reference.mask.sum(), rel=0.1)


def test_noise_is_not_a_brain() -> None:
    rng = np.random.default_rng(0)
    grid = Geometry((60, 60, 60), np.diag([3.0, 3.0, 3.0, 1.0]))
    head = look(rng.uniform(0, 1, (60, 60, 60)).astype(np.float32), grid)
    found = register(head, load_reference())
    assert not found.good
    np.testing.assert_allclose(found.rigid[:3, :3], np.eye(3), atol=1e-9)


def test_empty_image_is_not_a_brain() -> None:
    grid = Geometry((30, 30, 30), np.diag([3.0, 3.0, 3.0, 1.0]))
    assert not register(look(np.zeros((30, 30, 30), np.float32), grid), load_reference()).good


def test_coverage_is_the_share_inside_the_field_of_view() -> None:
    reference = load_reference()
    here = Registration(np.eye(4), np.eye(4), 1.0, good=True)
    assert coverage(here, reference.grid, reference) == 1
    affine = reference.grid.affine.copy()
    affine[0, 3] = reference.middle[0]
    right_half = Geometry(reference.grid.shape, affine)
    assert coverage(here, right_half, reference) == pytest.approx(0.5, abs=0.03)


def test_template_is_the_mni_brain_and_cannot_be_changed() -> None:
    image, mask, grid = load_template()
    assert grid.orientation == "RAS"
    assert grid.spacing == (1, 1, 1)
    assert 1.8e6 < mask.sum() < 2.0e6
    assert (image[~mask] == 0).all()
    assert image.max() == 1
    with pytest.raises(ValueError, match="read-only"):
        image[0, 0, 0] = 1


STORED = np.array([[0, 0, -1.1, 60], [-0.9, 0, 0, 80], [0, 1, 0, -70], [0, 0, 0, 1]])


@pytest.mark.parametrize("rotvec", [(0, 0, 0), (6, -4, 3), (0, 9.9, 0)])
def test_a_head_that_lies_nearly_straight_is_turned_to_its_own_axes(
    rotvec: tuple[float, float, float],
) -> None:
    rigid, middle = pose(rotvec, (5, -3, 8)), np.array([1.0, -20, 10])
    scan = Geometry((100, 120, 110), STORED)
    straight = along_voxels(rigid, scan, middle, 10)
    axes = (straight @ scan.affine)[:3, :3]
    assert (np.abs(axes) > 1e-6).sum() == 3
    assert np.linalg.det(straight[:3, :3]) == pytest.approx(1)
    middle_before = np.linalg.inv(rigid) @ np.append(middle, 1)
    np.testing.assert_allclose((straight @ middle_before)[:3], middle)


@pytest.mark.parametrize("degrees", [10.1, 40, 80])
def test_a_head_that_lies_farther_off_is_turned_to_the_template(degrees: float) -> None:
    rigid = pose((0, degrees, 0), (5, -3, 8))
    kept = along_voxels(rigid, Geometry((100, 120, 110), STORED), np.zeros(3), 10)
    np.testing.assert_array_equal(kept, rigid)


def test_voxels_that_are_not_at_right_angles_are_not_kept() -> None:
    sheared = STORED.copy()
    sheared[0, 1] = 0.05
    rigid = pose((1, 2, 3), (0, 0, 0))
    kept = along_voxels(rigid, Geometry((100, 120, 110), sheared), np.zeros(3), 10)
    np.testing.assert_array_equal(kept, rigid)
