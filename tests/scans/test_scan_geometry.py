from itertools import permutations

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phantoms import reoriented

from monet_core.scans import Geometry, from_canonical, to_canonical

CODES = [
    "".join(order)
    for sides in (a + b + c for a in "RL" for b in "AP" for c in "SI")
    for order in permutations(sides)
]


def test_there_are_48_orientations():
    assert len(set(CODES)) == 48


@pytest.mark.parametrize("codes", CODES)
def test_canonical_is_the_same_world_for_every_orientation(codes):
    data = np.arange(4 * 5 * 6).reshape(4, 5, 6)
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    affine[:3, 3] = -3, 7, 11
    stored, its_affine = reoriented(data, affine, codes)
    geometry = Geometry(stored.shape, its_affine)
    assert geometry.orientation == codes
    assert np.array_equal(to_canonical(stored, geometry), data)
    assert geometry.canonical().same_grid(Geometry(data.shape, affine))
    assert np.array_equal(from_canonical(data, geometry), stored)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(CODES), st.tuples(*[st.floats(-45, 45)] * 3))
def test_canonical_round_trip_of_oblique_grids(codes, angles):
    data = np.arange(3 * 4 * 5).reshape(3, 4, 5)
    rotation = nib.eulerangles.euler2mat(*np.radians(angles))
    stored, affine = reoriented(data, np.eye(4), codes)
    affine = nib.affines.from_matvec(rotation, (1, 2, 3)) @ affine
    geometry = Geometry(stored.shape, affine)
    canonical = to_canonical(stored, geometry)
    assert np.array_equal(from_canonical(canonical, geometry), stored)
    index = np.array([1, 2, 0])
    value = canonical[tuple(index)]
    where = np.argwhere(stored == value)[0]
    expected = affine @ [*where, 1]
    assert np.allclose(geometry.canonical().affine @ [*index, 1], expected)


@pytest.mark.parametrize("angles", [(1.0, 0.0, 45.0), (45.0, 45.0, 45.0), (0.0, -45.0, 0.0)])
def test_axes_equally_close_to_two_directions_come_back(angles):
    data = np.arange(3 * 4 * 5).reshape(3, 4, 5)
    rotation = nib.eulerangles.euler2mat(*np.radians(angles))
    geometry = Geometry(data.shape, nib.affines.from_matvec(rotation))
    assert np.array_equal(from_canonical(to_canonical(data, geometry), geometry), data)


def test_offsets_and_volumes():
    geometry = Geometry((10, 10, 10), np.diag([1.0, 2.0, 3.0, 1.0]))
    moved = geometry.affine.copy()
    moved[0, 3] = 0.5
    assert geometry.largest_offset(Geometry((10, 10, 10), moved)) == pytest.approx(0.5)
    assert not geometry.same_grid(Geometry((10, 10, 10), moved))
    assert geometry.voxel_volume_ml == pytest.approx(0.006)
    assert geometry.centre == pytest.approx([4.5, 9, 13.5])
