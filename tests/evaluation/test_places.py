import numpy as np
import pytest
from phantoms import LEFT_PUTAMEN, LEFT_THALAMUS, MALC_OF_FIRST, brain_phantom, reoriented

from monet_core.evaluation import region_place, worst_place
from monet_core.protocols import load_protocol
from monet_core.scans import Geometry, LabelMap, forms_from_affine

SHAPE = (64, 72, 64)


def label_map(data, affine):
    data = np.ascontiguousarray(data, dtype=np.int32)
    return LabelMap(data, Geometry(data.shape, affine), forms_from_affine(affine))


@pytest.fixture(scope="module")
def phantom():
    _, labels, affine = brain_phantom(SHAPE)
    return labels, affine


def test_the_largest_piece_is_found_in_world_space(phantom):
    labels, affine = phantom
    first = load_protocol("first")
    other = labels.copy()
    other[2:4, 2:4, 2:4] = LEFT_THALAMUS  # small, far away
    other[40:47, 50:55, 30:33] = LEFT_THALAMUS  # the largest piece
    place = worst_place(
        (label_map(labels, affine), first), (label_map(other, affine), first), first, LEFT_THALAMUS
    )
    assert place is not None
    assert place.voxels == 7 * 5 * 3
    assert place.volume_ml == pytest.approx(0.105)
    at = np.linalg.inv(affine) @ [*place.ras_mm, 1]
    assert (np.round(at[:3]) >= (40, 50, 30)).all()
    assert (np.round(at[:3]) < (47, 55, 33)).all()
    assert round(at[2]) == 31  # in the middle of three planes: as deep as possible


def test_no_place_where_they_agree_in_other_atlases_and_axes(phantom):
    labels, affine = phantom
    first, malc = load_protocol("first"), load_protocol("malc")
    mapped = np.zeros_like(labels)
    for one, other in MALC_OF_FIRST.items():
        mapped[labels == one] = other
    same = label_map(*reoriented(mapped, affine, "PIL"))
    mine = (label_map(labels, affine), first)
    assert worst_place(mine, (same, malc), first, LEFT_PUTAMEN) is None


def test_a_region_that_one_lacks_is_looked_at_in_its_middle(phantom):
    labels, affine = phantom
    first = load_protocol("first")
    without = np.where(labels == LEFT_PUTAMEN, 0, labels)
    place = worst_place(
        (label_map(labels, affine), first),
        (label_map(without, affine), first),
        first,
        LEFT_PUTAMEN,
    )
    assert place is not None
    at = np.round(np.linalg.inv(affine) @ [*place.ras_mm, 1])[:3].astype(int)
    assert labels[tuple(at)] == LEFT_PUTAMEN


def test_another_grid_is_resampled(phantom):
    labels, affine = phantom
    first = load_protocol("first")
    coarse_affine = affine @ np.diag([2, 2, 2, 1])
    coarse = label_map(labels[::2, ::2, ::2], coarse_affine)
    place = worst_place((label_map(labels, affine), first), (coarse, first), first, LEFT_THALAMUS)
    assert place is not None  # borders differ, no more
    assert place.voxels < (labels == LEFT_THALAMUS).sum() / 2


def test_the_place_of_a_region_is_inside_its_largest_piece(phantom):
    labels, affine = phantom
    stray = labels.copy()
    stray[1, 1, 1] = LEFT_PUTAMEN
    place = region_place(label_map(stray, affine), (LEFT_PUTAMEN,))
    assert place is not None
    assert place.voxels == (labels == LEFT_PUTAMEN).sum()
    at = np.round(np.linalg.inv(affine) @ [*place.ras_mm, 1])[:3].astype(int)
    assert labels[tuple(at)] == LEFT_PUTAMEN
    assert region_place(label_map(labels, affine), (999,)) is None
