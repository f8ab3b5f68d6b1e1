"""Pictures of slices: grey levels, overlays, outlines, maps; no Qt."""

from __future__ import annotations

import numpy as np
import pytest

from monet_app.views import compose
from monet_app.views.compose import Blend
from monet_app.views.palette import UNKNOWN_COLOR, Codes, color_map, palette, visible_codes
from monet_core.protocols import Protocol, Region

ATLAS = Protocol(
    "atlas",
    (Region(10, "ten", color="#ff0000"), Region(300, "many", color="#00ff00")),
    extra=frozenset({4}),
)


def test_grey_levels() -> None:
    values = np.array([[-5, 0, 50, 100, 1e9]], np.float32)
    kept = values.copy()
    assert compose.grey(values, 0, 100).tolist() == [[0, 0, 127, 255, 255]]
    assert (values == kept).all()
    assert compose.grey(values, 3, 3).dtype == np.uint8


def test_codes_know_background_regions_and_strangers() -> None:
    codes = Codes(ATLAS)
    labels = np.array([[0, 4, 10], [300, 7, 2**31 - 1]], np.int32)
    for order in ("C", "F"):
        found = codes.encode(np.asarray(labels, order=order))
        assert found.tolist() == [[0, 0, 1], [2, codes.unknown, codes.unknown]]
        assert found.dtype == np.uint8
    small = codes.encode(np.minimum(labels, 301))
    assert small.tolist() == [[0, 0, 1], [2, 3, 3]]
    assert codes.indices[[1, 2]].tolist() == [10, 300]
    assert (codes.code(300), codes.code(0)) == (2, 0)
    with pytest.raises(KeyError):
        codes.code(7)


def test_many_regions_need_larger_codes() -> None:
    regions = tuple(Region(n, f"r{n}") for n in range(1, 400))
    codes = Codes(Protocol("many", regions))
    assert codes.encode(np.array([399, 400, 0])).tolist() == [399, codes.unknown, 0]
    assert codes.dtype == np.uint16


def test_what_is_drawn() -> None:
    codes = Codes(ATLAS)
    assert visible_codes(codes, (), None).tolist() == [False, True, True, True]
    assert visible_codes(codes, (10, 99), None).tolist() == [False, False, True, True]
    assert visible_codes(codes, (10,), (10,)).tolist() == [False, True, False, False]
    assert visible_codes(codes, (), ()).tolist() == [False] * 4
    assert tuple(palette(ATLAS)[codes.unknown]) == UNKNOWN_COLOR


def blend(opacity: float, hidden=()) -> Blend:
    return Blend.of(palette(ATLAS), visible_codes(Codes(ATLAS), hidden, None), opacity)


@pytest.mark.parametrize(("opacity", "red"), [(0.0, (80, 80, 80)), (1.0, (255, 0, 0))])
def test_laying_over(opacity: float, red) -> None:
    picture = np.full((1, 3, 3), 80, np.uint8)
    mixed = compose.lay_over(picture, np.array([[0, 1, 3]], np.uint8), blend(opacity))
    assert tuple(mixed[0, 0]) == (80, 80, 80)
    assert tuple(mixed[0, 1]) == red
    assert (picture == 80).all()


def test_half_opacity_and_hidden() -> None:
    picture = np.full((1, 2, 3), 100, np.uint8)
    codes = np.array([[1, 2]], np.uint8)
    mixed = compose.lay_over(picture, codes, blend(0.5, hidden=(300,)))
    assert tuple(mixed[0, 0]) == (177, 50, 50)
    assert tuple(mixed[0, 1]) == (100, 100, 100)


def test_outlines_lie_inside_of_regions() -> None:
    codes = np.zeros((7, 8), np.uint8)
    codes[2:5, 2:6] = 1
    picture = np.zeros((7 * 3, 8 * 3, 3), np.uint8)
    compose.outline(picture, codes, blend(1.0), 1)
    red = picture[..., 0] > 0
    assert not red[:6].any()
    assert not red[15:].any()
    assert red[6, 6:18].all()
    assert red[14, 6:18].all()
    assert red[6:15, 6].all()
    assert red[6:15, 17].all()
    assert not red[7:14, 7:17].any()


def test_outlines_of_hidden_regions_are_not_drawn_and_wide_ones_fill_small_voxels() -> None:
    codes = np.array([[0, 1, 2, 2]], np.uint8)
    picture = np.zeros((1, 4, 3), np.uint8)
    compose.outline(picture, codes, blend(1.0, hidden=(10,)), 2)
    assert picture[0, 1].tolist() == [0, 0, 0]
    assert picture[0, 2].tolist() == [0, 255, 0]


def test_maps_are_added_and_nothing_is_added_below_their_limit() -> None:
    colors = color_map("inferno")
    picture = np.full((1, 3, 3), 40, np.uint8)
    values = np.array([[np.nan, 0.0, 1.0]], np.float32)
    mixed = compose.add_map(picture, values, (0.0, 1.0), colors)
    assert mixed[0, :2].tolist() == [[40, 40, 40]] * 2
    assert mixed[0, 2].tolist() == np.minimum(colors[255] + 40, 255).tolist()
    with pytest.raises(ValueError, match="no colour map"):
        color_map("no such")
