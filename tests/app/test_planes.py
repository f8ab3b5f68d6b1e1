"""The pictures of answers to a question: where left, front and top are."""

import nibabel as nib
import numpy as np
import pytest
from phantoms import brain_phantom, save

from monet_app.scans.planes import (
    PLANES,
    contradiction,
    difference_words,
    draw_choices,
    letters_of,
    mirrored,
)
from monet_core.errors import DecisionNeeded
from monet_core.scans import Geometry, read_scan
from monet_core.workspace import Question, ScanEntry

AXIAL, CORONAL, SAGITTAL = PLANES


def scan_with(path, qform, sform, codes=(1, 1)):
    """A phantom with a bright marker at the low end of the file's first axis."""
    image, _, _ = brain_phantom((40, 44, 40), spacing=2.0, noise=0)
    image[8:12, 18:26, 16:24] = 2000
    made = nib.Nifti1Image(image, sform)
    made.set_qform(qform, codes[0])
    made.set_sform(sform, codes[1])
    nib.save(made, path)
    return path


def asked(path) -> tuple[ScanEntry, Question]:
    with pytest.raises(DecisionNeeded) as caught:
        read_scan(path)
    return ScanEntry(1, "sub-1", path), Question.of(caught.value)


def brighter_half(picture: np.ndarray, axis: int) -> str:
    """Which half holds what is brightest: the marker."""
    spots = np.argwhere(picture >= picture.max() - 2)
    return "low" if spots[:, axis].mean() < picture.shape[axis] / 2 else "high"


@pytest.fixture
def affine():
    return brain_phantom((40, 44, 40), spacing=2.0)[2]


def test_letters_follow_the_side_that_is_drawn_left():
    assert letters_of(AXIAL, radiological=True) == "RLPA"
    assert letters_of(AXIAL, radiological=False) == "LRPA"
    assert letters_of(CORONAL, radiological=True) == "RLIS"
    assert letters_of(SAGITTAL, radiological=False) == "APIS"
    assert mirrored(SAGITTAL, radiological=False)


@pytest.mark.parametrize("radiological", [True, False])
def test_a_file_without_orientation_is_drawn_in_each_way(tmp_path, affine, radiological):
    entry, question = asked(scan_with(tmp_path / "x.nii.gz", affine, affine, (0, 0)))
    drawn = draw_choices(entry, question, question.choices, radiological)
    assert [each.choice for each in drawn] == ["RAS", "LAS", "LPS", "LIA"]
    pictures = {each.choice: each.pictures["coronal"] for each in drawn}
    # The marker is at the file's low x: on the left if its axis runs to the right.
    left = "high" if radiological else "low"
    right = "low" if radiological else "high"
    whole = {choice: brighter_half(picture, 1) for choice, picture in pictures.items()}
    assert (whole["RAS"], whole["LAS"]) == (left, right)
    assert np.array_equal(pictures["RAS"], pictures["LAS"][:, ::-1]), "they differ in side alone"
    assert all(set(each.pictures) == {"axial", "coronal", "sagittal"} for each in drawn)
    assert drawn[3].says == "Axes of the file: LIA"


def test_two_forms_are_drawn_both_ways_and_told_apart_in_words(tmp_path, affine):
    flipped = affine.copy()
    flipped[0] *= -1
    entry, question = asked(scan_with(tmp_path / "x.nii.gz", flipped, affine))
    sform, qform = draw_choices(entry, question, question.choices, radiological=True)
    assert (sform.choice, qform.choice) == ("sform", "qform")
    assert not np.array_equal(sform.pictures["axial"], qform.pictures["axial"])
    assert contradiction(entry) == "They differ in which side is left."


def test_a_turn_and_a_shift_are_told(affine):
    shape = (40, 44, 40)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.35), -np.sin(0.35)], [np.sin(0.35), np.cos(0.35)]]
    turn[2, 3] = 30
    words = difference_words(Geometry(shape, affine), Geometry(shape, turn @ affine))
    assert "20°" in words
    assert "30 mm" in words


def test_labels_given_as_a_scan_are_drawn(tmp_path):
    _, labels, affine = brain_phantom((40, 44, 40), spacing=2.0)
    entry, question = asked(save(tmp_path / "x_T1w.nii.gz", labels, affine))
    assert question.code == "labels-as-scan"
    (drawn,) = draw_choices(entry, question, ("yes",), radiological=True)
    assert drawn.pictures["axial"].max() > 0
    assert not drawn.problem


def test_a_way_that_cannot_be_read_says_why(tmp_path, affine):
    broken = affine.copy()
    entry, question = asked(scan_with(tmp_path / "x.nii.gz", affine + np.eye(4, k=3) * 9, broken))
    (tmp_path / "x.nii.gz").unlink()
    drawn = draw_choices(entry, question, question.choices, radiological=True)
    assert all(each.problem and not each.pictures for each in drawn)
    assert contradiction(entry) == ""
