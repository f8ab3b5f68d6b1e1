"""`Region`: one row of a label table, and the rules that hold between rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from monet_core.errors import ProtocolError

Hemisphere = Literal["L", "R", "M"]

MAX_INDEX = 2**31 - 1
MAX_REGIONS = 65_535
MAX_TEXT = 500
OTHER_SIDE: dict[str, Hemisphere] = {"L": "R", "R": "L"}
_COLOR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True)
class Region:
    """One region of a protocol.

    `index` is the number in files (1 or more), `pair` the index of the same region on the other
    side, `group` a coarse grouping, `path` the hierarchy from the top group to the leaf's parent.
    `hemisphere` is "L", "R" or "M" (midline, both, or not known).
    """

    index: int
    name: str
    abbreviation: str = ""
    color: str = "#808080"
    hemisphere: Hemisphere = "M"
    tissue: str = ""
    pair: int | None = None
    group: str = ""
    path: tuple[str, ...] = ()


def check_regions(regions: Sequence[Region], table: str) -> None:
    """Raise ProtocolError unless indices, names, colours, sides and pairs are sound.

    `table` is the file or protocol name for the message.
    """
    if not regions:
        raise ProtocolError("empty-table", "the table has no regions", file=table)
    if len(regions) > MAX_REGIONS:
        problem = f"{len(regions)} regions are more than the {MAX_REGIONS} that fit"
        raise ProtocolError("too-many-regions", problem, file=table)
    for region in regions:
        _check_one(region, table)
    _check_unique("index", [r.index for r in regions], table)
    _check_unique("name", [r.name for r in regions], table)
    _check_pairs(regions, table)


def _check_one(region: Region, table: str) -> None:
    def refuse(code: str, problem: str) -> ProtocolError:
        return ProtocolError(code, f"region {region.index}: {problem}", file=table)

    if not 1 <= region.index <= MAX_INDEX:
        raise refuse("bad-index", f"an index must be 1 to {MAX_INDEX}")
    texts = (region.name, region.abbreviation, region.tissue, region.group, *region.path)
    if not region.name.strip():
        raise refuse("no-name", "the name is empty")
    if any(len(text) > MAX_TEXT or not text.isprintable() for text in texts):
        raise refuse("bad-text", "a name or group is too long or has unprintable characters")
    if not _COLOR.fullmatch(region.color):
        raise refuse("bad-color", f"colour {region.color!r} is not of the form #rrggbb")
    if region.hemisphere not in ("L", "R", "M"):
        raise refuse("bad-hemisphere", f"hemisphere {region.hemisphere!r} is not L, R or M")


def _check_unique(what: str, values: Iterable[int | str], table: str) -> None:
    twice = [str(value) for value, count in Counter(values).items() if count > 1]
    if twice:
        problem = f"the {what} {', '.join(twice[:5])} occurs more than once"
        remedy = f"Give every region an own {what}."
        raise ProtocolError(f"duplicate-{what}", problem, remedy=remedy, file=table)


def _check_pairs(regions: Sequence[Region], table: str) -> None:
    by_index = {r.index: r for r in regions}
    for region in regions:
        if region.pair is None:
            continue
        other = by_index.get(region.pair)
        if other is None or other.pair != region.index:
            problem = f"pair {region.pair} of region {region.index} does not point back to it"
        elif OTHER_SIDE.get(region.hemisphere) != other.hemisphere:
            sides = f"{region.hemisphere} and {other.hemisphere}"
            problem = f"regions {region.index} and {region.pair} are a pair, but of sides {sides}"
        else:
            continue
        remedy = "A pair is one L and one R region that name each other; mend the table."
        raise ProtocolError("bad-pair", problem, remedy=remedy, file=table)
