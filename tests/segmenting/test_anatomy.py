import numpy as np
import pytest

from monet_core.errors import ProtocolError, Verdict
from monet_core.protocols import Protocol, Region, load_protocol
from monet_core.scans import Geometry
from monet_core.segmenting import check_anatomy

GRID = Geometry((40, 30, 20), np.diag([-1.0, 1, 1, 1]) + np.eye(4)[:, 3:] * [[0, 0, 0, 20]])
PROTOCOL = Protocol(
    "pairs",
    (
        Region(1, "Left A", hemisphere="L", pair=2, tissue="subcortical_gm"),
        Region(2, "Right A", hemisphere="R", pair=1, tissue="subcortical_gm"),
        Region(7, "Middle", hemisphere="M"),
        Region(9, "Vessel", hemisphere="M", tissue="vessel"),
    ),
)


@pytest.fixture
def labels():
    """LAS: the first axis runs to the left, so the left region has the higher indices."""
    data = np.zeros(GRID.shape, np.int32)
    data[28:34, 10:16, 5:10] = 1
    data[6:12, 10:16, 5:10] = 2
    data[18:22, 10:16, 5:10] = 7
    return data


def codes(notes):
    assert all(note.verdict is Verdict.WARNING for note in notes)
    return [note.code for note in notes]


def test_a_sound_segmentation_has_no_findings(labels):
    assert check_anatomy(labels, GRID, PROTOCOL) == []


def test_exchanged_sides_are_found_in_world_space(labels):
    (note,) = check_anatomy(labels[::-1], GRID, PROTOCOL)
    assert note.code == "sides"
    assert note.message.startswith("1 of 1 left regions lie right of their partner: Left A")
    ras = Geometry(GRID.shape, GRID.canonical().affine)
    assert check_anatomy(labels[::-1], ras, PROTOCOL) == []


def test_missing_regions_are_named_but_vessels_may_be_missing(labels):
    labels[labels == 7] = 0
    (note,) = check_anatomy(labels, GRID, PROTOCOL)
    assert note.code == "missing-regions"
    assert "Middle" in note.message
    assert "Vessel" not in note.message


def test_only_evaluated_regions_are_expected(labels):
    labels[labels == 7] = 0
    evaluated = Protocol("pairs", PROTOCOL.regions, subsets={"evaluated": (1, 2)})
    assert check_anatomy(labels, GRID, evaluated) == []


def test_scattered_pieces_are_found(labels):
    labels[28:34, 10:16, 5:10] = 0
    for corner in (26, 29, 32):
        labels[corner : corner + 2, 3:6, 5:9] = 1
    (note,) = check_anatomy(labels, GRID, PROTOCOL)
    assert note.code == "pieces"
    assert "Left A" in note.message


def test_one_large_piece_with_crumbs_is_sound(labels):
    labels[36, 2, 2] = labels[37, 28, 18] = 1
    assert check_anatomy(labels, GRID, PROTOCOL) == []


def test_sides_of_very_different_size_are_found(labels):
    labels[31:34][labels[31:34] == 1] = 0
    assert check_anatomy(labels, GRID, PROTOCOL) == []
    labels[29:34][labels[29:34] == 1] = 0
    assert codes(check_anatomy(labels, GRID, PROTOCOL)) == ["unequal-sides"]


def test_nothing_at_all():
    (note,) = check_anatomy(np.zeros(GRID.shape, int), GRID, PROTOCOL)
    assert note.code == "no-regions"


def test_a_label_outside_the_protocol_is_an_error(labels):
    labels[0, 0, 0] = 3
    with pytest.raises(ProtocolError):
        check_anatomy(labels, GRID, PROTOCOL)


@pytest.mark.parametrize(("voxel_mm", "sound"), [(1, False), (9, True), (20, False)])
def test_brain_volume_is_judged_where_the_whole_brain_is_labelled(voxel_mm, sound):
    # 1000 voxels: 1, 729 and 8000 ml.
    grid = Geometry((10, 10, 10), np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0]))
    wm = Region(1, "White", tissue="white_matter")
    gm = Region(2, "Cortex", tissue="cortical_gm")
    data = np.ones(grid.shape, int)
    data[5:] = 2
    found = codes(check_anatomy(data, grid, Protocol("whole", (wm, gm))))
    assert found == ([] if sound else ["brain-volume"])
    partial = Protocol("partial", (wm, Region(2, "Putamen", tissue="subcortical_gm")))
    assert check_anatomy(data, grid, partial) == []


def test_long_lists_are_cut():
    data = np.zeros((5, 5, 5), int)
    data[0] = 4
    (note,) = [
        note
        for note in check_anatomy(data, Geometry((5, 5, 5), np.eye(4)), load_protocol("malc"))
        if note.code == "missing-regions"
    ]
    assert note.message.startswith("131 of 132 regions are missing: ")
    assert "and 126 more" in note.message
