"""Indices to classes and back, subsets, fingerprints, manifests."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from monet_core.errors import DecisionNeeded, ProtocolError
from monet_core.protocols import Protocol, Region, load_protocol, shipped_protocols

MALC = load_protocol("malc")
INTEGERS = st.sampled_from([np.uint8, np.int16, np.uint16, np.int32, np.int64, np.uint64])


def small(*regions: Region, **more: object) -> Protocol:
    defaults = (
        Region(5, "Left A", hemisphere="L", pair=900_000_000),
        Region(900_000_000, "Right A", hemisphere="R", pair=5),
        Region(7, "Middle"),
    )
    return Protocol("small", regions or defaults, **more)


@given(st.data(), st.sampled_from(shipped_protocols()))
def test_decode_inverts_encode_for_any_layout_and_type(data, name):
    protocol = load_protocol(name)
    dtype = np.dtype(data.draw(INTEGERS))
    known = [i for i in (0, *protocol.indices) if i <= np.iinfo(dtype).max]
    shape = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
    labels = data.draw(hnp.arrays(dtype, shape, elements=st.sampled_from(known)))
    if labels.ndim:
        labels = data.draw(st.sampled_from([labels, labels.T, labels[::-1], labels[..., ::2]]))
    classes = protocol.encode(labels)
    assert classes.dtype == protocol.class_dtype
    assert classes.shape == labels.shape
    decoded = protocol.decode(classes)
    assert decoded.dtype == np.int32
    assert np.array_equal(decoded, labels)


def test_classes_follow_the_indices_and_not_the_rows():
    protocol = small()
    assert protocol.indices == (5, 7, 900_000_000)
    assert protocol.encode(np.array([900_000_000, 0, 7, 5])).tolist() == [3, 0, 2, 1]
    assert protocol.swap_classes().tolist() == [0, 3, 2, 1]
    assert protocol.by_name["Middle"].index == 7


def test_many_regions_need_more_than_a_byte():
    assert small(*(Region(i, f"r{i}") for i in range(1, 256))).class_dtype is np.uint8
    protocol = small(*(Region(i, f"r{i}") for i in range(1, 257)))
    assert protocol.encode(np.array([256])).dtype == np.uint16
    assert protocol.encode(np.array([256]))[0] == 256


@pytest.mark.parametrize("protocol", [MALC, small()], ids=["table", "search"])
def test_unknown_values_are_asked_refused_or_taken_as_background(protocol):
    known = protocol.indices[0]
    strange = [-3, -3, 4_000_000_000, 14_000]
    labels = np.array([[0, known, *strange]], np.int64)
    assert protocol.unknown_values(labels) == {-3: 2, 14_000: 1, 4_000_000_000: 1}
    with pytest.raises(DecisionNeeded, match=r"a_dseg.nii: .*-3 \(2 voxels\)") as asked:
        protocol.encode(labels, file="a_dseg.nii")
    assert asked.value.option == "--unknown-labels"
    assert asked.value.choices == ("background", "refuse")
    with pytest.raises(ProtocolError, match=r"14000 \(1 voxel\)"):
        protocol.encode(labels, "refuse")
    assert protocol.encode(labels, "background").tolist() == [[0, 1, 0, 0, 0, 0]]


def test_unknown_values_are_counted_across_chunks():
    labels = np.zeros((130, 130, 130), np.int16, order="F")
    labels[:, :, ::2] = 1234
    assert MALC.unknown_values(labels) == {1234: 130 * 130 * 65}
    assert MALC.unknown_values(np.array([2**64 - 1], np.uint64)) == {2**64 - 1: 1}
    assert small().unknown_values(np.array([2**63 - 1, 2**64 - 1], np.uint64))


def test_a_long_list_of_unknown_values_is_cut():
    with pytest.raises(DecisionNeeded, match="and 94 more are not in the protocol malc"):
        MALC.encode(np.arange(1000, 1100))


def test_whole_floats_and_masks_are_labels_and_other_floats_are_not():
    assert MALC.encode(np.array([47.0, 0.0])).tolist() == MALC.encode(np.array([47, 0])).tolist()
    assert small(Region(1, "mask")).encode(np.array([True, False])).tolist() == [1, 0]
    for wrong in ([1.5], [np.nan], [np.inf], [1e300]):
        with pytest.raises(ProtocolError, match="whole numbers"):
            MALC.encode(np.array(wrong))


def test_encode_never_changes_its_input_and_knows_read_only_arrays():
    labels = np.array([47, 48], np.int32)
    labels.flags.writeable = False
    MALC.encode(labels)
    assert labels.tolist() == [47, 48]


@pytest.mark.parametrize("wrong", [139, 255])
def test_decode_refuses_classes_that_do_not_exist(wrong):
    with pytest.raises(ProtocolError, match="0 to 138"):
        MALC.decode(np.array([0, wrong], np.uint8))
    with pytest.raises(ProtocolError):
        MALC.decode(np.array([-1]))


@pytest.mark.parametrize(
    ("regions", "code"),
    [
        ((), "empty-table"),
        ((Region(0, "background"),), "bad-index"),
        ((Region(2**31, "huge"),), "bad-index"),
        ((Region(1, "a"), Region(1, "b")), "duplicate-index"),
        ((Region(1, "a"), Region(2, "a")), "duplicate-name"),
        ((Region(1, " "),), "no-name"),
        ((Region(1, "a\nb"),), "bad-text"),
        ((Region(1, "a" * 501),), "bad-text"),
        ((Region(1, "a", color="red"),), "bad-color"),
        ((Region(1, "a", hemisphere="X"),), "bad-hemisphere"),
        ((Region(1, "a", hemisphere="L", pair=2),), "bad-pair"),
        ((Region(1, "a", hemisphere="L", pair=1),), "bad-pair"),
        (
            (Region(1, "a", hemisphere="L", pair=2), Region(2, "b", hemisphere="L", pair=1)),
            "bad-pair",
        ),
        ((Region(1, "a", pair=2), Region(2, "b", pair=1)), "bad-pair"),
        (tuple(Region(i, str(i)) for i in range(1, 65_537)), "too-many-regions"),
    ],
)
def test_contradicting_regions_are_refused(regions, code):
    with pytest.raises(ProtocolError) as caught:
        Protocol("wrong", regions)
    assert caught.value.code == code


def test_subsets_and_extra_values_must_fit_the_regions():
    with pytest.raises(ProtocolError, match="subset best"):
        small(subsets={"best": (5, 6)})
    with pytest.raises(ProtocolError, match="extra"):
        small(extra=frozenset({7}))


def test_fingerprint_is_of_meaning_and_not_of_looks():
    regions = MALC.regions
    recoloured = replace(MALC, regions=tuple(replace(r, color="#000000") for r in regions))
    renamed = replace(MALC, regions=(replace(regions[0], name="other"), *regions[1:]))
    shuffled = replace(MALC, name="mine", regions=regions[::-1])
    assert recoloured.fingerprint == shuffled.fingerprint == MALC.fingerprint
    assert renamed.fingerprint != MALC.fingerprint
    assert len({load_protocol(name).fingerprint for name in shipped_protocols()}) == 6


@pytest.mark.parametrize("name", shipped_protocols())
def test_a_protocol_survives_json_and_pickle(name):
    protocol = load_protocol(name)
    again = Protocol.from_dict(json.loads(json.dumps(protocol.as_dict())))
    assert again == protocol
    assert hash(again) == hash(protocol)
    assert again.fingerprint == protocol.fingerprint
    assert pickle.loads(pickle.dumps(protocol)) == protocol


def broken(**changes: object) -> dict:
    return {**small().as_dict(), **changes}


ROW = small().as_dict()["regions"][0]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "not valid"),
        ([], "not valid"),
        ({}, "name: Field required"),
        (broken(regions=[]), "regions"),
        (broken(regions="x" * 100), "regions"),
        (broken(regions=[{**ROW, "index": "five"}]), "regions > 0 > index"),
        (broken(regions=[{**ROW, "index": -1}]), "index"),
        (broken(regions=[{**ROW, "index": 10**30}]), "index"),
        (broken(regions=[{**ROW, "name": "x" * 10_000}]), "name"),
        (broken(regions=[{**ROW, "pair": None}] * 2), "more than once"),
        (broken(regions=[ROW]), "does not point back"),
        (broken(regions=[{**ROW, "colour": "x"}]), "colour"),
        (broken(regions=[{**ROW, "path": ["x"] * 50}]), "path"),
        (broken(subsets={"a": [4]}), "subset a"),
        (broken(code="import os"), "code"),
        (broken(regions=[{**ROW, "pair": None, "color": "url(x)"}]), "colour"),
    ],
)
def test_a_manifest_is_not_trusted(data, words):
    with pytest.raises(ProtocolError, match=words) as caught:
        Protocol.from_dict(data)
    assert "\n" not in str(caught.value)
