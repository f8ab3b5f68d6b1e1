import numpy as np
import pytest
from helpers import MALC, SHARED, needs_shared

from monet_core.evaluation import compare_files, evaluate_pair, region_set, region_volumes
from monet_core.protocols import load_protocol
from monet_core.scans import LabelMap, read_labels

pytestmark = [pytest.mark.slow, needs_shared]


def test_a_real_scan_against_itself_one_voxel_off():
    protocol = load_protocol("malc")
    truth = read_labels(MALC / "train" / "sub-1000_dseg.nii.gz")
    moved = LabelMap(np.roll(truth.data, 1, axis=1), truth.geometry, truth.forms)
    table = evaluate_pair(moved, truth, protocol, region_set(protocol))
    assert len(table) == 132
    assert table["dice"].between(0.3, 0.98).all()
    assert (table["hd95_mm"] <= 1 + 1e-6).all()  # nothing is farther off than the shift
    assert (table["volume_error_percent"].abs() < 1e-9).all()


def test_volumes_of_a_real_brain_are_those_of_a_brain():
    protocol = load_protocol("malc")
    truth = read_labels(MALC / "train" / "sub-1000_dseg.nii.gz")
    table = region_volumes(truth.data, truth.geometry, protocol).set_index("name")
    assert 900 < table["volume_ml"].sum() < 1800
    assert 2 < table.loc["Left Hippocampus", "volume_ml"] < 6
    assert table["asymmetry_percent"].abs().median() < 20
    assert table["share_percent"].sum() == pytest.approx(100)


def test_manual_and_automatic_labels_of_one_person_agree_in_part(tmp_path):
    manual = MALC / "train" / "sub-1000_dseg.nii.gz"
    automatic = SHARED / "data" / "partial" / "sub-1000_desc-partial_dseg.nii.gz"
    paths = {"manual": (manual, "malc"), "automatic": (automatic, "first")}
    found = compare_files(paths, "first", tmp_path, reference="manual")
    assert len(found.regions) == 15
    assert 0.6 < found.table["dice"].mean() < 0.95
