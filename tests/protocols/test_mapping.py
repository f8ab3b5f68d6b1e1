"""Mappings between protocols: what corresponds, what does not, and that it is told."""

import numpy as np
import pytest

from monet_core.errors import DecisionNeeded, ProtocolError
from monet_core.protocols import (
    ProtocolMapping,
    find_mapping,
    load_mapping,
    load_protocol,
    shipped_protocols,
)

FIRST_FROM_MALC = {
    60: 10,
    37: 11,
    58: 12,
    56: 13,
    48: 17,
    32: 18,
    30: 26,
    59: 49,
    36: 50,
    57: 51,
    55: 52,
    47: 53,
    31: 54,
    23: 58,
    35: 16,
    11: 16,
}


def codes(mapping):
    return [note.code for note in mapping.notes]


def test_malc_to_first_takes_the_fourth_ventricle_to_the_brain_stem():
    mapping = find_mapping("malc", "first")
    assert mapping.table == FIRST_FROM_MALC
    assert mapping.covered == load_protocol("first").indices
    assert mapping.notes == ()
    core = find_mapping("malc", "first", "core")
    assert core.table == {k: v for k, v in FIRST_FROM_MALC.items() if k != 11}


def test_apply_counts_on_a_tiny_volume():
    labels = np.zeros((4, 5, 6), np.int16)
    labels[0] = 35  # 30 voxels
    labels[1, :, 0] = 11  # 5
    labels[2] = 207  # cortex: no FIRST structure
    labels[3, 0] = 3  # an extra value: background
    labels[3, 1] = 47  # 6
    mapped = find_mapping("malc", "first").apply(labels)
    assert mapped.dtype == np.int32
    assert mapped.shape == labels.shape
    values, counts = np.unique(mapped, return_counts=True)
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == {0: 79, 16: 35, 53: 6}
    core = find_mapping("malc", "first", "core").apply(labels)
    assert np.count_nonzero(core == 16) == 30


def test_class_table_is_the_mapping_in_classes():
    malc, first = load_protocol("malc"), load_protocol("first")
    mapping = find_mapping(malc, first)
    table = mapping.class_table()
    assert table.shape == (139,)
    assert table.dtype == np.uint8
    labels = np.array([0, *malc.indices])
    assert np.array_equal(first.decode(table[malc.encode(labels)]), mapping.apply(labels))


def test_unknown_values_are_handled_as_in_encode():
    mapping = find_mapping("malc", "first")
    labels = np.array([47, 4711])
    with pytest.raises(DecisionNeeded, match=r"x.nii: .*4711"):
        mapping.apply(labels, file="x.nii")
    with pytest.raises(ProtocolError, match="4711"):
        mapping.apply(labels, "refuse")
    assert mapping.apply(labels, "background").tolist() == [53, 0]


@pytest.mark.parametrize("source", shipped_protocols())
@pytest.mark.parametrize("target", shipped_protocols())
def test_mappings_keep_sides_and_commute_with_the_mirror(source, target):
    mapping = find_mapping(source, target)
    swapped = mapping.target.swap_classes()[mapping.class_table()]
    assert np.array_equal(mapping.class_table()[mapping.source.swap_classes()], swapped)
    for index, mapped in mapping.table.items():
        assert mapping.source.region(index).hemisphere == mapping.target.region(mapped).hemisphere
    assert ("mapping-partial" in codes(mapping)) == (mapping.covered != mapping.target.indices)


@pytest.mark.parametrize("name", shipped_protocols())
def test_identity(name):
    mapping = find_mapping(name, name)
    assert mapping.covered == mapping.source.indices
    assert np.array_equal(mapping.class_table(), np.arange(mapping.source.n_classes))


@pytest.mark.parametrize(
    ("source", "target", "covered"),
    [
        ("malc", "quicknat27", 27),
        ("malc", "freesurfer", 37),
        ("malc", "hammers67", 15),
        ("first", "malc", 14),
        ("first", "hammers83", 15),
        ("hammers67", "first", 15),
        ("hammers83", "hammers67", 67),
        ("hammers67", "malc", 15),
        ("hammers67", "freesurfer", 15),
        ("freesurfer", "first", 15),
        ("freesurfer", "quicknat27", 27),
        ("freesurfer", "malc", 35),
        ("quicknat27", "first", 13),
    ],
)
def test_number_of_regions_that_can_be_filled(source, target, covered):
    assert len(find_mapping(source, target).covered) == covered


def test_fourth_ventricle_reaches_first_from_every_protocol_that_has_it():
    assert find_mapping("freesurfer", "first").table[15] == 16
    assert find_mapping("quicknat27", "first").table[13] == 16
    assert 15 not in find_mapping("freesurfer", "first", "core").table
    assert 13 not in find_mapping("quicknat27", "first", "core").table


def test_cortical_parcels_are_quicknat_cortex():
    table = find_mapping("freesurfer", "quicknat27").table
    assert (table[3], table[1002], table[42], table[2035]) == (2, 2, 4, 4)


def test_what_is_several_regions_in_one_is_left_out_and_told():
    mapping = find_mapping("first", "malc")
    assert 16 not in mapping.table
    assert "mapping-ambiguous" in codes(mapping)
    assert "16" in str(mapping.notes[0])
    assert find_mapping("first", "malc", "core").table[16] == 35


def test_links_that_are_not_exact_are_told():
    notes = [str(note) for note in find_mapping("freesurfer", "malc").notes]
    assert any("approximate" in note and "8, 47" in note for note in notes)
    notes = [str(note) for note in find_mapping("hammers67", "first").notes]
    assert notes == ["hammers67 to first: core (regions 19 of hammers67)"]


def test_no_mapping_says_what_can_be_mapped(tmp_path):
    plain, lab = tmp_path / "plain.tsv", tmp_path / "lab.tsv"
    plain.write_text("index\tname\n1\ta\n")
    lab.write_text("index\tname\tfirst\n1\ta\t53\n")
    assert find_mapping(lab, "first").table == {1: 53}
    with pytest.raises(ProtocolError, match="plain has no links to a shipped protocol"):
        find_mapping(plain, "malc")
    with pytest.raises(ProtocolError, match="first can be mapped to malc, first, hammers67"):
        find_mapping("first", plain)


def mapping_file(tmp_path, text):
    path = tmp_path / "map.tsv"
    path.write_text(text)
    return path


def test_a_mapping_of_the_users_own_and_its_round_trip(tmp_path):
    malc, first = load_protocol("malc"), load_protocol("first")
    path = mapping_file(tmp_path, "source\ttarget\n35, 11\t16\n47\t53\n48\t0\n46\tn/a\n")
    mapping = load_mapping(path, malc, first)
    assert mapping.table == {35: 16, 11: 16, 47: 53}
    assert mapping.covered == (16, 53)
    mapping.to_tsv(tmp_path / "again.tsv")
    assert load_mapping(tmp_path / "again.tsv", malc, first) == mapping


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("from\tto\n1\t2\n", "columns source and target.*from, to"),
        ("source\ttarget\n", "maps nothing"),
        ("source\ttarget\n47\t0\n", "maps nothing"),
        ("source\ttarget\n47\t53\n47\t17\n", "line 3: source 47 already maps to 53"),
        ("source\ttarget\n47\t53,17\n", "line 2: .* only one target"),
        ("source\ttarget\n3\t53\n", "line 2: malc has no region 3"),
        ("source\ttarget\n47\t99\n", "line 2: first has no region 99"),
        ("source\ttarget\n47\tx\n", "line 2: target 'x'"),
        ("source\ttarget\n47\t17\n", "must not exchange the sides"),
    ],
)
def test_wrong_mappings_are_refused(tmp_path, text, words):
    with pytest.raises(ProtocolError, match=words) as caught:
        load_mapping(mapping_file(tmp_path, text), load_protocol("malc"), load_protocol("first"))
    assert "map.tsv" in str(caught.value)


def test_a_mapping_knows_its_regions():
    with pytest.raises(ProtocolError, match="no region 3"):
        ProtocolMapping(load_protocol("malc"), load_protocol("first"), {3: 10})
