"""Every real scan and label map reads without a false alarm, and results keep its grid."""

import nibabel as nib
import numpy as np
import pytest
from helpers import SHARED, needs_shared

from monet_core.errors import DecisionNeeded, ScanError
from monet_core.scans import read_labels, read_scan, write_labels

pytestmark = [pytest.mark.slow, needs_shared]

DATA = SHARED / "data"
SCANS = sorted([*DATA.glob("*/*_T1w.*z"), *DATA.glob("malc/*/*_T1w.*z")])
LABELS = sorted([*DATA.glob("*/*_dseg.*z"), *DATA.glob("malc/*/*_dseg.*z")])
LABELS += sorted(DATA.glob("label_maps/*.nii.gz"))


@pytest.mark.parametrize("path", SCANS, ids=lambda p: p.name)
def test_scans_read_without_any_note_and_are_no_labels(path):
    scan = read_scan(path)
    assert scan.notes == ()
    assert np.array_equal(scan.data, nib.load(path).get_fdata(dtype=np.float32))
    with pytest.raises(ScanError) as caught:
        read_labels(path)
    assert caught.value.code == "scan-as-labels"


@pytest.mark.parametrize("path", LABELS, ids=lambda p: p.name)
def test_label_maps_read_and_are_no_scans(path, tmp_path):
    labels = read_labels(path)
    assert labels.notes == ()
    assert np.array_equal(labels.data, np.asarray(nib.load(path).dataobj))
    with pytest.raises(DecisionNeeded):
        read_scan(path)
    write_labels(tmp_path / "o.nii.gz", labels.data, labels)
    again = read_labels(tmp_path / "o.nii.gz")
    assert np.array_equal(again.data, labels.data)
    exact = path.name.endswith(".nii.gz")
    assert again.geometry.same_grid(labels.geometry, 0 if exact else 1e-3)
