"""Label maps: reading, and writing bit by bit on the grid of the scan they belong to."""

from itertools import permutations

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phantoms import brain_phantom, reoriented, save

from monet_core.errors import OutputError, ScanError, Verdict
from monet_core.scans import (
    Decisions,
    Geometry,
    Scan,
    forms_from_affine,
    read_labels,
    read_scan,
    write_labels,
    write_volume,
)

FIELDS = ["qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d"]
FIELDS += ["qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z"]
_SIDES = [a + b + c for a in "RL" for b in "AP" for c in "SI"]
CODES = ["".join(order) for sides in _SIDES for order in permutations(sides)]


@pytest.fixture(scope="module")
def phantom():
    return brain_phantom((24, 26, 22), 2.0)


def assert_same_grid_in_the_header(first, second):
    one, two = nib.load(first).header, nib.load(second).header
    for name in FIELDS:
        assert np.array_equal(one[name], two[name]), name
    assert one["pixdim"][:4].tobytes() == two["pixdim"][:4].tobytes()
    assert np.array_equal(nib.load(first).affine, nib.load(second).affine)


@pytest.mark.parametrize("codes", CODES)
def test_every_orientation_comes_back_exactly(tmp_path, phantom, codes):
    angles = np.radians([15 + 30 * (CODES.index(codes) / 47), -20, 33])
    oblique = nib.affines.from_matvec(nib.eulerangles.euler2mat(*angles), (3.3, -17.7, 8.1))
    image, affine = reoriented(phantom[0], phantom[2], codes)
    labels, _ = reoriented(phantom[1], phantom[2], codes)
    source = save(tmp_path / "scan.nii.gz", image, oblique @ affine)
    scan = read_scan(source)
    out = tmp_path / "out" / "labels.nii.gz"
    write_labels(out, labels, scan)
    assert_same_grid_in_the_header(source, out)
    back = read_labels(out)
    assert np.array_equal(back.data, labels)
    assert back.geometry.same_grid(scan.geometry, 0)
    where = np.argwhere(back.data == 10).mean(axis=0)
    expected = np.argwhere(phantom[1] == 10).mean(axis=0)
    world = oblique @ phantom[2] @ [*expected, 1]
    assert np.allclose(back.geometry.affine @ [*where, 1], world, atol=1e-3)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    codes=st.sampled_from(CODES),
    angles=st.tuples(*[st.floats(-45, 45)] * 3),
    origin=st.tuples(*[st.floats(-200, 200)] * 3),
    q_code=st.integers(0, 4),
    s_code=st.integers(0, 4),
)
def test_forms_and_codes_are_kept_bit_by_bit(tmp_path, codes, angles, origin, q_code, s_code):
    image = np.random.default_rng(0).random((12, 13, 14)).astype(np.float32)
    stored, affine = reoriented(image, np.diag([1.0, 1.1, 0.9, 1.0]), codes)
    matrix = nib.eulerangles.euler2mat(*np.radians(angles))
    affine = nib.affines.from_matvec(matrix, origin) @ affine
    written = nib.Nifti1Image(stored, None)
    written.header.set_qform(affine, q_code)
    written.header.set_sform(affine, s_code)
    written.to_filename(tmp_path / "a.nii")
    scan = read_scan(tmp_path / "a.nii", Decisions(orientation="RAS"))
    write_volume(tmp_path / "b.nii", stored, scan)
    assert_same_grid_in_the_header(tmp_path / "a.nii", tmp_path / "b.nii")
    assert np.array_equal(nib.load(tmp_path / "b.nii").get_fdata(), stored)


def test_qfac_zero_is_kept_as_stored(tmp_path, phantom):
    path = save(tmp_path / "a.nii", phantom[0], phantom[2])
    content = bytearray(path.read_bytes())
    content[76:80] = bytes(4)
    path.write_bytes(content)
    write_labels(tmp_path / "b.nii", phantom[1], read_scan(path))
    assert (tmp_path / "b.nii").read_bytes()[76:92] == bytes(content[76:92])


@pytest.mark.parametrize(
    ("largest", "dtype"), [(207, "i2"), (32767, "i2"), (32768, "u2"), (65535, "u2"), (70000, "i4")]
)
def test_the_smallest_type_that_holds_the_indices(tmp_path, phantom, largest, dtype):
    labels = np.where(phantom[1] == 16, largest, phantom[1].astype(np.int64))
    scan = read_scan(save(tmp_path / "a.nii.gz", phantom[0], phantom[2]))
    for name in ("o.nii.gz", "o.mgz"):
        write_labels(tmp_path / name, labels, scan)
        back = read_labels(tmp_path / name)
        assert back.data.dtype == np.int32
        assert np.array_equal(back.data, labels)
    image = nib.load(tmp_path / "o.nii.gz")
    assert image.get_data_dtype() == np.dtype(dtype)
    assert image.header.get_intent()[0] == "label"
    assert image.header.get_xyzt_units()[0] == "mm"
    assert image.dataobj.slope == 1


def test_the_same_labels_make_the_same_bytes(tmp_path, phantom):
    scan = read_scan(save(tmp_path / "a.nii.gz", phantom[0], phantom[2]))
    for name in ("x.nii.gz", "y.nii.gz"):
        write_labels(tmp_path / name, phantom[1], scan)
    assert (tmp_path / "x.nii.gz").read_bytes() == (tmp_path / "y.nii.gz").read_bytes()


def test_forms_without_a_nifti_header(tmp_path, phantom):
    geometry = Geometry(phantom[0].shape, phantom[2])
    scan = Scan(phantom[0], geometry, forms_from_affine(phantom[2]))
    write_labels(tmp_path / "o.nii.gz", phantom[1], scan)
    header = nib.load(tmp_path / "o.nii.gz").header
    assert np.allclose(header.get_qform(), phantom[2])
    assert np.allclose(header.get_sform(), phantom[2])
    assert (int(header["qform_code"]), int(header["sform_code"])) == (1, 1)


def test_what_cannot_be_written(tmp_path, phantom):
    scan = read_scan(save(tmp_path / "a.nii.gz", phantom[0], phantom[2]))
    with pytest.raises(ValueError, match="shape"):
        write_labels(tmp_path / "o.nii.gz", phantom[1][1:], scan)
    with pytest.raises(ValueError, match="integers"):
        write_labels(tmp_path / "o.nii.gz", phantom[0], scan)
    with pytest.raises(ValueError, match="32 bits"):
        write_labels(tmp_path / "o.nii.gz", phantom[1].astype(np.int64) + 2**40, scan)
    with pytest.raises(OutputError, match=r"\.nii\.gz"):
        write_labels(tmp_path / "o.nrrd", phantom[1], scan)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_labels(tmp_path / "file" / "o.nii.gz", phantom[1], scan)
    assert not list(tmp_path.glob("*o.n*"))


def test_disk_full_leaves_the_previous_file_whole(tmp_path, phantom, monkeypatch):
    scan = read_scan(save(tmp_path / "a.nii.gz", phantom[0], phantom[2]))
    out = tmp_path / "o.nii.gz"
    write_labels(out, phantom[1], scan)
    before = out.read_bytes()

    def full(self, name):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nib.Nifti1Image, "to_filename", full)
    with pytest.raises(OutputError, match="full"):
        write_labels(out, phantom[1] * 2, scan)
    assert out.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.nii.gz", "o.nii.gz"]


# Reading label maps


def refused(path, code, *words):
    with pytest.raises(ScanError) as caught:
        read_labels(path)
    assert caught.value.code == code
    for word in words:
        assert word in str(caught.value)


def test_nearly_whole_labels_are_rounded_with_a_note(tmp_path, phantom):
    data = phantom[1].astype(np.float64)
    data[data == 10] = 10.0000001
    read = read_labels(save(tmp_path / "a.nii.gz", data, phantom[2]))
    assert np.array_equal(read.data, phantom[1])
    assert [n.code for n in read.notes] == ["rounded-labels"]
    assert read.notes[0].verdict == Verdict.FIXED


def test_fractions_are_refused(tmp_path, phantom):
    data = phantom[1].astype(np.float32)
    data[data == 10] = 2.4
    refused(save(tmp_path / "a.nii.gz", data, phantom[2]), "fractional-labels", "2.4", "nearest")


def test_negative_labels_are_named(tmp_path, phantom):
    data = phantom[1].copy()
    data[0, 0, 0], data[0, 0, 1] = -1, -77
    refused(save(tmp_path / "a.nii.gz", data, phantom[2]), "negative-labels", "-77, -1", "2 labels")


def test_labels_beyond_32_bits(tmp_path, phantom):
    data = phantom[1].astype(np.float64)
    data[0, 0, 0] = 2.0**40
    refused(save(tmp_path / "a.nii.gz", data, phantom[2]), "huge-labels")


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4"])
def test_a_scan_is_no_label_map(tmp_path, phantom, dtype):
    data = (phantom[0] / 5).astype(dtype) if dtype == "u1" else phantom[0].astype(dtype)
    refused(save(tmp_path / "a.nii.gz", data, phantom[2]), "scan-as-labels", "exchanged")


def test_nan_in_labels(tmp_path, phantom):
    data = phantom[1].astype(np.float32)
    data[0, 0, :3] = np.nan
    read = read_labels(save(tmp_path / "a.nii.gz", data, phantom[2]))
    assert (read.data[0, 0, :3] == 0).all()
    assert [n.code for n in read.notes] == ["not-finite"]
    data[:5] = np.nan
    refused(save(tmp_path / "b.nii.gz", data, phantom[2]), "not-finite")


def test_an_empty_label_map_is_read(tmp_path, phantom):
    read = read_labels(save(tmp_path / "a.nii.gz", phantom[1] * 0, phantom[2]))
    assert read.data.max() == 0
