"""Where voxels are drawn: any storage order, any placement, oblique scans; no Qt."""

from __future__ import annotations

from itertools import permutations, product

import nibabel as nib
import numpy as np
import phantoms
import pytest

from monet_app.views.display import AXES, aligned_grid, scan_grid
from monet_app.views.lens import Lens, letters, position_text, slice_text
from monet_core.scans import Geometry

ORIENTATIONS = [
    "".join(pairs[axis][side] for axis, side in zip(order, sides, strict=True))
    for order in permutations(range(3))
    for sides in product((0, 1), repeat=3)
    for pairs in [("RL", "AP", "SI")]
]
SHAPE = (5, 7, 9)


def turned(degrees: tuple[float, float, float]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = nib.eulerangles.euler2mat(*np.radians(degrees))
    return matrix


STRAIGHT = np.eye(4)


def stored(codes: str, spacing=(1.0, 2.0, 3.0), turn=STRAIGHT) -> tuple[np.ndarray, Geometry]:
    """A volume whose voxel values tell their RAS order, stored with these axes."""
    data = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    affine = turn @ np.diag([*spacing, 1.0]) + 0.0
    affine[:3, 3] = (-11.5, 4.25, 30.0)
    moved, there = phantoms.reoriented(data, affine, codes)
    return moved, Geometry(moved.shape, there)


def test_there_are_48_orientations() -> None:
    assert len(set(ORIENTATIONS)) == 48


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_every_storage_order_is_drawn_alike_and_comes_back(codes: str) -> None:
    data, geometry = stored(codes)
    grid = scan_grid(geometry)
    assert geometry.orientation == codes
    drawn = grid.to_display(data)
    assert drawn.shape == grid.shape == SHAPE[::-1]
    assert (drawn == np.arange(np.prod(SHAPE)).reshape(SHAPE).transpose(2, 1, 0)).all()
    assert np.shares_memory(drawn, data)
    assert (grid.from_display(drawn) == data).all()
    assert grid.spacing == (3.0, 2.0, 1.0)
    assert grid.origin == pytest.approx((30.0, 4.25, -11.5))


@pytest.mark.parametrize("codes", ORIENTATIONS)
@pytest.mark.parametrize("degrees", [(0, 0, 0), (7, -11, 4), (20, 14, -25)])
def test_world_points_are_exact_however_oblique(codes: str, degrees) -> None:
    data, geometry = stored(codes, turn=turned(degrees))
    grid = scan_grid(geometry)
    drawn = grid.to_display(data)
    rng = np.random.default_rng(0)
    for voxel in rng.integers(0, data.shape, (20, 3)):
        ras = (geometry.affine @ [*voxel, 1.0])[:3]
        at = grid.nearest(ras)
        assert at is not None
        assert drawn[at] == data[tuple(voxel)]
        assert grid.ras_of(at) == pytest.approx(tuple(ras))


def test_a_straight_scan_is_drawn_where_it_is_in_the_world() -> None:
    _, geometry = stored("PIR")
    grid = scan_grid(geometry)
    assert np.allclose(grid.frame, np.eye(4))
    assert grid.obliquity == 0
    for axis in range(3):
        at = [0, 0, 0]
        at[axis] = 3
        assert grid.positions(axis)[3] == pytest.approx(grid.ras_of(at)[2 - axis])


def test_an_oblique_scan_says_so_and_is_drawn_around_its_middle() -> None:
    _, geometry = stored("LAS", turn=turned((0, 0, 10)))
    grid = scan_grid(geometry)
    assert grid.obliquity == pytest.approx(10, abs=0.01)
    assert np.allclose(grid.frame @ [*geometry.centre, 1], [*geometry.centre, 1])
    assert "oblique 10°" in slice_text("axial", geometry.centre, grid.obliquity)


def test_sheared_and_45_degree_grids_come_back_exactly() -> None:
    data, _ = stored("RAS")
    shear = np.eye(4)
    shear[0, 1] = 0.3
    for matrix in (shear, turned((0, 0, 45)), turned((45, 45, 45))):
        geometry = Geometry(SHAPE, matrix)
        grid = scan_grid(geometry)
        assert (grid.from_display(grid.to_display(data)) == data).all()
        voxel = (1, 2, 3)
        at = grid.nearest((matrix @ [*voxel, 1.0])[:3])
        assert grid.to_display(data)[at] == data[voxel]


@pytest.mark.parametrize("codes", ORIENTATIONS)
@pytest.mark.parametrize("turn", [np.eye(4), turned((9, -6, 12))], ids=["straight", "oblique"])
def test_labels_of_any_order_and_spacing_are_aligned_with_the_scan(codes: str, turn) -> None:
    _, scan = stored("RAS", turn=turn)
    grid = scan_grid(scan)
    affine = scan.affine @ np.diag([0.5, 0.25, 2.0, 1.0])
    affine[:3, 3] += scan.affine[:3, :3] @ [1, -2, 0.5]
    data = np.arange(4 * 6 * 5).reshape(4, 6, 5)
    moved, there = phantoms.reoriented(data, affine, codes)
    labels = Geometry(moved.shape, there)
    other = aligned_grid(labels, grid)
    assert other is not None
    assert other.spacing == pytest.approx((6.0, 0.5, 0.5))
    drawn = other.to_display(moved)
    assert (other.from_display(drawn) == moved).all()
    # A world point is at the same place of the frame in both grids.
    ras = (there @ [1, 2, 1, 1.0])[:3]
    for axis in range(3):
        in_scan = grid.origin[axis] + grid.spacing[axis] * grid.index_of(ras)[axis]
        in_labels = other.origin[axis] + other.spacing[axis] * other.index_of(ras)[axis]
        assert in_scan == pytest.approx(in_labels)


@pytest.mark.parametrize("degrees", [0.5, 3, 10, 40])
def test_turned_labels_are_not_aligned(degrees: float) -> None:
    grid = scan_grid(Geometry((200, 200, 200), np.eye(4)))
    assert aligned_grid(Geometry((200, 200, 200), turned((0, 0, degrees))), grid) is None


def test_rounding_in_a_header_does_not_turn_labels() -> None:
    affine = turned((0, 0, 5)).astype(np.float32).astype(float)
    grid = scan_grid(Geometry((200, 200, 200), turned((0, 0, 5))))
    assert aligned_grid(Geometry((200, 200, 200), affine), grid) is not None


def test_points_outside_are_outside_and_clamped_to_the_nearest_voxel() -> None:
    _, geometry = stored("RAS")
    grid = scan_grid(geometry)
    first = grid.ras_of((0, 0, 0))
    assert grid.nearest(first) == (0, 0, 0)
    assert grid.nearest(np.subtract(first, (0.4, 0.9, 1.4))) == (0, 0, 0)
    assert grid.nearest(np.subtract(first, (0.6, 0, 0))) is None
    assert grid.clamp((-1e6, 0, 1e6)) == (8, 0, 0)
    assert grid.clamp((1e6, 1e6, -1e6)) == (0, 6, 4)
    assert grid.clamp((np.nan, np.nan, np.nan)) == (0, 0, 0)


def test_lookup_takes_the_nearest_voxel_and_minus_one_outside() -> None:
    grid = scan_grid(Geometry((4, 4, 4), np.diag([2.0, 2, 2, 1])))
    assert grid.lookup(0, np.array([-1.1, -0.9, 0.9, 1.1, 6.9, 7.1])).tolist() == [
        -1, 0, 0, 1, 3, -1,
    ]  # fmt: skip
    halves = grid.positions(0, 2)
    assert halves[:3].tolist() == [-0.5, 0.5, 1.5]
    assert grid.lookup(0, halves).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


# -- the screen -----------------------------------------------------------------------------


def test_radiological_has_the_right_side_at_the_left() -> None:
    assert letters("axial", True) == letters("axial", True).__class__("A", "P", "R", "L")
    for plane in ("axial", "coronal"):
        assert (letters(plane, True).left, letters(plane, True).right) == ("R", "L")
        assert (letters(plane, False).left, letters(plane, False).right) == ("L", "R")
    for radiological in (True, False):
        sagittal = letters("sagittal", radiological)
        assert (sagittal.top, sagittal.bottom, sagittal.left, sagittal.right) == tuple("SIAP")
    assert (letters("coronal", False).top, letters("coronal", False).bottom) == ("S", "I")


@pytest.mark.parametrize("rightwards", [True, False])
def test_pixels_and_millimetres_are_inverse(rightwards: bool) -> None:
    lens = Lens((12.0, -7.0), 2.5, (400, 300), rightwards)
    assert lens.pixel(12.0, -7.0) == (200, 150)
    assert lens.mm(*lens.pixel(3.0, 40.0)) == pytest.approx((3.0, 40.0))
    assert lens.pixel(20.0, 0)[1] < 150
    assert (lens.pixel(0, 20.0)[0] > 200) == rightwards


def test_positions_in_letters() -> None:
    assert position_text((24.0, -12.0, 42.04)) == ("R 24.0", "P 12.0", "S 42.0")
    assert position_text((-0.5, 0.0, -3.0)) == ("L 0.5", "A 0.0", "I 3.0")
    assert slice_text("coronal", (1, -2, 3)) == "Coronal  P 2.0 mm"
    assert set(AXES) == {"axial", "coronal", "sagittal"}
