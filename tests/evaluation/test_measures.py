import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from monet_core.evaluation import dice_per_region, joint_counts, surface_distances
from monet_core.evaluation.surfaces import distances_per_region

SMALL = hnp.arrays(np.int16, (4, 5, 3), elements=st.integers(-2, 6))


def cube(start, size=4, shape=(14, 14, 14)):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(s, s + size) for s in start)] = True
    return mask


@given(SMALL, SMALL, st.sampled_from("CF"))
def test_dice_is_what_counting_voxels_by_hand_gives(pred, truth, order):
    found = dice_per_region(np.asarray(pred, order=order), truth, [5, 1, 3])
    assert list(found) == [5, 1, 3]
    for index, dice in found.items():
        p, t = pred == index, truth == index
        if not p.any() and not t.any():
            assert np.isnan(dice)
        else:
            assert dice == pytest.approx(2 * (p & t).sum() / (p.sum() + t.sum()))


@given(SMALL, SMALL)
def test_joint_counts_hold_every_voxel_once(first, second):
    counts = joint_counts(first, second, [2, 6])
    assert counts.sum() == first.size
    assert counts[1, 2] == ((first == 2) & (second == 6)).sum()
    other = ~np.isin(first, [2, 6])
    assert counts[0, 1] == (other & (second == 2)).sum()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.int64, np.uint64])
def test_dice_takes_any_integer_type(dtype):
    truth = np.zeros((6, 6, 6), dtype)
    truth[:2] = 207
    pred = truth.copy()
    pred[0] = 0
    assert dice_per_region(pred, truth, [207])[207] == pytest.approx(2 / 3)


def test_indices_of_hundreds_of_millions_need_no_table_of_that_size():
    truth = np.zeros((5, 5, 5), np.int32)
    truth[0], truth[1], truth[2] = 614_454_277, 3, 614_454_278
    pred = truth.copy()
    pred[1, 0] = -7
    found = dice_per_region(pred, truth, [614_454_277, 3, 9])
    assert found[614_454_277] == 1
    assert found[3] == pytest.approx(2 * 20 / 45)
    assert np.isnan(found[9])


def test_a_region_in_one_map_only_has_dice_zero():
    truth = np.zeros((3, 3, 3), int)
    truth[0] = 1
    assert dice_per_region(np.zeros_like(truth), truth, [1]) == {1: 0}
    assert dice_per_region(truth, np.zeros_like(truth), [1]) == {1: 0}


def test_no_regions_are_no_rows():
    labels = np.ones((2, 2, 2), int)
    assert dice_per_region(labels, labels, []) == {}
    assert joint_counts(labels, labels, []).tolist() == [[8]]


def test_arrays_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="shapes differ"):
        dice_per_region(np.zeros((2, 2, 2), int), np.zeros((2, 2, 3), int), [1])
    with pytest.raises(ValueError, match="shapes differ"):
        surface_distances(np.zeros((2, 2, 2), bool), np.zeros((2, 2, 3), bool), (1, 1, 1))
    with pytest.raises(ValueError, match="not unique"):
        dice_per_region(np.zeros((2, 2, 2), int), np.zeros((2, 2, 2), int), [1, 1])


def test_139_regions_on_256_cubed():
    labels = np.kron(np.arange(4096).reshape(16, 16, 16) % 140, np.ones((16, 16, 16), np.int16))
    labels = labels.astype(np.int16)
    found = dice_per_region(np.roll(labels, 1, axis=0), labels, range(1, 140))
    assert all(value == pytest.approx(15 / 16) for value in found.values())


@settings(deadline=None)
@given(SMALL, SMALL)
def test_background_counts_as_any_region_where_it_is_asked_for(pred, truth):
    found = dice_per_region(pred, truth, [2, 0])
    p, t = pred == 0, truth == 0
    if p.any() or t.any():
        assert found[0] == pytest.approx(2 * (p & t).sum() / (p.sum() + t.sum()))
    distances = distances_per_region(pred, truth, [2, 0], (1, 1, 1))
    assert distances[0] == pytest.approx(surface_distances(p, t, (1, 1, 1)), nan_ok=True)


@pytest.mark.parametrize(("axis", "shift"), [(0, 1), (1, 2), (2, 3)])
def test_cubes_one_step_apart_have_the_distance_of_that_step(axis, shift):
    spacing = (0.5, 1.0, 5.0)
    start = [4, 4, 4]
    start[axis] += shift
    found = surface_distances(cube((4, 4, 4), size=1), cube(start, size=1), spacing)
    assert found.hd95 == pytest.approx(shift * spacing[axis])
    assert found.assd == pytest.approx(shift * spacing[axis])


def test_shifted_cubes_with_anisotropic_spacing():
    # 4^3 cubes, 56 surface voxels each, the second one voxel of 3 mm further along x.
    a, b = cube((3, 3, 3)), cube((4, 3, 3))
    found = surface_distances(a, b, (3.0, 1.0, 1.0))
    # From the first to the second: the face x = 3 (16 voxels) lies 3 mm off, the 12 border voxels
    # at each of x = 4, 5, 6 coincide, and the inner 4 of the face x = 6 lie 1 mm off.
    expected = (16 * 3 + 4 * 1) / 56
    assert found.assd == pytest.approx(expected)
    assert found.hd95 == pytest.approx(3)


def test_masks_that_are_empty():
    nothing, something = cube((0, 0, 0), 0), cube((2, 2, 2))
    assert np.isnan(surface_distances(nothing, nothing, (1, 1, 1))).all()
    assert np.isinf(surface_distances(nothing, something, (1, 1, 1))).all()
    assert np.isinf(surface_distances(something, nothing, (1, 1, 1))).all()


def test_equal_masks_have_no_distance_even_at_the_border():
    everything = np.ones((5, 5, 5), bool)
    assert surface_distances(everything, everything, (1, 1, 1)) == (0, 0)


@settings(deadline=None, max_examples=40)
@given(
    hnp.arrays(np.bool_, (6, 5, 7)),
    hnp.arrays(np.bool_, (6, 5, 7)),
    st.tuples(*[st.floats(0.3, 5)] * 3),
)
def test_distances_are_those_of_every_surface_voxel_to_every_other(a, b, spacing):
    found = surface_distances(a, b, spacing)
    points = []
    for mask in (a, b):
        padded = np.pad(mask, 1)
        whole = padded.copy()
        for axis in range(3):
            for step in (-1, 1):
                whole &= np.roll(padded, step, axis)
        points.append(np.argwhere(padded & ~whole) * spacing)
    if not a.any() or not b.any():
        assert not np.isfinite(found).any()
        return
    table = np.linalg.norm(points[0][:, None] - points[1][None], axis=-1)
    there, back = table.min(axis=1), table.min(axis=0)
    assert found.hd95 == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)))
    assert found.assd == pytest.approx(np.concatenate([there, back]).mean())


@pytest.mark.parametrize("seed", range(3))
def test_distances_agree_with_monai(seed):
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics")
    rng = np.random.default_rng(seed)
    smooth = [rng.normal(size=(5, 6, 5)).repeat(4, 0).repeat(4, 1).repeat(4, 2) for _ in range(2)]
    a, b = (field > 0.2 for field in smooth)
    spacing = (0.8, 1.0, 2.5)
    found = surface_distances(a, b, spacing)
    tensors = [torch.from_numpy(m[None, None].astype(np.float32)) for m in (a, b)]
    hd95 = metrics.compute_hausdorff_distance(
        *tensors, include_background=True, percentile=95, spacing=spacing
    )
    assd = metrics.compute_average_surface_distance(
        *tensors, include_background=True, symmetric=True, spacing=spacing
    )
    assert found.hd95 == pytest.approx(float(hd95), rel=1e-5)
    assert found.assd == pytest.approx(float(assd), rel=1e-5)


@pytest.mark.parametrize("orders", ["CC", "FF", "CF"])
def test_distances_of_all_regions_are_those_of_each_mask(orders):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, (7, 8, 9)).repeat(2, 0)
    pred = np.roll(truth, 1, axis=0)
    pred[pred == 3] = 0
    pred, truth = np.asarray(pred, order=orders[0]), np.asarray(truth, order=orders[1])
    indices = (3, 1, 2, 8)
    found = distances_per_region(pred, truth, indices, (2, 1, 0.5))
    assert tuple(found) == indices
    for index in (1, 2):
        alone = surface_distances(pred == index, truth == index, (2, 1, 0.5))
        assert found[index] == pytest.approx(alone)
    assert np.isinf(found[3]).all()
    assert np.isnan(found[8]).all()
