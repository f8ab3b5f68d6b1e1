"""The shipped tables, through the API: the checks that came with their sources."""

import numpy as np
import pytest

from monet_core.errors import ProtocolError
from monet_core.protocols import load_protocol, shipped_protocols

FIRST = (10, 11, 12, 13, 16, 17, 18, 26, 49, 50, 51, 52, 53, 54, 58)
SIX_LEFT_OUT = {42, 43, 46, 63, 64, 69}
CHALLENGE_LEFT_OUT = {42, 43, 63, 64}

every = pytest.mark.parametrize("name", shipped_protocols())


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("malc", 138),
        ("first", 15),
        ("hammers67", 67),
        ("hammers", 67),
        ("hammers83", 83),
        ("quicknat27", 27),
        ("freesurfer", 113),
    ],
)
def test_number_of_regions(name, count):
    protocol = load_protocol(name)
    assert len(protocol.regions) == len(protocol.indices) == count
    assert protocol.n_classes == count + 1
    assert protocol.subset("all") == protocol.indices
    assert protocol.notes == ()


@every
def test_pairs_are_mutual_opposite_and_of_one_tissue(name):
    protocol = load_protocol(name)
    for region in protocol.regions:
        assert (region.pair is None) == (region.hemisphere == "M")
        if region.pair is not None:
            other = protocol.region(region.pair)
            assert other.pair == region.index
            assert {region.hemisphere, other.hemisphere} == {"L", "R"}
            assert (region.tissue, region.group) == (other.tissue, other.group)


@every
def test_colours_are_distinct(name):
    regions = load_protocol(name).regions
    assert len({region.color for region in regions}) == len(regions)


@every
def test_mirror_swaps_every_left_class_with_its_right_partner(name):
    protocol = load_protocol(name)
    swap = protocol.swap_classes()
    assert swap[0] == 0
    assert np.array_equal(swap[swap], np.arange(protocol.n_classes))
    for k, region in enumerate(protocol.regions, start=1):
        partner = protocol.regions[swap[k] - 1]
        assert partner.index == (region.pair or region.index)
        mirrored = {"L": "R", "R": "L", "M": "M"}[region.hemisphere]
        assert partner.hemisphere == mirrored


@every
def test_every_region_has_a_place_in_a_hierarchy(name):
    for region in load_protocol(name).regions:
        assert region.group
        assert all(region.path)


def test_malc_sides_are_not_parity():
    malc = load_protocol("malc")
    sides = {index: malc.region(index).hemisphere for index in (23, 30, 31, 32, 75, 76, 100, 101)}
    assert sides == {23: "R", 30: "L", 31: "R", 32: "L", 75: "L", 76: "R", 100: "R", 101: "L"}


def test_malc_subsets():
    malc = load_protocol("malc")
    assert len(malc.subset("evaluated")) == 132
    assert set(malc.indices) - set(malc.subset("evaluated")) == SIX_LEFT_OUT
    assert len(malc.subset("challenge")) == 134
    assert set(malc.indices) - set(malc.subset("challenge")) == CHALLENGE_LEFT_OUT
    assert len(malc.subset("first")) == 15
    assert 35 in malc.subset("first")
    assert 11 not in malc.subset("first")
    assert malc.subset("quicknat27") == tuple(sorted(malc.links["quicknat27"]))
    assert malc.subset(" 48, 47,48") == (48, 47)


def test_quicknat_subsets_leave_out_ventral_dc():
    quicknat = load_protocol("quicknat27")
    left_out = set(quicknat.subset("quicknat27")) - set(quicknat.subset("quicknat25"))
    assert len(quicknat.subset("quicknat25")) == 25
    assert {
        "DC" in quicknat.region(i).name or "DC" in quicknat.region(i).abbreviation for i in left_out
    } == {True}


def test_first_indices_and_hammers_sides():
    assert load_protocol("first").indices == FIRST
    for name in ("hammers67", "hammers83"):
        for region in load_protocol(name).regions:
            odd_is_right = "R" if region.index % 2 else "L"
            assert region.hemisphere == ("M" if region.index in (19, 44, 49) else odd_is_right)


def test_malc_hierarchy_goes_from_group_to_parent():
    malc = load_protocol("malc")
    expected = ("Frontal lobe", "Lateral surface", "Frontal pole")
    assert malc.region(121).path == malc.region(120).path == expected
    assert len({region.path[0] for region in malc.regions}) == 11


def test_malc_extra_values_are_background():
    malc = load_protocol("malc")
    assert len(malc.extra) == 63
    assert not malc.extra & set(malc.indices)
    assert not malc.encode(np.array(sorted(malc.extra), np.uint8), "refuse").any()


def test_unknown_subset_lists_what_exists():
    with pytest.raises(ProtocolError, match="evaluated") as caught:
        load_protocol("malc").subset("cortex")
    assert caught.value.code == "no-such-subset"
    with pytest.raises(ProtocolError, match="no region 999"):
        load_protocol("malc").subset("47,999")


def test_names_are_found_in_any_case_and_unknown_ones_list_the_known(tmp_path):
    assert load_protocol("MALC") is load_protocol("malc")
    with pytest.raises(ProtocolError, match="malc, first, hammers67") as caught:
        load_protocol("desikan")
    assert caught.value.code == "no-such-protocol"
    with pytest.raises(ProtocolError, match="cannot be read"):
        load_protocol(tmp_path)
