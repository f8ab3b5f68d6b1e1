"""What `read_scan` accepts, mends, warns of, asks about and refuses, case by case."""

import gzip
import os
import pickle
import struct
from contextlib import suppress

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phantoms import brain_phantom, save

from monet_core.errors import DecisionNeeded, MonetError, ScanError, Verdict
from monet_core.scans import Decisions, read_geometry, read_labels, read_scan, write_labels


@pytest.fixture(scope="module")
def phantom():
    image, labels, affine = brain_phantom((40, 44, 36), 1.2)
    return np.round(image), labels, affine


@pytest.fixture
def scan(tmp_path, phantom):
    return save(tmp_path / "sub-1_T1w.nii.gz", phantom[0].astype(np.int16), phantom[2])


def codes(notes):
    return {note.code: note.verdict for note in notes}


def refusal(path, code, *words, decisions=None):
    with pytest.raises(ScanError) as caught:
        read_scan(path, decisions or Decisions())
    assert caught.value.code == code, caught.value
    text = str(caught.value)
    assert "\n" not in text
    assert caught.value.remedy
    for word in words:
        assert word in text, text
    return caught.value


def test_an_ordinary_scan_is_read_as_it_is(scan, phantom):
    read = read_scan(scan)
    assert read.data.dtype == np.float32
    assert np.array_equal(read.data, phantom[0])
    assert np.allclose(read.geometry.affine, phantom[2], atol=1e-5)
    assert (read.forms.qform_code, read.forms.sform_code) == (1, 1)
    assert codes(read.notes) == {"small-field-of-view": Verdict.WARNING}
    assert read_geometry(scan).same_grid(read.geometry, 0)


def test_a_scan_survives_pickling(scan):
    read = read_scan(scan)
    again = pickle.loads(pickle.dumps(read))
    assert np.array_equal(again.data, read.data)
    assert again.forms.header["qform_code"] == 1


# 1-3: files


def test_truncated_gzip_tells_how_much_was_readable(scan):
    content = scan.read_bytes()
    scan.write_bytes(content[: len(content) // 2])
    refusal(scan, "truncated", "of 0.1 MB readable", scan.name)


def test_truncated_gzip_is_refused_for_labels_too(scan):
    scan.write_bytes(scan.read_bytes()[:-2000])
    with pytest.raises(ScanError, match="readable"):
        read_labels(scan)


def test_damage_in_the_middle_of_gzip_is_found(scan):
    content = bytearray(scan.read_bytes())
    for at in range(len(content) // 2, len(content) // 2 + 40):
        content[at] ^= 0xFF
    scan.write_bytes(content)
    refusal(scan, "truncated", "damaged")


def test_a_wrong_checksum_at_the_end_is_found(scan):
    content = bytearray(scan.read_bytes())
    content[-8] ^= 0xFF
    scan.write_bytes(content)
    refusal(scan, "truncated", "CRC")


def test_truncated_plain_file(tmp_path, phantom):
    path = save(tmp_path / "a.nii", phantom[0], phantom[2])
    os.truncate(path, 100_000)
    refusal(path, "truncated", "0.1 of 0.3 MB readable")


def test_a_header_that_claims_a_huge_volume_takes_no_memory(tmp_path, phantom):
    path = save(tmp_path / "a.nii.gz", phantom[0], phantom[2])
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[42:48] = struct.pack("<3h", 30000, 30000, 30000)
    path.write_bytes(gzip.compress(bytes(content)))
    refusal(path, "truncated", "MB readable")


def test_plain_named_gz_and_gz_named_plain(tmp_path, phantom, scan):
    packed = tmp_path / "packed.nii"
    packed.write_bytes(scan.read_bytes())
    plain = tmp_path / "plain.nii.gz"
    plain.write_bytes(gzip.decompress(scan.read_bytes()))
    for path in (packed, plain):
        read = read_scan(path)
        assert np.array_equal(read.data, phantom[0])
        assert codes(read.notes)["gzip-by-content"] == Verdict.FIXED


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (b"", "empty-file", "empty"),
        (b"<!DOCTYPE html><html><body>404</body></html>" * 20, "html-page", "web page"),
        (b"\n<html>denied</html>", "html-page", "web page"),
        (b"PK\x03\x04" + bytes(600), "not-a-scan", "zip"),
        (b"just words", "not-a-scan", "neither"),
        (bytes(1000), "not-a-scan", "neither"),
        (bytes(128) + b"DICM" + bytes(500), "dicom-file", "DICOM"),
        (struct.pack("<i", 348) + bytes(50), "truncated", "header"),
        (b"\x1f\x8b" + b"no gzip at all", "truncated", "damaged"),
    ],
)
def test_files_that_are_no_scans(tmp_path, content, code, word):
    path = tmp_path / "scan.nii"
    path.write_bytes(content)
    refusal(path, code, word)


# 4: pairs and Analyze


def test_pairs_are_read_from_either_half(tmp_path, phantom):
    image = nib.Nifti1Pair(phantom[0].astype(np.int16), phantom[2])
    image.set_qform(phantom[2], 1)
    nib.save(image, tmp_path / "pair.img")
    for half in ("pair.hdr", "pair.img"):
        assert np.array_equal(read_scan(tmp_path / half).data, phantom[0])
    written = tmp_path / "labels.nii.gz"
    read = read_scan(tmp_path / "pair.hdr")
    write_labels(written, phantom[1], read)
    assert read_labels(written).geometry.same_grid(read.geometry, 0)
    (tmp_path / "pair.img").unlink()
    refusal(tmp_path / "pair.hdr", "half-pair", "pair.img is missing")


def test_half_a_pair_names_the_missing_header(tmp_path):
    (tmp_path / "x.img").write_bytes(bytes(100))
    refusal(tmp_path / "x.img", "half-pair", "x.hdr is missing")


def test_analyze_needs_the_users_word_for_left_and_right(tmp_path, phantom):
    image = nib.AnalyzeImage(phantom[0].astype(np.int16), np.diag([1.2, 1.2, 1.2, 1]))
    nib.save(image, tmp_path / "a.img")
    with pytest.raises(DecisionNeeded) as caught:
        read_scan(tmp_path / "a.hdr")
    assert caught.value.option == "--assume-orientation"
    read = read_scan(tmp_path / "a.hdr", Decisions(orientation="LAS"))
    assert read.geometry.orientation == "LAS"
    assert np.array_equal(read.data, phantom[0])
    out = tmp_path / "out.nii.gz"
    write_labels(out, phantom[1], read)
    assert read_labels(out).geometry.same_grid(read.geometry)


# 5, 6: variants of the formats


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_nifti_versions_byte_orders_and_extensions(tmp_path, phantom, kind, order):
    header = kind.header_class(endianness=order)
    image = kind(phantom[0].astype(np.float32), phantom[2], header)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"hello" * 30))
    image.to_filename(tmp_path / "a.nii")
    read = read_scan(tmp_path / "a.nii")
    assert np.array_equal(read.data, phantom[0])
    out = tmp_path / "o.nii.gz"
    write_labels(out, phantom[1], read)
    assert isinstance(nib.load(out), kind)
    assert np.array_equal(nib.load(out).affine, nib.load(tmp_path / "a.nii").affine)


@pytest.mark.parametrize(
    ("slope", "inter", "expected"),
    [(0.0, 5.0, (1, 0)), (np.nan, np.nan, (1, 0)), (2.0, 10.0, (2, 10)), (2.0, np.nan, (2, 0))],
)
def test_scaling(tmp_path, phantom, slope, inter, expected):
    path = save(tmp_path / "a.nii", phantom[0].astype(np.int16), phantom[2])
    content = bytearray(path.read_bytes())
    content[112:120] = struct.pack("<2f", slope, inter)
    path.write_bytes(content)
    assert np.array_equal(read_scan(path).data, expected[0] * phantom[0] + expected[1])


def test_mgz_is_read_and_results_keep_its_grid(tmp_path, phantom):
    affine = phantom[2] @ np.array([[-1, 0, 0, 39], [0, 0, 1, 0], [0, -1, 0, 43], [0, 0, 0, 1.0]])
    stored = phantom[0].astype(np.float32)
    nib.MGHImage(stored, affine).to_filename(tmp_path / "a.mgz")
    read = read_scan(tmp_path / "a.mgz")
    assert np.array_equal(read.data, stored)
    assert np.allclose(read.geometry.affine, affine, atol=1e-4)
    for name in ("o.nii.gz", "o.mgz", "o.mgh"):
        write_labels(tmp_path / name, phantom[1], read)
        again = read_labels(tmp_path / name)
        assert np.array_equal(again.data, phantom[1])
        assert again.geometry.same_grid(read.geometry)
    header = nib.load(tmp_path / "o.nii.gz").header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (1, 1)


def test_mgz_without_orientation_asks(tmp_path, phantom):
    path = tmp_path / "a.mgh"
    nib.MGHImage(phantom[0].astype(np.float32), phantom[2]).to_filename(path)
    content = bytearray(path.read_bytes())
    content[28:30] = b"\0\0"
    path.write_bytes(content)
    with pytest.raises(DecisionNeeded, match="--assume-orientation"):
        read_scan(path)
    assert read_scan(path, Decisions(orientation="lia")).geometry.orientation == "LIA"


def test_a_folder_is_no_scan(tmp_path):
    refusal(tmp_path, "folder-as-scan", "folder")
    (tmp_path / "s.dcm").write_bytes(bytes(128) + b"DICM")
    assert "DICOM" in str(refusal(tmp_path, "folder-as-scan"))


# 7-10, 24: shapes


def test_one_volume_in_4d_is_read_as_3d(tmp_path, phantom):
    path = save(tmp_path / "a.nii.gz", phantom[0][..., None], phantom[2])
    read = read_scan(path)
    assert read.data.shape == phantom[0].shape
    assert codes(read.notes)["one-volume"] == Verdict.FIXED
    write_labels(tmp_path / "o.nii.gz", phantom[1], read)
    assert nib.load(tmp_path / "o.nii.gz").shape == phantom[0].shape


def test_many_volumes_name_a_way_to_take_one(tmp_path, phantom):
    path = save(tmp_path / "bold.nii.gz", np.stack([phantom[0]] * 3, -1), phantom[2])
    refusal(path, "many-volumes", "3 volumes", "nib-roi -t 0:1")


@pytest.mark.parametrize("dtype", ["complex64", "rgb"])
def test_colours_and_complex_numbers_are_refused(tmp_path, phantom, dtype):
    kind = np.dtype([(c, "u1") for c in "RGB"]) if dtype == "rgb" else np.dtype(dtype)
    path = save(tmp_path / "a.nii", np.zeros(phantom[0].shape, kind), phantom[2])
    refusal(path, "colour-or-complex", "RGB" if dtype == "rgb" else "complex")


def test_vectors_are_refused(tmp_path, phantom):
    path = save(tmp_path / "a.nii", np.stack([phantom[0]] * 3, -1)[:, :, :, None, :], phantom[2])
    refusal(path, "vector-data", "vectors")


@pytest.mark.parametrize("shape", [(40, 44), (40, 44, 1), (40, 44, 9), (9, 44, 40)])
def test_too_few_slices(tmp_path, phantom, shape):
    path = save(tmp_path / "a.nii", np.random.default_rng(0).random(shape), phantom[2])
    refusal(path, "two-dimensional" if len(shape) == 2 else "too-few-slices")


def test_coverage_and_thick_slices_are_told(tmp_path):
    data = np.random.default_rng(0).random((220, 220, 12)).astype(np.float32)
    path = save(tmp_path / "a.nii", data, np.diag([0.5, 0.5, 5.0, 1]))
    found = {n.code: n for n in read_scan(path).notes}
    assert found["small-field-of-view"].verdict == Verdict.WARNING
    assert "missing, not as 0 ml" in found["small-field-of-view"].message
    assert found["anisotropic"].verdict == Verdict.WARNING
    assert "resampled" in found["anisotropic"].message


def test_fine_voxels_tell_the_plan(tmp_path, phantom):
    affine = np.diag([0.3, 0.3, 0.3, 1])
    path = save(tmp_path / "a.nii", phantom[0], affine)
    note = next(n for n in read_scan(path).notes if n.code == "fine-voxels")
    assert note.verdict == Verdict.FIXED
    assert "0.3 x 0.3 x 0.3 mm" in note.message


@pytest.mark.parametrize("size", [0.001, 1000.0])
def test_voxel_sizes_in_other_units_are_refused(tmp_path, phantom, size):
    path = save(tmp_path / "a.nii", phantom[0], np.diag([size, size, size, 1]))
    refusal(path, "bad-spacing", "millimetres")


# 12-16: values


def test_few_nonfinite_voxels_become_zero_and_are_counted(tmp_path, phantom):
    data = phantom[0].copy()
    data[20, 20, 18:21] = np.nan, np.inf, -np.inf
    read = read_scan(save(tmp_path / "a.nii", data, phantom[2]))
    assert (read.data[20, 20, 18:21] == 0).all()
    note = next(n for n in read.notes if n.code == "not-finite")
    assert note.verdict == Verdict.FIXED
    assert note.message.startswith("3 voxels")


def test_many_nonfinite_voxels_are_refused(tmp_path, phantom):
    data = phantom[0].copy()
    data[20] = np.nan
    refusal(save(tmp_path / "a.nii", data, phantom[2]), "not-finite", "2.5%")


@pytest.mark.parametrize("value", [0, 7])
def test_constant_images(tmp_path, phantom, value):
    data = np.full(phantom[0].shape, value, np.int16)
    path = save(tmp_path / "a.nii", data, phantom[2])
    refusal(path, "empty-image", f"all voxels are {value}")


def test_an_image_of_a_single_voxel_is_empty(tmp_path, phantom):
    data = np.zeros(phantom[0].shape)
    data[3, 3, 3] = 1e9
    refusal(save(tmp_path / "a.nii", data, phantom[2]), "empty-image", "not 0")


def test_negative_values_and_ct_warn(tmp_path, phantom):
    negative = read_scan(save(tmp_path / "n.nii", phantom[0] - 100, phantom[2]))
    assert codes(negative.notes)["negative-values"] == Verdict.WARNING
    assert negative.data.min() == (phantom[0] - 100).min()
    ct = np.where(phantom[0] > 0, phantom[0] / 10, -1000)
    found = codes(read_scan(save(tmp_path / "c.nii", ct, phantom[2])).notes)
    assert found["looks-like-ct"] == Verdict.WARNING


@pytest.mark.parametrize("name", ["sub-1_T2w.nii.gz", "sub-1_FLAIR.nii.gz"])
def test_names_of_other_contrasts_warn(tmp_path, phantom, name):
    found = codes(read_scan(save(tmp_path / name, phantom[0], phantom[2])).notes)
    assert found["not-t1"] == Verdict.WARNING


@pytest.mark.parametrize(
    ("text", "warned"),
    [('{"EchoTime": 0.09}', True), ('{"EchoTime": 0.003}', False), ("{]", False), ("[1]", False)],
)
def test_the_sidecars_echo_time_tells_t2(scan, text, warned):
    scan.with_name("sub-1_T1w.json").write_text(text)
    assert ("not-t1" in codes(read_scan(scan).notes)) == warned


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4"])
def test_a_label_map_given_as_a_scan_asks(tmp_path, phantom, dtype):
    path = save(tmp_path / "a.nii", phantom[1].astype(dtype), phantom[2])
    with pytest.raises(DecisionNeeded) as caught:
        read_scan(path)
    assert caught.value.option == "--accept-labels-as-scan"
    assert read_scan(path, Decisions(labels_as_scan=True)).data.max() == phantom[1].max()


def test_a_constant_background_does_not_make_a_label_map(tmp_path, phantom):
    data = np.where(phantom[0] > 0, phantom[0], 30).astype(np.int16)
    assert read_scan(save(tmp_path / "a.nii", data, phantom[2])).data.min() <= 30


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "u8", "i4", "u2", ">f8"])
def test_all_number_types_are_read_right(tmp_path, phantom, dtype):
    image = nib.Nifti1Image(phantom[0].astype(dtype), phantom[2], dtype=np.dtype(dtype))
    image.to_filename(tmp_path / "a.nii")
    assert np.array_equal(read_scan(tmp_path / "a.nii").data, phantom[0])


@pytest.mark.parametrize("value", [1e9, -1e9, 1e300])
def test_one_absurd_voxel_is_mended_and_no_other(tmp_path, phantom, value):
    data = phantom[0].astype(np.float64)
    data[20, 22, 18] = value
    read = read_scan(save(tmp_path / "a.nii", data, phantom[2]))
    rest = np.ones(data.shape, bool)
    rest[20, 22, 18] = False
    assert np.array_equal(read.data[rest], phantom[0][rest])
    assert abs(read.data[20, 22, 18]) <= 1100
    assert {"outliers", "not-finite"} & set(codes(read.notes))


def test_what_is_mended_first_hides_nothing_that_is_wrong_besides(tmp_path, phantom):
    data = phantom[0].astype(np.float32)
    data[20, 20, 18:20] = np.nan, -1e9
    read = read_scan(save(tmp_path / "a.nii", data, phantom[2]))
    assert {"not-finite", "outliers", "negative-values"} <= set(codes(read.notes))
    assert -1100 <= read.data.min() < 0


@pytest.mark.parametrize("packed", ["", ".gz"])
def test_a_scan_of_many_slabs_is_read_as_nibabel_reads_it(tmp_path, packed):
    data = np.random.default_rng(0).normal(500, 100, (150, 160, 170)).astype(np.int16)
    path = save(tmp_path / f"a.nii{packed}", data, np.eye(4))
    assert np.array_equal(read_scan(path).data, nib.load(path).get_fdata(dtype=np.float32))


# 18-22: orientation


def forms(path, phantom, qform, q_code, sform, s_code, *, pixdim=None):
    image = nib.Nifti1Image(phantom[0].astype(np.int16), None)
    image.header.set_qform(qform, q_code, strip_shears=True)
    image.header.set_sform(sform, s_code)
    if pixdim is not None:
        image.header["pixdim"][1:4] = pixdim
    image.to_filename(path)
    return path


def test_contradicting_forms_ask_and_show_both(tmp_path, phantom):
    flipped = phantom[2] @ np.diag([-1, 1, 1, 1.0])
    path = forms(tmp_path / "a.nii", phantom, flipped, 1, phantom[2], 2)
    with pytest.raises(DecisionNeeded) as caught:
        read_scan(path)
    assert caught.value.option == "--use-form"
    for word in ("qform says LAS", "sform says RAS", "mm"):
        assert word in str(caught.value)
    assert read_scan(path, Decisions(form="qform")).geometry.orientation == "LAS"
    kept = read_scan(path, Decisions(form="sform"))
    assert kept.geometry.orientation == "RAS"
    assert np.allclose(kept.forms.qform, flipped, atol=1e-4)


def test_forms_that_differ_by_rounding_agree(tmp_path, phantom):
    near = phantom[2].copy()
    near[:3, 3] += 0.01
    path = forms(tmp_path / "a.nii", phantom, near, 1, phantom[2], 1)
    assert np.allclose(read_scan(path).geometry.affine, phantom[2], atol=1e-5)


def test_no_form_at_all_asks(tmp_path, phantom):
    path = forms(tmp_path / "a.nii", phantom, phantom[2], 0, phantom[2], 0)
    with pytest.raises(DecisionNeeded) as caught:
        read_scan(path)
    assert caught.value.option == "--assume-orientation"
    assert "LAS" in caught.value.choices
    read = read_scan(path, Decisions(orientation="PIR"))
    assert read.geometry.orientation == "PIR"
    assert read.geometry.centre == pytest.approx([0, 0, 0])
    assert codes(read.notes)["orientation-assumed"] == Verdict.WARNING


@pytest.mark.parametrize("word", ["RAR", "RA", "XYZ", ""])
def test_an_impossible_orientation_is_refused(tmp_path, phantom, word):
    path = forms(tmp_path / "a.nii", phantom, phantom[2], 0, phantom[2], 0)
    refusal(path, "bad-orientation", decisions=Decisions(orientation=word))


def test_affine_against_pixdim(tmp_path, phantom):
    path = forms(tmp_path / "a.nii", phantom, phantom[2], 0, phantom[2], 1, pixdim=[1, 1, 2])
    refusal(path, "size-mismatch", "1.2 x 1.2 x 1.2", "1 x 1 x 2")


@pytest.mark.parametrize("with_qform", [0, 1])
def test_a_sheared_affine_is_used_exactly_with_a_warning(tmp_path, phantom, with_qform):
    sheared = phantom[2].copy()
    sheared[0, 1] = 0.25
    sizes = np.linalg.norm(sheared[:3, :3], axis=0)
    path = forms(tmp_path / "a.nii", phantom, sheared, with_qform, sheared, 1, pixdim=sizes)
    read = read_scan(path)
    assert np.allclose(read.geometry.affine, sheared, atol=1e-5)
    note = next(n for n in read.notes if n.code == "sheared")
    assert note.verdict == Verdict.WARNING
    assert "11.8 degrees" in note.message


def broken(row):
    affine = np.diag([1.2, 1.2, 1.2, 1])
    affine[row] = np.nan if row == 1 else 0
    return affine


@pytest.mark.parametrize("row", [0, 1, 2])
def test_impossible_affines(tmp_path, phantom, row):
    path = save(tmp_path / "a.nii", phantom[0], phantom[2])
    content = bytearray(path.read_bytes())
    content[280:328] = broken(row)[:3].astype("<f4").tobytes()
    path.write_bytes(content)
    refusal(path, "bad-affine", "sform")
    read = read_scan(path, Decisions(form="qform"))
    assert np.allclose(read.geometry.affine, phantom[2], atol=1e-4)


def test_an_impossible_quaternion(tmp_path, phantom):
    path = save(tmp_path / "a.nii", phantom[0], phantom[2])
    content = bytearray(path.read_bytes())
    content[256:268] = struct.pack("<3f", 1, 1, 1)
    path.write_bytes(content)
    refusal(path, "bad-affine", "qform")
    assert read_scan(path, Decisions(form="sform")).geometry.orientation == "RAS"


@pytest.mark.parametrize("pixdim", [[0, 1, 1], [1, -1, 1], [1, 1, np.nan], [np.inf, 1, 1]])
def test_impossible_spacing(tmp_path, phantom, pixdim):
    path = forms(tmp_path / "a.nii", phantom, phantom[2], 0, phantom[2], 1, pixdim=pixdim)
    refusal(path, "bad-spacing", "not possible")


# 33: paths


def test_unicode_and_spaces(tmp_path, phantom):
    path = save(tmp_path / "Gehirn Ärzte 脳" / "sub ü_T1w.nii.gz", phantom[0], phantom[2])
    assert np.array_equal(read_scan(path).data, phantom[0])


def test_paths_that_lead_nowhere(tmp_path):
    refusal(tmp_path / "none.nii", "no-such-file")
    loop = tmp_path / "loop.nii"
    loop.symlink_to(loop)
    refusal(loop, "link-loop", "circle")
    refusal(tmp_path / ("x" * 5000 + ".nii"), "path-too-long", "characters")
    refusal(tmp_path / "a\0b.nii", "not-readable")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_a_file_one_may_not_read(scan):
    scan.chmod(0)
    refusal(scan, "not-readable", "may not")


# Anything at all: a readable refusal or a scan, never a traceback.


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kind=st.sampled_from(["nii", "mgh"]),
    changes=st.lists(st.tuples(st.integers(0, 351), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_damaged_headers_never_end_in_a_traceback(tmp_path, phantom, kind, changes):
    path = tmp_path / f"a.{kind}"
    if kind == "nii":
        save(path, phantom[0].astype(np.int16), phantom[2])
    else:
        nib.MGHImage(phantom[0].astype(np.int16), phantom[2]).to_filename(path)
    content = bytearray(path.read_bytes())
    for at, value in changes:
        content[at] = value
    path.write_bytes(content)
    for read in (read_scan, read_labels):
        with suppress(MonetError):
            assert np.isfinite(read(path).data).all()


def test_a_link_whose_file_was_not_fetched_is_told_apart_from_a_wrong_path(tmp_path):
    link = tmp_path / "sub-1_T1w.nii.gz"
    link.symlink_to("../.git/annex/objects/gone")
    with pytest.raises(ScanError, match="datalad get"):
        read_geometry(link)
    with pytest.raises(ScanError, match="there is no such file"):
        read_geometry(tmp_path / "sub-2_T1w.nii.gz")
