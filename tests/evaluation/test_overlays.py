"""Overlay pictures: sides and directions are where the letters say."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from phantoms import LEFT_PUTAMEN, brain_phantom, reoriented

from monet_core.errors import DatasetError
from monet_core.evaluation import overlay_picture
from monet_core.protocols import load_protocol
from monet_core.scans import Geometry, LabelMap, Scan, forms_from_affine


def _picture(tmp_path: Path, labels: np.ndarray, codes: str = "RAS") -> np.ndarray:
    image, _, affine = brain_phantom(noise=0)
    image, moved = reoriented(image, affine, codes)
    labels, _ = reoriented(labels, affine, codes)
    shape = (image.shape[0], image.shape[1], image.shape[2])
    geometry, forms = Geometry(shape, moved), forms_from_affine(moved)
    scan = Scan(np.ascontiguousarray(image), geometry, forms)
    mask = LabelMap(np.ascontiguousarray(labels, np.int32), geometry, forms)
    overlay_picture(scan, {"one": (mask, load_protocol("first"))}, tmp_path / "o.png")
    return imread(tmp_path / "o.png")[..., :3]


def _where_coloured(picture: np.ndarray, column: int) -> tuple[float, float]:
    """Mean (down, across), as shares of the panel, of the coloured pixels of the second row."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 3
    panel = picture[height:, column * width : (column + 1) * width]
    coloured = np.argwhere(np.ptp(panel, axis=2) > 0.1)
    down, across = coloured.mean(axis=0)
    return float(down / height), float(across / width)


@pytest.mark.parametrize("codes", ["RAS", "LAS", "PIR", "SRP"])
def test_the_left_side_is_drawn_on_the_right(tmp_path: Path, codes: str) -> None:
    """Two boxes of one label; the larger lies left, in front, above, so it pulls the mean."""
    labels = np.zeros((72, 84, 72), np.int16)
    labels[14:30, 50:66, 44:60] = LEFT_PUTAMEN  # left, front, top
    labels[44:48, 20:24, 20:24] = LEFT_PUTAMEN
    # The middle of both lies inside the large box: all three slices cut it.
    picture = _picture(tmp_path, labels, codes)
    axial_down, axial_across = _where_coloured(picture, 0)
    assert axial_across > 0.55  # left of the person
    assert axial_down < 0.5  # front is up
    coronal_down, coronal_across = _where_coloured(picture, 1)
    assert coronal_across > 0.55
    assert coronal_down < 0.5  # top is up
    sagittal_down, sagittal_across = _where_coloured(picture, 2)
    assert sagittal_across < 0.45  # front on the left
    assert sagittal_down < 0.5


def test_a_segmentation_on_another_grid_is_refused(tmp_path: Path) -> None:
    image, labels, affine = brain_phantom()
    forms = forms_from_affine(affine)
    scan = Scan(image, Geometry((72, 84, 72), affine), forms)
    other = LabelMap(labels[:70].astype(np.int32), Geometry((70, 84, 72), affine), forms)
    with pytest.raises(DatasetError, match="not on the scan's grid: shape 70 x 84 x 72"):
        overlay_picture(scan, {"one": (other, load_protocol("first"))}, tmp_path / "o.png")
    assert not (tmp_path / "o.png").exists()


def test_slices_go_through_the_point_that_is_asked_for(tmp_path: Path) -> None:
    image, _, affine = brain_phantom(noise=0)
    labels = np.zeros(image.shape, np.int32)
    labels[10:20, 10:20, 10:20] = labels[60:62, 70:72, 60:62] = LEFT_PUTAMEN
    geometry, forms = Geometry(image.shape, affine), forms_from_affine(affine)
    one = {"one": (LabelMap(labels, geometry, forms), load_protocol("first"))}
    small = affine @ [60.6, 70.6, 60.6, 1]
    for at, most in ((small[:3], 0.01), ((affine @ [15, 15, 15, 1])[:3], 1.0)):
        overlay_picture(Scan(image, geometry, forms), one, tmp_path / "o.png", at_mm=at)
        picture = imread(tmp_path / "o.png")[..., :3]
        below = picture[picture.shape[0] // 2 :]
        assert 0 < (np.ptp(below, axis=2) > 0.1).mean() < most
