import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from phantoms import BRAIN_STEM, LEFT_PUTAMEN, RIGHT_PUTAMEN, brain_phantom
from scipy.ndimage import map_coordinates

from monet_core.augmentation import (
    AugmentationSettings,
    intensity,
    sample_patch,
    sampling,
    spatial,
)

FULL_ON = {name: 1.0 for name in AugmentationSettings.model_fields if name.endswith("probability")}
INTENSITY = ("contrast", "gamma", "bias", "brightness", "blur", "resolution", "noise")
SWAP = np.array([0, 2, 1, 3], np.intp)


def random_scan(shape=(20, 24, 22), seed=0):
    rng = np.random.default_rng(seed)
    image = rng.standard_normal(shape).astype(np.float32)
    return image, {"full": rng.integers(0, 4, shape).astype(np.uint8)}


def sample(image, labels, centre, patch, seed=0, background=None, **switches):
    rng = np.random.default_rng(seed)
    wanted = AugmentationSettings(**switches)
    swaps = dict.fromkeys(labels, SWAP)
    return sample_patch(image, labels, centre, patch, wanted, rng, swaps, background)


def coordinates(shape, affine, shifts):
    """Where each voxel of a patch is looked up, in patch voxels."""
    deformation = spatial.Deformation(shape, affine, shifts)
    low = torch.from_numpy(deformation.low)[:, None, None, None]
    return deformation.points(0, shape[0]) + low


def smooth_scan(shape=(48, 48, 48)):
    """A smooth image, and labels that are the image rounded."""
    x, y, z = np.meshgrid(*[np.linspace(0, 2, n) for n in shape], indexing="ij")
    image = (6 + 3 * np.sin(2 * x) + 2 * np.cos(3 * y) + z).astype(np.float32)
    return image, {"full": np.rint(image).astype(np.uint8)}


@pytest.mark.parametrize("patch", [8, (7, 8, 9)])
def test_without_deformation_the_patch_is_an_exact_crop(patch):
    image, labels = random_scan()
    picture, classes = sample(image, labels, (10, 12, 11), patch)
    sides = (patch,) * 3 if isinstance(patch, int) else patch
    where = tuple(
        slice(c - p // 2, c - p // 2 + p) for c, p in zip((10, 12, 11), sides, strict=True)
    )
    assert np.array_equal(picture, image[where])
    assert np.array_equal(classes["full"], labels["full"][where])
    assert picture.dtype == np.float32
    assert classes["full"].dtype == np.uint8


def test_beyond_the_scan_lies_background_without_labels():
    image, labels = random_scan()
    labels["full"][:] = 1
    picture, classes = sample(image, labels, (0, 0, 21), 8, background=-9.0)
    inside = np.zeros((8, 8, 8), bool)
    inside[4:, 4:, :5] = True
    assert (picture[~inside] == -9).all()
    assert np.array_equal(picture[inside], image[:4, :4, 17:].ravel())
    assert np.array_equal(classes["full"], inside)


def test_background_is_the_smallest_value_in_sight_if_none_is_given():
    image, labels = random_scan()
    picture, _ = sample(image, labels, (0, 12, 12), 8)
    assert picture[0, 0, 0] == image[:4, 8:16, 8:16].min()
    nothing_in_sight, _ = sample(image, labels, (500, 12, 12), 8)
    assert (nothing_in_sight == image.min()).all()


def test_a_deformed_patch_beyond_the_scan_is_background_too():
    image, labels = random_scan()
    picture, classes = sample(
        image, labels, (500, 0, 0), 12, background=-9.0, elastic_probability=1
    )
    assert np.allclose(picture, -9)
    assert not classes["full"].any()


def test_the_scan_is_not_written_to(tmp_path):
    image, labels = random_scan()
    for name, array in {"image": image, **labels}.items():
        np.save(tmp_path / name, array)
    stored = np.load(tmp_path / "image.npy", mmap_mode="r")
    maps = {"full": np.load(tmp_path / "full.npy", mmap_mode="r")}
    from_disk = sample(stored, maps, (10, 12, 11), 12, **FULL_ON)
    from_memory = sample(image, labels, (10, 12, 11), 12, **FULL_ON)
    assert np.array_equal(from_disk[0], from_memory[0])
    assert np.array_equal(from_disk[1]["full"], from_memory[1]["full"])
    assert not isinstance(from_disk[0], np.memmap)
    assert from_disk[0].flags.writeable
    assert np.array_equal(stored, random_scan()[0])


def test_half_precision_scans_give_single_precision_patches():
    image, labels = random_scan()
    picture, _ = sample(image.astype(np.float16), labels, (10, 12, 11), 12, affine_probability=1)
    wanted, _ = sample(image, labels, (10, 12, 11), 12, affine_probability=1)
    assert picture.dtype == np.float32
    assert np.allclose(picture, wanted, atol=0.01)


# --- deformation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("side", [10, 11])
def test_a_quarter_turn_is_rot90(axis, side):
    image, labels = random_scan((side,) * 3)
    affine = (spatial.rotation(axis, np.pi / 2), np.zeros(3))
    deformation = spatial.Deformation((side,) * 3, affine, None)
    points = deformation.points(0, side)
    block, classes = (
        torch.from_numpy(sampling.read_block(a, deformation.low, deformation.high, 0))
        for a in (image, labels["full"])
    )
    plane = ((axis + 1) % 3, (axis + 2) % 3)
    # The map says where to look up, so the content turns the other way.
    turned = np.rot90(labels["full"], -1, plane)
    assert np.array_equal(classes.flatten()[spatial.nearest(points, block.shape)], turned.ravel())
    turned = np.rot90(image, -1, plane)
    assert np.allclose(spatial.look_up(block, points), turned, atol=1e-4)


def test_scaling_looks_up_further_from_the_middle():
    points = coordinates((5, 5, 5), (np.diag([2.0, 1.0, 0.5]), np.array([0, 0, 1.0])), None)
    assert np.allclose(points[0, :, 2, 2], [-2, 0, 2, 4, 6], atol=1e-5)
    assert np.allclose(points[1, 2, :, 2], [0, 1, 2, 3, 4], atol=1e-5)
    assert np.allclose(points[2, 2, 2, :], [2, 2.5, 3, 3.5, 4], atol=1e-5)


def test_elastic_deformation_without_strength_is_the_identity():
    image, labels = random_scan()
    changed = sample(image, labels, (10, 12, 11), 12, elastic_probability=1, elastic_sd=0)
    plain = sample(image, labels, (10, 12, 11), 12)
    assert np.array_equal(changed[0], plain[0])
    shifts = spatial.draw_shifts((12, 12, 12), 6, 0.0, np.random.default_rng(0))
    points = coordinates((12, 12, 12), None, shifts)
    assert np.allclose(points.numpy(), np.indices((12, 12, 12)), atol=1e-5)


def test_equal_shifts_of_all_control_points_are_a_shift():
    shifts = np.ones((3, 5, 6, 7)) * np.array([1.0, -2.0, 0.5])[:, None, None, None]
    points = coordinates((9, 10, 11), None, shifts)
    moved = np.indices((9, 10, 11)) + np.array([1.0, -2.0, 0.5])[:, None, None, None]
    assert np.allclose(points.numpy(), moved, atol=1e-5)


def test_one_control_point_moves_its_surroundings_as_the_spline_says():
    shifts = np.zeros((3, 7, 7, 7))
    shifts[0, 3, 3, 3] = 1.0
    # 17 voxels, 5 inner control points: one each 4 voxels, number 3 (from -1) at voxel 8.
    field = spatial.upsample(torch.from_numpy(shifts), (17, 17, 17))[0]
    assert field[8, 8, 8] == pytest.approx((2 / 3) ** 3)
    assert field[12, 8, 8] == pytest.approx(1 / 6 * (2 / 3) ** 2)
    assert field[16, 8, 8] == pytest.approx(0, abs=1e-7)
    assert field[8, 0, 8] == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("seed", range(5))
def test_the_strongest_deformation_does_not_fold(seed):
    rng = np.random.default_rng(seed)
    shifts = spatial.draw_shifts((32, 32, 32), 8, 1000.0, rng)
    points = coordinates((32, 32, 32), None, shifts).double().numpy()
    gradient = np.stack([np.stack(np.gradient(p), -1) for p in points], -2)
    assert np.linalg.det(gradient).min() > 0
    assert np.abs(points - np.indices((32, 32, 32))).max() > 1


def test_the_look_up_is_linear_interpolation():
    image, _ = random_scan((9, 10, 11))
    rng = np.random.default_rng(3)
    points = rng.uniform(0, 1, (3, 6, 5, 4)) * (np.array([8, 9, 10])[:, None, None, None])
    wanted = map_coordinates(image, points, order=1)
    found = spatial.look_up(torch.from_numpy(image), torch.from_numpy(points.astype(np.float32)))
    assert np.allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_deformed_patch_equals_the_plain_look_up(seed, dtype):
    """In one piece, with scipy; where is told by patches of scans whose values are their place."""
    shape, patch, centre = (110, 90, 100), (56, 41, 50), (50, 46, 52)
    image, labels = random_scan(shape)
    labels["full"] = labels["full"].astype(dtype)
    both = {"elastic_probability": 1, "affine_probability": 1, "elastic_spacing": 16}
    picture, classes = sample(image, labels, centre, patch, seed, **both)
    ramps = np.indices(shape).astype(np.float32)
    points = np.stack([sample(ramp, {}, centre, patch, seed, **both)[0] for ramp in ramps])
    assert np.abs(picture - map_coordinates(image, points, order=1)).max() < 1e-3
    certain = (np.abs(points % 1 - 0.5) > 1e-4).all(0)
    assert certain.mean() > 0.999
    wanted = labels["full"][tuple(np.rint(points).astype(int))]
    assert np.array_equal(classes["full"][certain], wanted[certain])
    assert classes["full"].dtype == dtype


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    patch=st.tuples(*[st.integers(1, 40)] * 3),
    spacing=st.floats(2, 40),
    sd=st.floats(0, 50),
)
def test_the_box_holds_all_points_and_their_neighbours(seed, patch, spacing, sd):
    rng = np.random.default_rng(seed)
    wanted = AugmentationSettings(rotation_degrees=180, scale=0.9, translation=30)
    affine = spatial.draw_affine(wanted, rng) if rng.random() < 0.5 else None
    shifts = spatial.draw_shifts(patch, spacing, sd, rng) if rng.random() < 0.8 else None
    deformation = spatial.Deformation(patch, affine, shifts)
    points = deformation.points(0, patch[0]).flatten(1).numpy()
    assert (points >= 0).all()
    assert (points.max(1) < deformation.high - deformation.low - 1).all()


def test_a_patch_shows_what_lies_beyond_its_own_edge():
    image, labels = random_scan((40, 40, 40))
    whole = sample(image, labels, (20, 20, 20), 16, seed=4, affine_probability=1, scale=0.5)
    cut = image.copy()
    cut[12:28, 12:28, 12:28] = 0
    outer, _ = sample(cut, labels, (20, 20, 20), 16, seed=4, affine_probability=1, scale=0.5)
    assert (outer != 0).any()
    assert (whole[0] != 0).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), mirrored=st.booleans())
def test_labels_stay_where_the_image_is(seed, mirrored):
    image, labels = smooth_scan()
    rng = np.random.default_rng(seed)
    wanted = AugmentationSettings(
        elastic_probability=1, affine_probability=1, mirror_probability=float(mirrored)
    )
    swaps = {"full": np.arange(16)}
    picture, classes = sample_patch(image, labels, (24, 24, 24), 24, wanted, rng, swaps)
    # The image changes by at most 0.3 per voxel and axis, the labels by rounding.
    assert np.abs(picture - classes["full"]).max() < 0.5 + 0.6
    assert np.abs(picture - classes["full"]).mean() < 0.3


def test_the_elastic_deformation_moves_by_some_voxels_but_not_more():
    moves = []
    for seed in range(10):
        shifts = spatial.draw_shifts((64,) * 3, 24, 5.0, np.random.default_rng(seed))
        points = coordinates((64,) * 3, None, shifts).numpy()
        moves.append(np.abs(points - np.indices((64,) * 3)).max(axis=0))
    assert 1.5 < np.mean(moves) < 6
    assert np.max(moves) < 10


# --- left and right ------------------------------------------------------------------------------


def phantom_classes():
    image, labels, _ = brain_phantom()
    order = [0, LEFT_PUTAMEN, RIGHT_PUTAMEN, BRAIN_STEM]
    classes = np.zeros(labels.shape, np.uint8)
    for number, index in enumerate(order):
        classes[labels == index] = number
    return image, {"full": classes}


def test_mirroring_twice_is_the_identity_and_once_is_not():
    image, labels = phantom_classes()
    once = sampling.mirror([image], labels, {"full": SWAP})
    twice = sampling.mirror(*once, {"full": SWAP})
    assert not np.array_equal(once[0][0], image)
    assert np.array_equal(twice[0][0], image)
    assert np.array_equal(twice[1]["full"], labels["full"])


@pytest.mark.parametrize("deformed", [0.0, 1.0])
def test_label_maps_alone_are_changed_as_they_are_beside_their_image(deformed):
    image, labels = random_scan()
    wanted = AugmentationSettings(
        elastic_probability=deformed, affine_probability=deformed, mirror_probability=0.5
    )
    for seed in range(4):
        words = ((10, 12, 11), (7, 8, 9), wanted, np.random.default_rng(seed), {"full": SWAP})
        alone = sampling.sample_labels(labels, *words)
        words = (*words[:3], np.random.default_rng(seed), words[4])
        _, beside = sampling.sample_patch(image, labels, *words)
        assert np.array_equal(alone["full"], beside["full"])


def test_a_mirrored_brain_has_its_left_putamen_on_the_left():
    image, labels = phantom_classes()
    centre = tuple(n // 2 for n in image.shape)
    picture, classes = sample(image, labels, centre, image.shape, mirror_probability=1)
    left, right, stem = (np.argwhere(classes["full"] == k)[:, 0].mean() for k in (1, 2, 3))
    assert left < image.shape[0] / 2 < right
    assert abs(stem - (image.shape[0] - 1) / 2) < 2
    # The bright spot that only the left side has is on the right now, the right side's shape left.
    assert np.argwhere(picture > 900)[:, 0].mean() > image.shape[0] / 2
    assert (classes["full"] == 1).sum() == (labels["full"] == 2).sum()


# --- intensities ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", INTENSITY)
def test_intensity_changes_change_the_image_and_leave_labels_alone(name):
    image, labels = random_scan()
    picture, classes = sample(image, labels, (10, 12, 11), 16, **{f"{name}_probability": 1.0})
    plain, same = sample(image, labels, (10, 12, 11), 16)
    assert not np.allclose(picture, plain, atol=1e-3)
    assert picture.dtype == np.float32
    assert np.isfinite(picture).all()
    assert np.array_equal(classes["full"], same["full"])


@pytest.mark.parametrize(
    ("name", "strength", "tolerance"),
    [
        ("contrast_strength", 0, 2e-3),
        ("gamma", 0, 2e-3),
        ("bias_sd", 0, 1e-5),
        ("brightness", 0, 0),
        ("blur_sd", 0, 1e-6),
        ("resolution_factor", 1, 1e-5),
        ("noise_sd", 0, 0),
    ],
)
def test_intensity_changes_without_strength_change_nothing(name, strength, tolerance):
    image, labels = random_scan()
    switch = f"{name.split('_')[0]}_probability"
    picture, _ = sample(image, labels, (10, 12, 11), 16, **{switch: 1.0, name: strength})
    plain, _ = sample(image, labels, (10, 12, 11), 16)
    assert np.allclose(picture, plain, atol=tolerance)


@pytest.mark.parametrize("change", [intensity.contrast, intensity.gamma])
@pytest.mark.parametrize("seed", range(4))
def test_contrast_changes_keep_order_mean_and_spread(change, seed):
    image = np.random.default_rng(seed).standard_normal((16, 16, 16)).astype(np.float32)
    changed = change(image, 1.0, np.random.default_rng(seed))
    order = np.argsort(image, axis=None)
    assert (np.diff(changed.ravel()[order]) >= -1e-5).all()
    assert changed.mean() == pytest.approx(image.mean(), abs=1e-3)
    assert changed.std() == pytest.approx(image.std(), abs=1e-3)


def test_noise_and_brightness_have_the_strength_that_is_set():
    flat = np.zeros((32, 32, 32), np.float32)
    levels = [intensity.noise(flat, 0.5, np.random.default_rng(s)).std() for s in range(20)]
    assert 0.3 < max(levels) < 0.51
    shifts = [intensity.brightness(flat, 0.2, np.random.default_rng(s))[0, 0, 0] for s in range(20)]
    assert 0.1 < max(np.abs(shifts)) <= 0.2
    gains = [intensity.brightness(flat + 1, 0.2, np.random.default_rng(s)) for s in range(20)]
    assert min(g.min() for g in gains) > 0.6


def test_a_bias_field_is_smooth_and_leaves_the_darkest_level():
    image = np.ones((40, 40, 40), np.float32)
    image[0] = -1.0
    changed = intensity.bias_field(image, 0.3, np.random.default_rng(0))
    assert (changed[0] == -1).all()
    gain = (changed[1:] + 1) / 2
    assert gain.std() > 0.02
    assert np.abs(np.diff(gain, axis=1)).max() < 0.1


def test_blur_spreads_a_point_evenly_and_keeps_its_sum():
    image = np.zeros((21, 21, 21), np.float32)
    image[10, 10, 10] = 1
    blurred = intensity.blur(image, 2.0, np.random.default_rng(1))
    assert blurred.sum() == pytest.approx(1, abs=1e-4)
    assert np.allclose(blurred, blurred.transpose(2, 0, 1), atol=1e-7)
    assert blurred[10, 10, 11] > 0.01


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_matrices_work_along_their_axis(axis):
    image, _ = random_scan((6, 6, 6))
    matrix = np.random.default_rng(1).standard_normal((6, 6))
    wanted = np.moveaxis(np.tensordot(matrix, image, axes=(1, axis)), 0, axis)
    assert np.allclose(intensity.along_axis(matrix, image, axis), wanted, atol=1e-5)


def test_thick_slices_blur_one_axis_only_and_keep_ramps():
    ramp = np.broadcast_to(np.arange(24, dtype=np.float32), (24, 24, 24)).copy()
    changed = [intensity.lower_resolution(ramp, 4.0, np.random.default_rng(s)) for s in range(8)]
    for one in changed:
        assert np.allclose(one[:, :, 4:-4], ramp[:, :, 4:-4], atol=1e-3)
    image, _ = random_scan((24, 24, 24))
    rough = intensity.lower_resolution(image, 4.0, np.random.default_rng(0))
    spread = sorted(np.diff(rough, axis=a).std() / np.diff(image, axis=a).std() for a in range(3))
    assert spread[0] < 0.6 * spread[1]


@pytest.mark.parametrize("name", INTENSITY)
def test_a_constant_patch_survives(name):
    image = np.full((16, 16, 16), -0.7, np.float32)
    picture, _ = sample(image, {}, (8, 8, 8), 16, **{f"{name}_probability": 1.0})
    assert np.isfinite(picture).all()


# --- settings and chance -------------------------------------------------------------------------


def test_the_same_numbers_give_the_same_bits_and_others_others():
    image, labels = random_scan()
    one, classes = sample(image, labels, (10, 12, 11), 16, seed=5, **FULL_ON)
    again, same = sample(image, labels, (10, 12, 11), 16, seed=5, **FULL_ON)
    other, _ = sample(image, labels, (10, 12, 11), 16, seed=6, **FULL_ON)
    assert one.tobytes() == again.tobytes()
    assert np.array_equal(classes["full"], same["full"])
    assert not np.allclose(one, other)


def test_no_global_random_numbers_are_used():
    image, labels = random_scan()
    np.random.seed(0)
    torch.manual_seed(0)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    sample(image, labels, (10, 12, 11), 16, **FULL_ON)
    assert np.array_equal(before[0], np.random.get_state()[1])
    assert torch.equal(before[1], torch.get_rng_state())


def test_the_number_of_threads_changes_neither_the_bits_nor_itself():
    image, labels = random_scan((70, 60, 50))
    found, before = [], torch.get_num_threads()
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        found.append(sample(image, labels, (35, 30, 25), 48, **FULL_ON)[0].tobytes())
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert len(set(found)) == 1


def test_probabilities_are_kept():
    image, labels = random_scan()
    plain, _ = sample(image, labels, (10, 12, 11), 8)
    same = [
        np.array_equal(sample(image, labels, (10, 12, 11), 8, s, noise_probability=0.3)[0], plain)
        for s in range(200)
    ]
    assert 0.6 < np.mean(same) < 0.8


def test_recipes():
    def switched_on(wanted):
        values = wanted.model_dump()
        return {k for k, v in values.items() if k.endswith("probability") and v > 0}

    assert switched_on(AugmentationSettings.none()) == set()
    assert switched_on(AugmentationSettings.paper()) == {"elastic_probability"}
    assert switched_on(AugmentationSettings.best()) == set(FULL_ON)


@pytest.mark.parametrize(
    "wrong", [{"noise_probability": 1.5}, {"elastic_sd": -1}, {"scale": 1}, {"nose_sd": 1}]
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        AugmentationSettings(**wrong)
