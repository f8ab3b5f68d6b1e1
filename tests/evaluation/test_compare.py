import json

import numpy as np
import pytest
from phantoms import BRAIN_STEM, LEFT_PUTAMEN, LEFT_THALAMUS, brain_phantom, reoriented, save

from monet_core.errors import DatasetError, OutputError, ProtocolError
from monet_core.evaluation import compare, compare_files, read_tsv
from monet_core.protocols import Protocol, Region, load_protocol
from monet_core.scans import Geometry, LabelMap, forms_from_affine, read_labels

SHAPE = (64, 72, 64)
# The phantom's structures in MALC's numbers: thalami, putamina, brain stem.
FIRST_TO_MALC = {10: 60, 49: 59, 12: 58, 51: 57, 16: 35}


def label_map(data, affine):
    data = np.ascontiguousarray(data, dtype=np.int32)
    return LabelMap(data, Geometry(data.shape, affine), forms_from_affine(affine))


@pytest.fixture(scope="module")
def phantom():
    _, labels, affine = brain_phantom(SHAPE)
    return labels, affine


@pytest.fixture(scope="module")
def protocols():
    return {name: load_protocol(name) for name in ("first", "malc", "quicknat27")}


def in_malc(labels):
    mapped = np.zeros_like(labels)
    for first, malc in FIRST_TO_MALC.items():
        mapped[labels == first] = malc
    return mapped


def test_the_same_anatomy_in_two_protocols_and_orientations_agrees(phantom, protocols):
    labels, affine = phantom
    other = reoriented(in_malc(labels), affine, "PIL")
    found = compare(
        {
            "mine": (label_map(labels, affine), protocols["first"]),
            "malc": (label_map(*other), protocols["malc"]),
        },
        protocols["first"],
    )
    assert (found.table["dice"] == 1).all()
    assert set(found.table["index"]) == set(FIRST_TO_MALC)  # absent in both: left out
    assert not found.disagreement.any()
    assert found.left_out["mine"] == ()
    assert "resampled" not in [note.code for note in found.notes]


def test_the_worst_comes_first_and_the_map_shows_where(phantom, protocols):
    labels, affine = phantom
    worse = labels.copy()
    worse[worse == LEFT_PUTAMEN] = 0
    thalamus = np.argwhere(worse == LEFT_THALAMUS)
    half = thalamus[: len(thalamus) // 2]
    worse[tuple(half.T)] = 0
    found = compare(
        {
            "a": (label_map(labels, affine), protocols["first"]),
            "b": (label_map(worse, affine), protocols["first"]),
            "c": (label_map(labels, affine), protocols["first"]),
        },
        protocols["first"],
    )
    assert found.table["dice"].is_monotonic_increasing
    first = found.table.iloc[0]
    assert (first["index"], first["dice"], first["hd95_mm"]) == (LEFT_PUTAMEN, 0, np.inf)
    assert first["volume_difference_percent"] in (200, -200)
    changed = labels != worse
    assert (found.disagreement == 2 * changed).all()  # b differs from a and from c
    assert found.disagreement.dtype == np.int32
    pairs = found.pairs.set_index(["a", "b"])
    assert pairs.loc[("a", "c"), "dice"] == 1
    assert pairs.loc[("a", "b"), "dice"] < 0.9
    assert pairs.loc[("a", "b"), "regions"] == 5


def test_against_a_reference_only(phantom, protocols):
    labels, affine = phantom
    maps = {name: (label_map(labels, affine), protocols["first"]) for name in "abc"}
    found = compare(maps, protocols["first"], reference="b", distances=False)
    assert set(zip(found.table["a"], found.table["b"], strict=True)) == {("a", "b"), ("c", "b")}
    assert found.table["hd95_mm"].isna().all()
    with pytest.raises(DatasetError, match="no segmentation named 'x'"):
        compare(maps, protocols["first"], reference="x")


def test_regions_that_one_tool_cannot_have_are_left_out_and_listed(phantom, protocols):
    labels, affine = phantom
    found = compare(
        {
            "malc": (label_map(in_malc(labels), affine), protocols["malc"]),
            "first": (label_map(labels, affine), protocols["first"]),
        },
        protocols["malc"],
    )
    assert {57, 58, 59, 60} <= set(found.regions)
    assert 44 not in found.regions  # cerebral white matter: FIRST has none
    assert 44 in found.left_out["first"]
    assert found.left_out["malc"] == ()
    assert set(found.regions) | set(found.left_out["first"]) == set(protocols["malc"].indices)


def test_another_grid_in_the_same_world_is_resampled_with_a_note(phantom, protocols):
    labels, affine = phantom
    finer = affine @ np.diag([0.5, 0.5, 0.5, 1])
    finer[:3, 3] = affine[:3, 3] - 0.25
    fine = labels.repeat(2, 0).repeat(2, 1).repeat(2, 2)[3:]
    finer[:3, 3] += finer[:3, :3] @ [3, 0, 0]
    found = compare(
        {
            "first": (label_map(labels, affine), protocols["first"]),
            "fine": (label_map(fine, finer), protocols["first"]),
        },
        protocols["first"],
    )
    assert found.disagreement.shape == labels.shape
    assert (found.table["dice"] > 0.95).all()
    assert [note.code for note in found.notes] == ["resampled"]
    assert "spacing 0.5 x 0.5 x 0.5 against 1 x 1 x 1 mm" in found.notes[0].message


def test_segmentations_of_other_places_are_refused(phantom, protocols):
    labels, affine = phantom
    away = affine.copy()
    away[0, 3] += 500
    maps = {
        "here": (label_map(labels, affine), protocols["first"]),
        "away": (label_map(labels, away), protocols["first"]),
    }
    with pytest.raises(DatasetError, match="away lies nowhere near"):
        compare(maps, protocols["first"])


def test_what_cannot_be_compared_is_told(phantom, protocols):
    labels, affine = phantom
    one = label_map(labels, affine), protocols["first"]
    with pytest.raises(DatasetError, match="two segmentations or more"):
        compare({"one": one}, protocols["first"])
    own = Protocol("own", (Region(1, "something"),))
    with pytest.raises(ProtocolError, match="no mapping from first to own"):
        compare({"a": one, "b": one}, own)
    linked = {
        name: Protocol(name, (Region(1, "x"),), links={"first": {1: (index,)}})
        for name, index in (("p", BRAIN_STEM), ("q", LEFT_PUTAMEN))
    }
    with pytest.raises(DatasetError, match="no region of first is known to all of p, q"):
        compare({n: (one[0], p) for n, p in linked.items()}, protocols["first"])


def test_unknown_labels_are_told_and_count_as_background(phantom, protocols):
    labels, affine = phantom
    strange = labels.copy()
    strange[strange == LEFT_PUTAMEN] = 999
    found = compare(
        {
            "a": (label_map(labels, affine), protocols["first"]),
            "b": (label_map(strange, affine), protocols["first"]),
        },
        protocols["first"],
    )
    assert found.table.iloc[0]["index"] == LEFT_PUTAMEN
    assert "999" in next(n.message for n in found.notes if n.code == "unknown-labels")


def test_files_are_compared_and_the_outcome_is_written(tmp_path, phantom):
    labels, affine = phantom
    a = save(tmp_path / "a.nii.gz", *reoriented(labels, affine, "LAS"))
    b = save(tmp_path / "b.nii.gz", in_malc(np.roll(labels, 1, axis=1)), affine)
    bad = tmp_path / "bad.nii.gz"
    bad.write_bytes(b"<html>")
    paths = {"a": (a, "first"), "bad": (bad, "first"), "b": (b, "malc")}
    found = compare_files(paths, "first", tmp_path / "out")
    assert found.names == ("a", "b")
    assert found.notes[0].file == str(bad)
    table = read_tsv(tmp_path / "out" / "comparison.tsv")
    assert table["dice"].tolist() == pytest.approx(found.table["dice"].tolist(), rel=1e-5)
    assert read_tsv(tmp_path / "out" / "pairs.tsv")["regions"].tolist() == [5]
    written = read_labels(tmp_path / "out" / "disagreement.nii.gz")
    assert written.geometry.same_grid(read_labels(a).geometry)
    assert (written.data == found.disagreement).all()
    assert written.data.any()
    record = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert record["names"] == ["a", "b"]
    assert str(tmp_path) not in json.dumps(record)


def test_files_of_which_one_can_be_read_are_not_compared(tmp_path, phantom):
    a = save(tmp_path / "a.nii.gz", *phantom)
    paths = {"a": (a, "first"), "b": (tmp_path / "none.nii.gz", "first")}
    with pytest.raises(DatasetError, match="fewer than two segmentations could be read"):
        compare_files(paths, "first", tmp_path / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        compare_files(paths, "first", tmp_path / "file")
