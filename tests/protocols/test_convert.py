"""Label files from one protocol to another."""

import nibabel as nib
import numpy as np
import pytest
from helpers import MALC, needs_shared
from phantoms import save

from monet_core.errors import DecisionNeeded, MonetError, OutputError, ScanError
from monet_core.protocols import convert_labels, find_mapping, load_protocol
from monet_core.scans import read_labels

AFFINE = np.array([[-1.0, 0, 0, 20], [0, 0, 1.5, -7], [0, 1, 0, 3], [0, 0, 0, 1]])
TO_FIRST = find_mapping("malc", "first")


def labels():
    data = np.zeros((12, 13, 14), np.int16)
    data[2:5] = 35
    data[5:6] = 11
    data[6:8] = 47
    data[8:9] = 207
    return data


def test_one_file_keeps_its_grid(tmp_path):
    source = save(tmp_path / "a_dseg.nii.gz", labels(), AFFINE)
    (result,) = convert_labels(source, tmp_path / "out" / "b_dseg.nii.gz", TO_FIRST)
    assert result.error is None
    written = nib.load(result.target)
    assert np.array_equal(written.affine, AFFINE)
    values, counts = np.unique(np.asarray(written.dataobj), return_counts=True)
    plane = 13 * 14
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == {
        0: 6 * plane,
        16: 4 * plane,
        53: 2 * plane,
    }


def test_a_file_goes_into_an_existing_folder(tmp_path):
    source = save(tmp_path / "a_dseg.nii.gz", labels(), AFFINE)
    out = tmp_path / "out"
    out.mkdir()
    (result,) = convert_labels(source, out, TO_FIRST)
    assert result.target == out / "a_dseg.nii.gz"


def test_a_folder_keeps_subfolders_and_goes_on_after_failures(tmp_path):
    data = tmp_path / "data"
    save(data / "sub-1" / "anat" / "sub-1_dseg.nii.gz", labels(), AFFINE)
    save(data / "sub-1" / "anat" / "sub-1_T1w.nii.gz", labels(), AFFINE)
    save(data / "sub-2_dseg.nii", labels(), AFFINE)
    nib.save(nib.MGHImage(labels(), AFFINE), data / "sub-3_dseg.mgz")
    strange = labels()
    strange[0] = 4711
    save(data / "sub-4_dseg.nii", strange, AFFINE)
    (data / "sub-5_dseg.nii.gz").write_bytes(b"no scan")
    out = data / "first"  # inside the input: must not be converted again
    for _ in range(2):
        results = {r.source.name: r for r in convert_labels(data, out, TO_FIRST)}
        assert sorted(results) == [
            "sub-1_dseg.nii.gz",
            "sub-2_dseg.nii",
            "sub-3_dseg.mgz",
            "sub-4_dseg.nii",
            "sub-5_dseg.nii.gz",
        ]
        written = {str(r.target.relative_to(out)) for r in results.values() if r.target}
        assert written == {
            "sub-1/anat/sub-1_dseg.nii.gz",
            "sub-2_dseg.nii",
            "sub-3_dseg.nii.gz",
        }
        assert isinstance(results["sub-4_dseg.nii"].error, DecisionNeeded)
        assert "sub-4_dseg.nii" in str(results["sub-4_dseg.nii"].error)
        assert isinstance(results["sub-5_dseg.nii.gz"].error, MonetError)
    found = {path.name for path in out.rglob("*") if path.is_file()}
    assert found == {"sub-1_dseg.nii.gz", "sub-2_dseg.nii", "sub-3_dseg.nii.gz"}


def test_unknown_values_become_background_only_when_allowed_and_it_is_told(tmp_path):
    strange = labels()
    strange[0] = 4711
    source = save(tmp_path / "a_dseg.nii", strange, AFFINE)
    target = tmp_path / "b_dseg.nii"
    with pytest.raises(DecisionNeeded, match="--unknown-labels"):
        convert_labels(source, target, TO_FIRST)
    assert not target.exists()
    (result,) = convert_labels(source, target, TO_FIRST, unknown="background")
    (note,) = [n for n in result.notes if n.code == "unknown-labels"]
    assert "4711 (182 voxels)" in note.message
    assert set(np.unique(np.asarray(nib.load(target).dataobj))) == {0, 16, 53}


def test_two_inputs_never_share_an_output(tmp_path):
    data = tmp_path / "data"
    save(data / "a_dseg.nii.gz", labels(), AFFINE)
    nib.save(nib.MGHImage(labels(), AFFINE), data / "a_dseg.mgz")
    results = convert_labels(data, tmp_path / "out", TO_FIRST)
    assert [r.error is None for r in results] == [True, False]
    assert results[1].error.code == "same-output"


def test_inputs_are_never_overwritten(tmp_path):
    source = save(tmp_path / "a_dseg.nii.gz", labels(), AFFINE)
    before = source.read_bytes()
    for target in (source, tmp_path):
        with pytest.raises(OutputError, match="overwrite"):
            convert_labels(source, target, TO_FIRST)
    with pytest.raises(OutputError, match="overwrite"):
        convert_labels(tmp_path, tmp_path, TO_FIRST)
    assert source.read_bytes() == before


def test_an_empty_folder_and_a_missing_file_are_refused(tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(ScanError, match="_dseg"):
        convert_labels(tmp_path / "data", tmp_path / "out", TO_FIRST)
    with pytest.raises(MonetError):
        convert_labels(tmp_path / "none_dseg.nii", tmp_path / "out.nii", TO_FIRST)


@pytest.mark.slow
@needs_shared
@pytest.mark.parametrize("path", sorted(MALC.rglob("*_dseg.nii.gz")), ids=lambda p: p.name)
def test_manual_labels_are_known_and_hold_all_of_first(path):
    malc = load_protocol("malc")
    data = read_labels(path).data
    assert malc.unknown_values(data) == {}
    classes = malc.encode(data, "refuse")
    kept = np.where(np.isin(data, sorted(malc.extra)), 0, data)
    assert np.array_equal(malc.decode(classes), kept)
    assert set(np.unique(TO_FIRST.apply(data))) == {0, *load_protocol("first").indices}
