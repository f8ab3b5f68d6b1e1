"""Pictures for a quick look: sides, colours, sizes, time."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phantoms import brain_phantom, reoriented, save
from PIL import Image

from monet_core.errors import DatasetError, OutputError
from monet_core.protocols import Protocol, Region, load_protocol
from monet_core.quality import mosaic, png_bytes, save_png, thumbnail
from monet_core.scans import LabelMap, Scan, forms_from_affine, read_labels, read_scan
from monet_core.scans.geometry import Geometry

FIRST = load_protocol("first")


SIDES = Protocol(
    "sides",
    (
        Region(1, "Left", color="#0000ff", hemisphere="L", pair=2),
        Region(2, "Right", color="#ff0000", hemisphere="R", pair=1),
    ),
)


def pair(codes: str = "RAS", **how) -> tuple[Scan, LabelMap]:
    image, labels, affine = brain_phantom(noise=0, **how)
    image, moved = reoriented(image, affine, codes)
    labels, _ = reoriented(labels, affine, codes)
    geometry, forms = Geometry(image.shape, moved), forms_from_affine(moved)
    return Scan(image, geometry, forms), LabelMap(labels.astype(np.int32), geometry, forms)


@pytest.mark.parametrize("codes", ["RAS", "LAS", "PIR", "LIA", "SRP"])
def test_the_persons_right_is_on_the_left_whatever_the_file(codes):
    image, labels, affine = brain_phantom(noise=0)
    halves = np.zeros(labels.shape, np.int32)
    halves[image > 0] = 2
    halves[: image.shape[0] // 2][image[: image.shape[0] // 2] > 0] = 1  # RAS: x < 0 is left
    image[halves == 1] *= 2
    data, moved = reoriented(image, affine, codes)
    halves, _ = reoriented(halves, affine, codes)
    geometry, forms = Geometry(data.shape, moved), forms_from_affine(moved)
    scan, label_map = Scan(data, geometry, forms), LabelMap(halves, geometry, forms)
    filled = mosaic(scan, label_map, SIDES, columns=1, outline=False).astype(int)
    axial = filled[: filled.shape[0] // 3]
    red, blue = axial[..., 0] > axial[..., 2] + 60, axial[..., 2] > axial[..., 0] + 60
    assert red.sum() > 1000
    assert np.flatnonzero(red.any(axis=0)).max() < np.flatnonzero(blue.any(axis=0)).min()
    strip = thumbnail(scan)[:, :60].astype(float)
    assert strip[:, 35:45].mean() > 1.3 * strip[:, 15:25].mean()
    base = mosaic(*pair("RAS"), FIRST)
    np.testing.assert_array_equal(mosaic(*pair(codes), FIRST), base)


def test_filled_regions_and_unknown_values():
    scan, labels = pair()
    labels.data[labels.data == 16] = 999
    filled = mosaic(scan, labels, FIRST, outline=False).astype(int)
    magenta = (filled[..., 0] > filled[..., 1] + 60) & (filled[..., 2] > filled[..., 1] + 60)
    assert magenta.sum() > 200
    lines = mosaic(scan, labels, FIRST).astype(int)
    assert (np.ptp(lines, axis=2) > 25).sum() < (np.ptp(filled, axis=2) > 25).sum()


def test_without_labels_it_is_grey():
    scan, _ = pair()
    picture = mosaic(scan)
    assert np.ptp(picture, axis=2).max() == 0
    assert picture.dtype == np.uint8
    assert picture.max() == 255


def test_rows_and_columns():
    scan, labels = pair()
    one = mosaic(scan, labels, FIRST, columns=4)
    two = mosaic(scan, labels, FIRST, columns=4, rows_per_plane=2)
    assert two.shape[0] == pytest.approx(2 * one.shape[0], abs=8)
    assert two.shape[1] == one.shape[1]


def test_another_grid_is_refused():
    scan, labels = pair()
    moved = Geometry(labels.geometry.shape, labels.geometry.affine + np.eye(4)[:, [3, 3, 3, 0]])
    with pytest.raises(DatasetError, match="not on the scan's grid"):
        mosaic(scan, replace(labels, geometry=moved), FIRST)


def test_empty_labels_and_a_flat_image():
    scan, labels = pair()
    assert mosaic(scan, replace(labels, data=np.zeros_like(labels.data)), FIRST).size
    assert mosaic(replace(scan, data=np.ones_like(scan.data))).size
    assert thumbnail(replace(scan, data=np.zeros_like(scan.data))).shape[0] == 96


def test_thick_slices_keep_their_proportions():
    image, _, affine = brain_phantom((72, 84, 72))
    thick = image[:, :, ::6]
    affine = affine @ np.diag([1, 1, 6, 1])
    scan = Scan(thick, Geometry(thick.shape, affine), forms_from_affine(affine))
    fine = thumbnail(pair()[0])
    assert thumbnail(scan).shape[1] == pytest.approx(fine.shape[1], rel=0.25)


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 30)] * 3),
    spacing=st.tuples(*[st.floats(0.2, 8)] * 3),
    seed=st.integers(0, 999),
)
def test_any_volume_has_a_picture(shape, spacing, seed):
    rng = np.random.default_rng(seed)
    affine = np.diag([*spacing, 1.0])
    geometry, forms = Geometry(shape, affine), forms_from_affine(affine)
    data = rng.normal(100, 30, shape).astype(np.float32)
    labels = LabelMap(rng.choice([0, 0, 10, 77], shape).astype(np.int32), geometry, forms)
    scan = Scan(data, geometry, forms)
    assert mosaic(scan, labels, FIRST, height=64).shape[2] == 3
    assert thumbnail(scan).ndim == 2


def test_a_large_scan_takes_less_than_a_second():
    data = np.random.default_rng(0).normal(100, 20, (256, 256, 256)).astype(np.float32, order="F")
    affine = np.array([[-1, 0, 0, 128], [0, 0, 1, -128], [0, -1, 0, 128], [0, 0, 0, 1.0]])
    geometry, forms = Geometry(data.shape, affine), forms_from_affine(affine)
    labels = np.zeros(data.shape, np.int32, order="F")
    labels[60:200, 60:200, 60:200] = 10
    scan, label_map = Scan(data, geometry, forms), LabelMap(labels, geometry, forms)
    began = time.process_time()
    mosaic(scan, label_map, FIRST)
    assert time.process_time() - began < 1


def test_png(tmp_path):
    scan, labels = pair()
    picture = mosaic(scan, labels, FIRST)
    save_png(picture, tmp_path / "m.png")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "m.png")), picture)
    assert png_bytes(thumbnail(scan))[:4] == b"\x89PNG"
    with pytest.raises(OutputError):
        save_png(picture, tmp_path / "m.png" / "inside.png")


def test_files(tmp_path):
    image, labels, affine = brain_phantom()
    scan = read_scan(save(tmp_path / "a_T1w.nii.gz", image, affine))
    read = read_labels(save(tmp_path / "a_dseg.nii.gz", labels, affine))
    assert mosaic(scan, read, FIRST).shape[0] > 400
