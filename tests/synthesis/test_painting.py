import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_heads import (
    BONE,
    CSF,
    LEFT_CORTEX,
    LEFT_THALAMUS,
    LEFT_WHITE,
    RIGHT_CORTEX,
    RIGHT_THALAMUS,
    SKIN,
    head,
)

from monet_core.augmentation import AugmentationSettings
from monet_core.synthesis import (
    SynthesisSettings,
    mirrored,
    outside,
    paint,
    synthesise,
)

LABELS = head()[0].astype(np.uint16)
STILL = AugmentationSettings.none()
SEEDS = st.integers(0, 10_000)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_scan():
    one, same, other = (synthesise(LABELS, 4.0, generator(seed)) for seed in (5, 5, 6))
    assert np.array_equal(one.image, same.image)
    assert np.array_equal(one.labels, same.labels)
    assert not np.array_equal(one.image, other.image)
    assert not np.array_equal(one.labels, other.labels)
    assert one.image.shape == one.labels.shape == LABELS.shape
    assert one.image.dtype == np.float32
    known = np.unique(LABELS)
    assert set(np.unique(one.labels)) <= {*known, *mirrored()[known]}


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_both_sides_of_a_tissue_look_the_same_and_parts_of_it_are_even(seed):
    flat = SynthesisSettings(texture=(0.0, 0.0), augmentation=STILL)
    image = paint(LABELS, flat, generator(seed))
    level = {int(index): np.unique(image[index == LABELS]) for index in np.unique(LABELS)}
    assert all(len(values) == 1 for index, values in level.items() if index)
    assert level[LEFT_THALAMUS] == level[RIGHT_THALAMUS]
    assert level[LEFT_CORTEX] == level[RIGHT_CORTEX]
    assert level[LEFT_CORTEX] != level[LEFT_WHITE]
    brain = image[~outside()[LABELS]]
    assert brain.mean() == pytest.approx(0, abs=1e-3)
    assert brain.std() == pytest.approx(1, abs=1e-3)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_t1_contrast_keeps_the_order_of_the_tissues(seed):
    image = paint(LABELS, SynthesisSettings(contrast="t1"), generator(seed))
    mean = {int(index): image[index == LABELS].mean() for index in np.unique(LABELS)}
    assert mean[0] < mean[CSF] < mean[LEFT_CORTEX] < mean[LEFT_WHITE]
    assert mean[LEFT_CORTEX] < mean[LEFT_THALAMUS] < mean[LEFT_WHITE]
    assert mean[BONE] < mean[SKIN]


def test_random_contrast_inverts_it_now_and_then():
    orders = set()
    for seed in range(20):
        image = paint(LABELS, SynthesisSettings(), generator(seed))
        means = [image[index == LABELS].mean() for index in (LEFT_CORTEX, LEFT_WHITE)]
        orders.add(bool(means[0] < means[1]))
    assert orders == {True, False}


def test_a_stripped_scan_has_nothing_outside_the_brain():
    made = synthesise(LABELS, 4.0, generator(1), SynthesisSettings(stripped=True))
    assert set(np.unique(made.labels)) <= set(np.unique(LABELS[~outside()[LABELS]])) | {0}
    assert not made.image[made.labels == 0].any()
    assert np.mean(made.image[made.labels > 0] > 0) > 0.9


def test_a_mirrored_scan_has_its_labels_on_the_other_side():
    wanted = SynthesisSettings(augmentation=AugmentationSettings(mirror_probability=1.0))
    made = synthesise(LABELS, 4.0, generator(), wanted)
    assert np.array_equal(made.labels, mirrored()[LABELS[::-1]])
    small, large = np.sum(LABELS == RIGHT_THALAMUS), np.sum(LABELS == LEFT_THALAMUS)
    assert np.sum(made.labels == RIGHT_THALAMUS) == large > small
    assert np.argwhere(made.labels == LEFT_THALAMUS)[:, 0].mean() < LABELS.shape[0] / 2


def test_labels_show_where_the_deformed_tissues_are():
    wanted = SynthesisSettings(contrast="t1", texture=(0, 0))
    mm = wanted.augmentation.model_copy(
        update={name: 0.0 for name in type(STILL).model_fields if name.endswith("probability")}
        | {"elastic_probability": 1.0, "affine_probability": 1.0}
    )
    made = synthesise(LABELS, 4.0, generator(2), wanted.model_copy(update={"augmentation": mm}))
    assert not np.array_equal(made.labels, LABELS)
    for index in (SKIN, CSF, LEFT_WHITE, LEFT_THALAMUS):
        assert len(np.unique(made.image[made.labels == index])) == 1


def test_what_is_outside_the_brain_is_told_by_freesurfers_table():
    assert outside()[[0, 500, 507, 515, 3000]].all()
    assert not outside()[[2, 24, 251, 1035, 2035, 137]].any()


def test_mirroring_labels_twice_is_the_identity():
    assert np.array_equal(mirrored()[mirrored()], np.arange(65536))
    assert mirrored()[[10, 1035, 25, 515, 16]].tolist() == [49, 2035, 57, 515, 16]


def test_lengths_are_in_millimetres():
    coarse, fine = (SynthesisSettings().changes(spacing) for spacing in (2.0, 0.5))
    assert fine.elastic_sd == 4 * coarse.elastic_sd
    assert fine.elastic_spacing == 4 * coarse.elastic_spacing
    assert fine.rotation_degrees == coarse.rotation_degrees


@pytest.mark.parametrize("value", [-1, 65536])
def test_labels_that_no_table_has_room_for_are_refused(value):
    with pytest.raises(ValueError, match="65535"):
        synthesise(np.full((4, 4, 4), value), 1.0, generator())
