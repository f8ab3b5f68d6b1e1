import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from monet_core.augmentation import AugmentationSettings
from monet_core.errors import OutputError, TrainingError
from monet_core.training.patches import PatchDataset, PreparedSubject, find_centres, write_subject

SHAPE = (14, 16, 12)
SWAPS = {"full": np.array([0, 2, 1]), "partial": np.array([0, 1])}


def subject(folder, name="s", shape=SHAPE, labels=None, seed=0) -> PreparedSubject:
    """An image whose values tell the voxel, and a few labelled voxels."""
    image = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) + 10_000 * seed
    if labels is None:
        full = np.zeros(shape, np.uint8)
        full[: shape[0] // 2] = 1
        full[-1, -1, -1] = 2  # one voxel of a rare class, in the corner
        labels = {"full": full, "partial": (full == 1).astype(np.uint8)}
    (folder / name).mkdir()
    return write_subject(folder / name, name, image, labels)


@pytest.fixture
def subjects(tmp_path):
    return [subject(tmp_path, f"s{i}", seed=i) for i in range(3)]


def corner(item, shape=SHAPE):
    """Which voxel of the scan the patch begins with."""
    return np.unravel_index(int(item["image"][0, 0, 0, 0]) % 10_000, shape)


def same(one, other):
    return (
        torch.equal(one["image"], other["image"])
        and one["targets"].keys() == other["targets"].keys()
        and all(torch.equal(v, other["targets"][k]) for k, v in one["targets"].items())
        and (one["name"], one["step"]) == (other["name"], other["step"])
    )


def test_a_subject_comes_back_as_it_was_written(tmp_path):
    stored = subject(tmp_path)
    assert stored.shape == SHAPE
    assert stored.background == 0
    assert stored.image.dtype == np.float32
    assert np.array_equal(stored.image, np.arange(np.prod(SHAPE)).reshape(SHAPE))
    assert set(stored.labels) == set(stored.decoders) == {"full", "partial"}
    assert stored.labels["full"][-1, -1, -1] == 2
    with pytest.raises(ValueError, match="read-only"):
        stored.image[0, 0, 0] = 1


def test_a_subject_is_a_few_bytes_for_another_process(tmp_path):
    stored = subject(tmp_path, shape=(40, 40, 40))
    sent = pickle.dumps(stored)
    assert len(sent) < 2000
    assert np.array_equal(pickle.loads(sent).image, stored.image)


def test_a_missing_folder_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        write_subject(tmp_path / "file", "s", np.zeros((2, 2, 2), np.float32), {})


def test_centres_are_voxels_of_their_class_and_few(tmp_path):
    stored = subject(tmp_path, shape=(20, 20, 20))
    classes = stored.labels["full"]
    centres = stored.centres
    assert np.array_equal(classes[tuple(centres[:, 1:].T)], centres[:, 0])
    assert (centres[:, 0] == 1).sum() == 64
    assert len(np.unique(centres[centres[:, 0] == 1], axis=0)) == 64
    assert (centres[:, 0] == 2).sum() == 1


def test_centres_of_the_decoder_with_most_classes_are_kept():
    few, many = np.zeros((8, 8, 8), np.uint8), np.zeros((8, 8, 8), np.uint16)
    few[0] = 1
    many[0, 0, :3] = 1, 300, 7
    assert find_centres({"few": few, "many": many})[:, 0].tolist() == [1, 7, 300]
    assert find_centres({"few": few * 0}).shape == (0, 4)


def test_an_item_is_a_crop_with_its_labels(subjects):
    data = PatchDataset(subjects, 6, seed=1)
    item = data[4]
    stored = next(s for s in subjects if s.name == item["name"])
    x, y, z = corner(item)
    where = (slice(x, x + 6), slice(y, y + 6), slice(z, z + 6))
    assert item["image"].shape == (1, 6, 6, 6)
    assert item["image"].dtype == torch.float32
    assert np.array_equal(item["image"][0], stored.image[where])
    for name, classes in stored.labels.items():
        assert item["targets"][name].dtype == torch.uint8
        assert np.array_equal(item["targets"][name], classes[where])
    assert item["step"] == 4


def test_more_than_256_classes_come_as_int32(tmp_path):
    classes = np.full(SHAPE, 300, np.uint16)
    data = PatchDataset([subject(tmp_path, labels={"full": classes})], 4)
    assert data[0]["targets"]["full"].dtype == torch.int32
    assert (data[0]["targets"]["full"] == 300).all()


def test_each_epoch_shows_every_subject_equally_often_in_another_order(subjects):
    data = PatchDataset(subjects, 4, patches_per_subject=2)
    assert len(data) == 6
    epochs = [[data[6 * e + i]["name"] for i in range(6)] for e in range(6)]
    assert all(sorted(names) == ["s0", "s0", "s1", "s1", "s2", "s2"] for names in epochs)
    assert len({tuple(names) for names in epochs}) > 1


def test_items_are_the_same_for_the_same_seed_and_differ_otherwise(subjects):
    wanted = {"patch": 8, "augmentation": AugmentationSettings.best(), "swaps": SWAPS}
    one, again = (PatchDataset(subjects, seed=3, **wanted) for _ in range(2))
    other = PatchDataset(subjects, seed=4, **wanted)
    assert all(same(one[i], again[i]) for i in (7, 0, 100_003))
    assert not torch.equal(one[0]["image"], other[0]["image"])
    assert len({one[i]["image"].numpy().tobytes() for i in range(9)}) == 9


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_make_the_same_items(subjects, workers):
    data = PatchDataset(
        subjects, 8, augmentation=AugmentationSettings.best(), swaps=SWAPS, foreground_share=0.5
    )
    indices = range(4, 9)
    loader = DataLoader(data, sampler=indices, batch_size=None, num_workers=workers)
    assert all(same(made, data[i]) for made, i in zip(loader, indices, strict=True))


def test_crops_lie_everywhere_where_they_fit(tmp_path):
    data = PatchDataset([subject(tmp_path, shape=(7, 6, 5))], 5)
    corners = {tuple(map(int, corner(data[i], (7, 6, 5)))) for i in range(120)}
    assert corners == {(x, y, 0) for x in range(3) for y in range(2)}


@pytest.mark.parametrize("side", [8, 9])
def test_a_scan_smaller_than_the_patch_lies_in_its_middle(tmp_path, side):
    data = PatchDataset([subject(tmp_path, shape=(5, 20, 4))], side)
    image = data[0]["image"][0]
    inside = np.argwhere(image.numpy() > 0)
    before, after = inside.min(axis=0), side - 1 - inside.max(axis=0)
    assert abs(before[0] - after[0]) <= 1
    assert abs(before[2] - after[2]) <= 1
    assert (before[1], after[1]) == (0, 0)


def test_rare_classes_are_reached_when_asked_for(tmp_path):
    full = np.zeros((40, 40, 40), np.uint8)
    full[:20] = 1
    full[35, 5, 37] = 2
    stored = subject(tmp_path, shape=full.shape, labels={"full": full})
    balanced = PatchDataset([stored], 8, foreground_share=1.0)
    anywhere = PatchDataset([stored], 8, foreground_share=0.0)

    def share(data):
        return np.mean([bool((data[i]["targets"]["full"] == 2).any()) for i in range(200)])

    assert share(anywhere) < 0.05
    assert 0.4 < share(balanced) < 0.6


def test_a_chosen_voxel_is_the_middle_unless_the_patch_would_leave_the_scan(tmp_path):
    full = np.zeros((20, 20, 20), np.uint8)
    full[9, 1, 19] = 1
    stored = subject(tmp_path, shape=full.shape, labels={"full": full})
    item = PatchDataset([stored], 6, foreground_share=1.0)[0]
    assert np.argwhere(item["targets"]["full"].numpy()).tolist() == [[3, 1, 5]]


def test_a_scan_without_labelled_voxels_can_be_sampled(tmp_path):
    stored = subject(tmp_path, labels={"full": np.zeros(SHAPE, np.uint8)})
    assert not PatchDataset([stored], 4, foreground_share=1.0)[0]["targets"]["full"].any()


def test_mirrored_items_have_their_classes_swapped(subjects):
    mirrored = PatchDataset(
        subjects[:1], SHAPE, augmentation=AugmentationSettings(mirror_probability=1), swaps=SWAPS
    )[0]
    full = mirrored["targets"]["full"]
    assert (full[SHAPE[0] // 2 + 1 :] == 2).all()
    assert full[0, -1, -1] == 1


def test_without_scans_or_pairs_it_says_so(subjects):
    with pytest.raises(TrainingError, match="no scan"):
        PatchDataset([], 8)
    mirror = AugmentationSettings(mirror_probability=0.5)
    with pytest.raises(TrainingError, match="partial"):
        PatchDataset(subjects, 8, augmentation=mirror, swaps={"full": SWAPS["full"]})
