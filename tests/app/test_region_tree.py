"""The tree of regions and what is measured for it, without Qt."""

import math
from pathlib import Path

import numpy as np
import pytest
from phantoms import LEFT_THALAMUS, RIGHT_THALAMUS, brain_phantom

from monet_app.regions.figures import measure, places_of
from monet_app.regions.tree import Node, common_name, group_words, matching, region_tree
from monet_core.protocols import Protocol, Region, load_protocol, shipped_protocols
from monet_core.scans import Geometry, LabelMap, forms_from_affine


def named(root: Node, *path: str) -> Node:
    return next(node for node in root.walk() if node.path == path)


def label_map(data: np.ndarray, affine: np.ndarray) -> LabelMap:
    return LabelMap(data.astype(np.int32), Geometry(data.shape, affine), forms_from_affine(affine))


@pytest.mark.parametrize("name", shipped_protocols())
def test_every_region_is_in_the_tree_once(name):
    protocol = load_protocol(name)
    root = region_tree(protocol)
    assert sorted(root.indices) == list(protocol.indices)
    assert all(len(node.children) != 1 for node in root.walk()), "no group of one"


def test_malc_has_its_eleven_groups_and_pairs_of_left_and_right():
    root = region_tree(load_protocol("malc"))
    assert [node.name for node in root.children].count("Frontal lobe") == 1
    assert len(root.children) == 11
    assert root.children[-1].name == "Other (not evaluated)"
    amygdala = named(root, "Subcortical grey matter", "Hippocampus and amygdala", "Amygdala")
    assert amygdala.pair
    assert [leaf.region.name for leaf in amygdala.leaves if leaf.region] == [
        "Left Amygdala",
        "Right Amygdala",
    ]
    assert [side.name for side in amygdala.children] == ["Left", "Right"]


def test_an_atlas_without_groups_is_a_list_of_pairs():
    regions = (
        Region(1, "L_Claustrum", hemisphere="L", pair=2),
        Region(2, "R_Claustrum", hemisphere="R", pair=1),
        Region(7, "Pons"),
    )
    root = region_tree(Protocol("own", regions))
    assert [(node.name, node.pair) for node in root.children] == [
        ("Claustrum", True),
        ("Pons", False),
    ]


@pytest.mark.parametrize(
    ("name", "common"),
    [
        ("Left-Thalamus-Proper", "Thalamus-Proper"),
        ("ctx-lh-insula", "Ctx-insula"),
        ("LeftCaudate", "Caudate"),
        ("Right", "Right"),
    ],
)
def test_a_pair_is_named_without_its_side(name, common):
    assert common_name(name) == common


def test_groups_read_as_words():
    assert group_words("subcortical_gm") == "Subcortical grey matter"
    assert group_words("Frontal lobe") == "Frontal lobe"


def test_finding_keeps_the_groups_above():
    root = region_tree(load_protocol("malc"))
    found = matching(root, "left amyg")
    assert found is not None
    leaves = {node.region.name for node in found if node.region}
    assert leaves == {"Left Amygdala"}
    assert root.children[1] in found, "the group above"
    frontal = matching(root, "frontal lobe") or set()
    assert sum(node.region is not None for node in frontal) == 38, "a group brings its regions"
    both = matching(root, "left frontal lobe") or set()
    assert sum(node.region is not None for node in both) == 19
    assert matching(root, "L_Hip") != set(), "abbreviations"
    assert matching(root, "47") != set(), "numbers"
    assert matching(root, "zzz") == set()
    assert matching(root, "  ") is None


def test_places_are_inside_their_regions_in_any_orientation():
    _, data, affine = brain_phantom()
    turned = np.diag([-1.0, 1, 1, 1])
    turned[0, 3] = data.shape[0] - 1
    for labels, placed in ((data, affine), (np.asfortranarray(data[::-1]), affine @ turned)):
        made = label_map(labels, placed)
        places = places_of(made, (LEFT_THALAMUS, RIGHT_THALAMUS, 999))
        assert set(places) == {LEFT_THALAMUS, RIGHT_THALAMUS}
        for index, ras in places.items():
            voxel = np.rint(np.linalg.inv(placed) @ (*ras, 1))[:3].astype(int)
            assert labels[tuple(voxel)] == index
        assert places[LEFT_THALAMUS][0] < 0 < places[RIGHT_THALAMUS][0]


def test_a_hollow_region_is_entered_where_it_is_not_hollow():
    data = np.zeros((9, 9, 9), np.int32)
    data[1:8, 1:8, 4] = 5
    data[2:7, 2:7, 4] = 0
    ras = places_of(label_map(data, np.eye(4)), (5,))[5]
    assert data[tuple(int(each) for each in ras)] == 5


def test_figures_add_up_and_what_is_missing_is_not_zero():
    _, data, affine = brain_phantom()
    first = load_protocol("first")
    measured = measure(label_map(data, affine), first)
    left, right = (measured.of((index,)).volume_ml for index in (LEFT_THALAMUS, RIGHT_THALAMUS))
    pair = measured.of((LEFT_THALAMUS, RIGHT_THALAMUS))
    assert pair.volume_ml == pytest.approx(left + right)
    assert pair.asymmetry == pytest.approx(200 * (left - right) / (left + right))
    assert measured.of_region(LEFT_THALAMUS, RIGHT_THALAMUS).asymmetry == pair.asymmetry
    assert measured.of(first.indices).share == pytest.approx(100)
    assert measured.of((11,)).missing, "no caudate in the phantom"
    assert math.isnan(measured.of((LEFT_THALAMUS, 50)).asymmetry), "the other side is missing"
    assert measured.present == {10, 49, 12, 51, 16}


def test_the_atlas_files_of_a_study_are_offered(tmp_path: Path):
    from monet_app.atlases import atlas_badge, atlas_names, atlas_title, atlas_words

    load_protocol("first").to_tsv(tmp_path / "lab.tsv")
    assert atlas_names(tmp_path)[-1] == str(tmp_path / "lab.tsv")
    assert atlas_names(None) == list(shipped_protocols())
    assert atlas_title(load_protocol("malc")) == "Whole brain (138)"
    assert [atlas_badge(p) for p in ("malc", "first", "/a/b.tsv", "")] == ["138", "15", "own", "?"]
    assert atlas_words(str(tmp_path / "lab.tsv")) == "lab (15)"
    assert atlas_words("/gone.tsv") == "gone"
