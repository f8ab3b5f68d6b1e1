"""Painting in an array of codes, taken back and done again; no Qt."""

from __future__ import annotations

import numpy as np
import pytest

from monet_app.views.editing import MOST_UNDONE, Editor, between_slices


def editor(shape=(20, 24, 28), spacing=(1.0, 1.0, 1.0)) -> Editor:
    return Editor(np.zeros(shape, np.uint8), spacing)


def dab(made: Editor, at, code=1, diameter=5.0, plane="axial") -> None:
    made.begin()
    made.paint(at, at, code, diameter, plane)
    made.end()


@pytest.mark.parametrize(("plane", "axis"), [("axial", 0), ("coronal", 1), ("sagittal", 2)])
def test_a_brush_is_round_in_its_slice_and_touches_no_other(plane, axis) -> None:
    made = editor()
    dab(made, (10, 11, 12), diameter=7.0, plane=plane)
    where = np.argwhere(made.codes)
    assert set(where[:, axis]) == {(10, 11, 12)[axis]}
    distances = np.linalg.norm(where - (10, 11, 12), axis=1)
    assert distances.max() <= 3.5
    assert len(where) == 37  # voxels within 3.5 of the middle of a disk


def test_a_ball_is_round_in_mm_where_voxels_are_not_cubes() -> None:
    made = editor(spacing=(3.0, 1.0, 0.5))
    dab(made, (10, 12, 14), diameter=9.0, plane=None)
    where = (np.argwhere(made.codes) - (10, 12, 14)) * (3.0, 1.0, 0.5)
    assert np.linalg.norm(where, axis=1).max() <= 4.5
    assert np.ptp(where, axis=0).tolist() == [6.0, 8.0, 9.0]


def test_the_smallest_brush_is_the_voxel_under_it() -> None:
    made = editor(spacing=(3.0, 3.0, 3.0))
    dab(made, (10.4, 11.3, 11.6), diameter=0.1)
    assert np.argwhere(made.codes).tolist() == [[10, 11, 12]]


def test_a_fast_stroke_has_no_gaps_and_is_one_change() -> None:
    made = editor()
    made.begin()
    made.paint((5, 3, 3), (5, 3, 3), 1, 2.0, "axial")
    made.paint((5, 3, 3), (5, 20, 25), 1, 2.0, "axial")
    assert made.end()
    along = made.codes[5].any(axis=1)
    assert along[3:21].all()
    assert made.undo()
    assert not made.codes.any()
    assert not made.undo()
    assert made.redo()
    assert made.codes[5, 20, 25] == 1
    assert not made.redo()


def test_painting_at_the_edge_stays_inside() -> None:
    made = editor()
    for at in ((0, 0, 0), (19, 23, 27), (-3, 11, 40)):
        dab(made, at, diameter=9.0, plane=None)
    dab(made, (0, -50, 0), diameter=3.0)
    assert made.codes[0, 0, 0] == made.codes[19, 23, 27] == 1


def test_edits_on_several_slices_are_taken_back_in_order() -> None:
    made = editor()
    states = [made.codes.copy()]
    for n, plane in enumerate(("axial", "coronal", "sagittal"), start=1):
        dab(made, (9 + n, 10 + n, 11 + n), code=n, plane=plane)
        states.append(made.codes.copy())
    for before in reversed(states[:-1]):
        made.undo()
        assert (made.codes == before).all()
    made.redo()
    dab(made, (2, 2, 2), code=9)
    assert not made.redo(), "a new edit ends what could be done again"


def test_a_voxel_touched_twice_in_a_stroke_goes_back_to_what_it_was() -> None:
    made = editor()
    made.codes[10, 11, 12] = 7
    made.begin()
    made.paint((10, 11, 12), (10, 11, 12), 1, 1.0, "axial")
    made.paint((10, 11, 12), (10, 11, 12), 2, 1.0, "axial")
    made.end()
    made.undo()
    assert made.codes[10, 11, 12] == 7


def test_a_stroke_that_changes_nothing_is_no_change() -> None:
    made = editor()
    made.begin()
    made.paint((5, 5, 5), (5, 5, 5), 0, 5.0, "axial")
    assert not made.end()
    assert not made.undo()


def test_history_has_an_end() -> None:
    made = editor()
    for n in range(MOST_UNDONE + 5):
        made.put(np.array([n]), 1)
    assert sum(made.undo() for _ in range(2 * MOST_UNDONE)) == MOST_UNDONE


def test_filling_stays_in_the_slice_or_goes_through() -> None:
    made = editor()
    made.codes[5:10, 5:10, 5:10] = 3
    made.codes[15:17, 15:17, 15:17] = 3
    assert made.fill((7, 7, 7), 4, "coronal")
    assert (made.codes == 4).sum() == 25
    assert set(np.argwhere(made.codes == 4)[:, 1]) == {7}
    made.undo()
    assert made.fill((7, 7, 7), 4, None)
    assert (made.codes == 4).sum() == 125
    assert (made.codes == 3).sum() == 8, "another piece is not connected"


@pytest.mark.parametrize(("plane", "axis"), [("axial", 0), ("coronal", 1), ("sagittal", 2)])
def test_shapes_between_slices_of_a_plane(plane, axis) -> None:
    made = editor()
    codes = np.moveaxis(made.codes, axis, 0)
    codes[4, 6:14, 6:14] = 2
    codes[8, 8:12, 8:12] = 2
    codes[6, 9, 9] = 5
    added = made.interpolate(2, plane)
    sizes = [(codes[k] == 2).sum() for k in range(4, 9)]
    assert added == sum(sizes[1:-1])
    assert sizes[0] >= sizes[1] >= sizes[3] >= sizes[4] > 0
    assert codes[6, 9, 9] == 5, "other regions are left alone"
    made.undo()
    assert (codes == 2).sum() == 64 + 16


def test_nothing_lies_between_neighbours_or_one_slice() -> None:
    mask = np.zeros((6, 5, 5), bool)
    assert not between_slices(mask, (1, 1)).any()
    mask[2:4, 1:3, 1:3] = True
    assert not between_slices(mask, (1, 1)).any()
