"""Suggested mappings: what the shipped tables state is found by names, and from label maps."""

from dataclasses import replace

import numpy as np
import pytest
from aal import AAL, aal_table, aal_to_first
from phantoms import MALC_OF_FIRST, brain_phantom

from monet_core.errors import ProtocolError
from monet_core.protocols import (
    Protocol,
    Region,
    find_mapping,
    load_mapping,
    load_protocol,
    mapping_from,
    shipped_protocols,
    suggest_mapping,
)
from monet_core.protocols.naming import name_forms


def bare(name):
    """A shipped protocol that links to nothing."""
    return replace(load_protocol(name), links={}, relations={})


def nameless(name):
    """A shipped protocol whose regions are but numbers."""
    protocol = bare(name)
    regions = (
        replace(r, name=f"Region {r.index}", abbreviation=f"R{r.index}") for r in protocol.regions
    )
    return replace(protocol, name="lab", regions=tuple(regions))


def targets(suggestions):
    return {each.source: each.target for each in suggestions}


def likely(suggestions):
    return {each.source: each.target for each in suggestions if each.likely}


@pytest.fixture
def aal(tmp_path):
    path = tmp_path / "aal.tsv"
    path.write_text(aal_table())
    return load_protocol(path)


def test_names_find_every_row_that_the_shipped_tables_call_the_same():
    freesurfer = load_protocol("freesurfer")
    stated = {
        index: freesurfer.links["malc"][index][0]
        for index, words in freesurfer.relations["malc"].items()
        if words.startswith("same")
    }
    assert len(stated) > 25
    there = suggest_mapping(bare("freesurfer"), bare("malc"))
    assert {index: targets(there)[index] for index in stated} == stated
    assert all(each.by == "name" and each.likely for each in there if each.source in stated)
    back = targets(suggest_mapping(bare("malc"), bare("freesurfer")))
    assert {mapped: back[mapped] for mapped in stated.values()} == {
        mapped: index for index, mapped in stated.items()
    }


@pytest.mark.parametrize(
    ("source", "target"),
    [("malc", "first"), ("hammers67", "first"), ("quicknat27", "first")],
)
def test_names_give_the_stated_mappings_of_deep_structures(source, target):
    known = find_mapping(source, target).table
    assert likely(suggest_mapping(bare(source), bare(target))) == known


def test_names_find_what_aal_and_first_share(aal):
    found = suggest_mapping(aal, load_protocol("first"))
    assert targets(found) == dict.fromkeys(range(1, 117)) | aal_to_first()
    assert all(each.likely for each in found if each.source in aal_to_first())


def test_names_of_the_cortex(aal):
    malc = load_protocol("malc")
    found = likely(suggest_mapping(aal, malc))
    names = {AAL[source - 1]: malc.region(target).name for source, target in found.items()}
    expected = {
        "Frontal_Inf_Tri_L": "Left triangular part of the inferior frontal gyrus",
        "Frontal_Inf_Oper_R": "Right opercular part of the inferior frontal gyrus",
        "Frontal_Sup_Medial_L": "Left superior frontal gyrus medial segment",
        "Supp_Motor_Area_R": "Right supplementary motor cortex",
        "Rolandic_Oper_L": "Left central operculum",
        "Cingulum_Mid_L": "Left middle cingulate gyrus",
        "Heschl_R": "Right transverse temporal gyrus",
        "Temporal_Pole_Sup_L": "Left temporal pole",
        "SupraMarginal_L": "Left supramarginal gyrus",
        "ParaHippocampal_R": "Right parahippocampal gyrus",
        "Rectus_L": "Left gyrus rectus",
        "Vermis_7": "Cerebellar Vermal Lobules VI-VII",
    }
    assert {name: names.get(name) for name in expected} == expected
    assert "Insula_L" not in names  # two regions of MALC: only the user can decide
    assert "Olfactory_L" not in names


@pytest.mark.parametrize("source", shipped_protocols())
@pytest.mark.parametrize("target", shipped_protocols())
def test_sides_are_kept_and_both_are_treated_alike(source, target):
    a, b = bare(source), bare(target)
    found = targets(suggest_mapping(a, b))
    for index, mapped in found.items():
        if mapped is not None:
            assert a.region(index).hemisphere == b.region(mapped).hemisphere
        pair = a.region(index).pair
        if pair is not None:
            assert found[pair] == (mapped and (b.region(mapped).pair or mapped))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ctx-lh-superiorfrontal", "Left superior frontal gyrus"),
        ("Left-Inf-Lat-Vent", "Inferior_Lateral_Ventricle_L"),
        ("Left Cerebellum Exterior", "L_cerebellar_cortex"),
        ("3rd Ventricle", "Third ventricle"),
        ("Brain-Stem", "brainstem"),
        ("lh Globus pallidus", "Left-Pallidum"),
        ("Left-VentralDC", "Left Ventral DC"),
    ],
)
def test_ways_to_write_a_name_have_the_same_words(one, other):
    weak = {"cortex", "gyrus"}
    words = [name_forms(Region(1, name))[0] - weak for name in (one, other)]
    assert words[0] == words[1]


def test_names_that_contradict_each_other_are_not_suggested():
    source = Protocol("a", (Region(1, "Inferior parietal lobule"), Region(2, "3rd Ventricle")))
    target = Protocol("b", (Region(1, "Superior parietal lobule"), Region(2, "4th Ventricle")))
    assert targets(suggest_mapping(source, target)) == {1: None, 2: None}


def small(name, *regions):
    return Protocol(name, tuple(Region(i, text, hemisphere=side) for i, text, side in regions))


def test_the_share_of_voxels_is_the_confidence_of_overlap():
    source = small("a", (1, "Aaa", "M"), (2, "Bbb", "M"), (3, "Unseen", "M"))
    target = small("b", (7, "Xxx", "M"), (8, "Yyy", "M"))
    ours = np.array([1] * 10 + [2] * 10)
    theirs = np.array([7] * 7 + [8] * 3 + [0] * 6 + [8] * 4)
    first, second, third = suggest_mapping(source, target, [(ours, theirs)])
    assert (first.target, first.by, first.confidence) == (7, "overlap", 0.7)
    assert first.alternatives == ((8, 0.3),)
    assert (second.target, second.confidence) == (None, 0.0)  # most of it is background there
    assert second.alternatives == ((8, 0.4),)
    assert (third.target, third.by) == (None, "name")


def test_voxels_of_all_scans_count_together():
    source, target = small("a", (1, "Aaa", "M")), small("b", (7, "X", "M"), (8, "Y", "M"))
    pairs = [(np.array([1, 1, 1]), np.array([7, 8, 8])), (np.full(7, 1), np.full(7, 7))]
    assert suggest_mapping(source, target, pairs)[0].confidence == 0.8


def test_label_maps_of_phantoms_tell_what_names_do_not():
    pairs = []
    for seed in range(2):
        _, first, _ = brain_phantom(seed=seed, noise=0)
        malc = np.zeros_like(first)
        for index, mapped in MALC_OF_FIRST.items():
            malc[first == index] = mapped
        pairs.append((malc, first))
    found = suggest_mapping(nameless("malc"), bare("first"), pairs)
    stated = {each.source: each.target for each in found if each.target is not None}
    assert stated == {malc: first for first, malc in MALC_OF_FIRST.items()}
    assert all(each.by == "overlap" for each in found if each.target is not None)
    assert all(each.confidence == 1.0 for each in found if each.target is not None)
    named = suggest_mapping(bare("malc"), bare("first"), pairs)
    assert {each.by for each in named if each.source in stated} == {"both"}


def test_a_name_that_lies_elsewhere_gives_way_to_the_overlap():
    source = small("a", (1, "Caudate", "L"))
    target = small("b", (7, "Caudate", "L"), (8, "Putamen", "L"))
    ours, theirs = np.full(10, 1), np.array([8] * 9 + [0])
    (found,) = suggest_mapping(source, target, [(ours, theirs)])
    assert (found.target, found.by) == (8, "overlap")
    assert found.alternatives == ((7, 0.5),)


def test_overlap_never_crosses_the_sides():
    source = small("a", (1, "Aaa", "L"))
    target = small("b", (7, "Xxx", "R"))
    (found,) = suggest_mapping(source, target, [(np.full(10, 1), np.full(10, 7))])
    assert (found.target, found.alternatives) == (None, ())


def test_a_region_of_unknown_side_gets_one_only_where_it_is_clear():
    source = small("a", (1, "Region 1", "M"), (2, "Region 2", "M"))
    target = small("b", (7, "Xxx", "L"), (8, "Yyy", "R"))
    ours = np.array([1] * 10 + [2] * 10)
    theirs = np.array([7] * 9 + [8] + [7] * 6 + [8] * 4)
    assert targets(suggest_mapping(source, target, [(ours, theirs)])) == {1: 7, 2: None}


def test_maps_of_two_sizes_are_refused():
    with pytest.raises(ProtocolError, match=r"shapes \(3,\) and \(4,\)"):
        suggest_mapping(bare("first"), bare("first"), [(np.zeros(3, int), np.zeros(4, int))])


def test_links_come_first():
    found = {each.source: each for each in suggest_mapping(*map(load_protocol, ("malc", "first")))}
    assert {index: each.target for index, each in found.items() if each.by == "link"} == (
        find_mapping("malc", "first").table
    )
    assert all(each.confidence == 1.0 for each in found.values() if each.by == "link")
    odd = suggest_mapping(load_protocol("hammers67"), load_protocol("first"))
    assert next(each for each in odd if each.source == 19).confidence < 1  # the core only


def test_the_mapping_of_what_was_accepted_and_chosen(aal, tmp_path):
    first = load_protocol("first")
    found = suggest_mapping(aal, first)
    assert mapping_from(aal, first, found).table == aal_to_first()
    some = mapping_from(aal, first, found, accepted=[37, 38], chosen={38: None, 95: 16})
    assert some.table == {37: 17, 95: 16}
    some.to_tsv(tmp_path / "own.tsv")
    assert load_mapping(tmp_path / "own.tsv", aal, first) == some
    with pytest.raises(ProtocolError, match="37 of aal is L, but"):
        mapping_from(aal, first, found, chosen={37: 53})
