import numpy as np
import pytest
from phantoms import reoriented

from monet_core.errors import DatasetError
from monet_core.evaluation import evaluate_pair, region_volumes
from monet_core.protocols import Protocol, Region
from monet_core.scans import Geometry, LabelMap, forms_from_affine, grid_difference, onto_grid

PROTOCOL = Protocol(
    "tiny",
    (
        Region(10, "Left ball", "L_B", hemisphere="L", pair=49),
        Region(49, "Right ball", "R_B", hemisphere="R", pair=10),
        Region(16, "Stem", "S", hemisphere="M"),
        Region(300, "Left only", "L_O", hemisphere="L", pair=301),
        Region(301, "Right only", "R_O", hemisphere="R", pair=300),
    ),
)


def label_map(data, affine=None):
    affine = np.diag([1.0, 2.0, 3.0, 1.0]) if affine is None else affine
    return LabelMap(data.astype(np.int32), Geometry(data.shape, affine), forms_from_affine(affine))


def blocks():
    data = np.zeros((8, 9, 10), np.int32)
    data[1:3, 1:3, 1:3] = 10  # 8 voxels
    data[5:7, 1:3, 1:4] = 49  # 12 voxels
    data[3, 5, 5:9] = 16  # 4 voxels
    return data


def rotated(degrees):
    angle = np.deg2rad(degrees)
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turn @ affine


def test_volumes_of_blocks_in_ml():
    table = region_volumes(blocks(), Geometry((8, 9, 10), rotated(20)), PROTOCOL).set_index("index")
    assert table.loc[10, "voxels"] == 8
    assert table.loc[10, "volume_ml"] == pytest.approx(8 * 6 / 1000)
    assert table.loc[16, "share_percent"] == pytest.approx(100 * 4 / 24)
    assert table.loc[10, "asymmetry_percent"] == pytest.approx(100 * (8 - 12) / 10)
    assert table.loc[49, "asymmetry_percent"] == table.loc[10, "asymmetry_percent"]
    assert np.isnan(table.loc[16, "asymmetry_percent"])


def test_a_region_without_voxels_is_missing_and_has_no_volume():
    data = blocks()
    data[0, 0, 0] = 300
    table = region_volumes(data, Geometry((8, 9, 10), np.eye(4)), PROTOCOL).set_index("index")
    assert table.loc[301, "status"] == "missing"
    assert np.isnan(table.loc[301, ["volume_ml", "share_percent"]].astype(float)).all()
    assert table.loc[300, "status"] == "present"
    assert np.isnan(table.loc[300, "asymmetry_percent"])  # its other side was cut off
    assert table["status"].tolist().count("present") == 4


def test_a_pair_scored_by_hand():
    truth = blocks()
    pred = truth.copy()
    pred[2, 1:3, 1:3] = 0  # 4 of the 8 voxels of 10 left
    pred[pred == 16] = 0  # missed
    pred[0, 0, 0] = 300  # added
    table = evaluate_pair(label_map(pred), label_map(truth), PROTOCOL, PROTOCOL.indices)
    rows = table.set_index("index")
    assert table["index"].tolist() == [10, 16, 49, 300, 301]
    assert rows.loc[10, "dice"] == pytest.approx(2 * 4 / 12)
    assert rows.loc[10, "hd95_mm"] == pytest.approx(1)
    assert rows.loc[10, "assd_mm"] == pytest.approx(4 / 12)
    assert rows.loc[10, "volume_error_percent"] == pytest.approx(-50)
    assert rows.loc[10, "volume_truth_ml"] == pytest.approx(0.048)
    assert rows.loc[49, ["dice", "hd95_mm", "volume_error_percent"]].tolist() == [1, 0, 0]
    assert rows.loc[16, ["dice", "hd95_mm", "volume_pred_ml"]].tolist() == [0, np.inf, 0]
    assert rows.loc[16, "volume_error_percent"] == -100
    assert rows.loc[300, ["dice", "volume_truth_ml"]].tolist() == [0, 0]
    assert np.isnan(rows.loc[300, "volume_error_percent"])
    measured = ["dice", "hd95_mm", "assd_mm", "volume_pred_ml", "volume_truth_ml"]
    assert np.isnan(rows.loc[301, measured].astype(float)).all()


def test_without_distances_there_are_none():
    table = evaluate_pair(
        label_map(blocks()), label_map(blocks()), PROTOCOL, [49, 10], distances=False
    )
    assert table["index"].tolist() == [49, 10]
    assert table["hd95_mm"].isna().all()
    assert table["assd_mm"].isna().all()
    assert (table["dice"] == 1).all()


@pytest.mark.parametrize("codes", ["LAS", "PIR", "SRP", "LPS", "AIL"])
@pytest.mark.parametrize("degrees", [0, 30, 45])
def test_maps_that_are_only_reoriented_are_scored_as_they_are(codes, degrees):
    data, affine = blocks(), rotated(degrees)
    moved, moved_affine = reoriented(data, affine, codes)
    table = evaluate_pair(
        label_map(moved, moved_affine), label_map(data, affine), PROTOCOL, (10, 16, 49)
    )
    assert (table["dice"] == 1).all()


def test_a_mirrored_map_is_not_taken_for_a_reoriented_one():
    data = blocks()
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    affine[0, 3] = -3.5  # symmetric about x = 0, so that a flipped header fits the same grid
    flipped = np.diag([-1.0, 2.0, 3.0, 1.0])
    flipped[0, 3] = 3.5
    table = evaluate_pair(label_map(data, flipped), label_map(data, affine), PROTOCOL, (10, 49))
    assert (table["dice"] == 0).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d, a: (d[:-1], a), "shape 7 x 9 x 10 against 8 x 9 x 10 voxels"),
        (lambda d, a: (d, a + np.eye(4)[:, [3]] * 0 + shift(0.5)), "0.50 mm away"),
        (lambda d, a: (d, a @ np.diag([1.1, 1, 1, 1])), "spacing 1.1 x 2 x 3 against 1 x 2 x 3 mm"),
    ],
)
def test_other_grids_are_refused_and_the_difference_is_told(change, words):
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    data, moved = change(blocks(), affine)
    with pytest.raises(DatasetError, match=words) as error:
        evaluate_pair(label_map(data, moved), label_map(blocks(), affine), PROTOCOL, (10,))
    assert error.value.code == "off-grid"


def shift(mm):
    offset = np.zeros((4, 4))
    offset[1, 3] = mm
    return offset


def test_noise_of_float32_headers_is_no_other_grid():
    affine = rotated(33)
    noisy = affine.astype(np.float32).astype(float) + 1e-6
    data = blocks()
    moved = onto_grid(data, Geometry(data.shape, noisy), Geometry(data.shape, affine))
    np.testing.assert_array_equal(moved, data)


def test_a_degenerate_grid_is_not_put_anywhere():
    flat = Geometry((8, 9, 10), np.diag([1.0, 0.0, 1.0, 1.0]))
    assert onto_grid(blocks(), flat, Geometry((8, 9, 10), np.eye(4))) is None


def test_the_difference_of_grids_names_shape_and_spacing():
    a = Geometry((10, 10, 10), np.diag([1.0, 1.0, 1.0, 1.0]))
    b = Geometry((10, 10, 12), np.diag([1.0, 1.0, 2.0, 1.0]))
    assert grid_difference(a, b) == (
        "shape 10 x 10 x 10 against 10 x 10 x 12 voxels, spacing 1 x 1 x 1 against 1 x 1 x 2 mm"
    )
