"""Entropy per region, and what to annotate next."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phantoms import reoriented, save
from study_phantoms import entropy_file, labels_file

from monet_core.errors import ScanError
from monet_core.protocols import load_protocol
from monet_core.quality import (
    Candidate,
    candidates,
    entropy_map_of,
    region_entropies,
    suggest_next,
)
from monet_core.scans import read_labels

FIRST = load_protocol("first")


def test_means_per_region(tmp_path):
    path = labels_file(tmp_path / "sub-1_seg-first_dseg.nii.gz")
    entropy = entropy_file(path, {10: 0.75, 12: 0.25})
    assert entropy_map_of(path) == entropy
    table = region_entropies(read_labels(path), entropy, FIRST).set_index("index")
    assert table.loc[10, "entropy"] == pytest.approx(0.75)
    assert table.loc[12, "entropy"] == pytest.approx(0.25)
    assert table.loc[16, "entropy"] == 0
    assert np.isnan(table.loc[11, "entropy"])
    weighted = (table["entropy"] * table["voxels"])[[10, 12]].sum() / table.loc[0, "voxels"]
    assert table.loc[0, "entropy"] == pytest.approx(weighted)
    assert table.loc[0, "voxels"] == table["voxels"][1:].sum()


def test_axes_stored_in_another_order(tmp_path):
    path = labels_file(tmp_path / "a_dseg.nii.gz")
    entropy = entropy_file(path, {10: 0.75})
    labels = read_labels(path)
    wanted = region_entropies(labels, entropy, FIRST)
    moved = save(
        tmp_path / "b_dseg.nii.gz", *reoriented(labels.data, labels.geometry.affine, "PIR")
    )
    pd.testing.assert_frame_equal(region_entropies(read_labels(moved), entropy, FIRST), wanted)


def test_what_is_not_finite_is_left_out(tmp_path):
    path = labels_file(tmp_path / "a_dseg.nii.gz")
    labels = read_labels(path)
    values = np.where(labels.data == 10, 0.5, 0).astype(np.float32)
    first = tuple(np.argwhere(labels.data == 10)[0])
    values[first] = np.nan
    entropy = save(tmp_path / "e.nii.gz", values, labels.geometry.affine)
    table = region_entropies(labels, entropy, FIRST).set_index("index")
    assert table.loc[10, "entropy"] == pytest.approx(0.5)
    assert table.loc[10, "voxels"] == (labels.data == 10).sum() - 1


def test_another_grid_or_no_map(tmp_path):
    path = labels_file(tmp_path / "a_dseg.nii.gz")
    labels = read_labels(path)
    other = save(tmp_path / "e.nii.gz", np.zeros((12, 12, 12), np.float32), np.eye(4))
    with pytest.raises(ScanError, match="not on the label map's grid"):
        region_entropies(labels, other, FIRST)
    assert entropy_map_of(path) is None
    assert entropy_map_of(tmp_path / "T1.mgz") is None


def test_the_least_sure_scan_is_next():
    entries = [
        Candidate("sure", 0.1),
        Candidate("unknown", None, 0.2),
        Candidate("unsure", 0.4, 0.0),
        Candidate("unsure and odd", 0.4001, 2.0),
        Candidate("unknown and odd", None, 3.0),
    ]
    assert [e.scan for e in suggest_next(entries)] == [
        *("unsure and odd", "unsure", "sure", "unknown and odd", "unknown")
    ]


numbers = st.none() | st.floats(0, 5)


@given(st.lists(st.builds(Candidate, st.text(max_size=3), numbers, numbers)))
def test_every_scan_is_suggested_once(entries):
    found = suggest_next(entries)
    assert sorted(map(repr, found)) == sorted(map(repr, entries))
    known = [entry.entropy for entry in found if entry.entropy is not None]
    assert all(a >= b - 0.002 for a, b in pairwise(known))
    assert all(entry.entropy is None for entry in found[len(known) :])


def test_candidates_of_a_study():
    entropies = pd.DataFrame(
        {"scan_id": [1, 1, 1, 2], "index": [0, 10, 0, 0], "entropy": [0.2, 0.9, 0.3, 0.1]}
    )
    ranking = pd.DataFrame({"scan_id": [2, 3], "score": [0.5, 1.5]})
    assert candidates([(1, "a"), (2, "b"), (3, "c")], entropies, ranking) == [
        Candidate("a", 0.3, None, 1),
        Candidate("b", 0.1, 0.5, 2),
        Candidate("c", None, 1.5, 3),
    ]
