"""Sides and pairs read off region names, for tables that do not state them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from monet_core.protocols.region import OTHER_SIDE, Hemisphere

_WORDS: dict[str, Hemisphere] = {"left": "L", "right": "R", "lh": "L", "rh": "R"}
_LETTERS: dict[str, Hemisphere] = {"l": "L", "r": "R"}
_TOKEN = re.compile(r"[a-z0-9]+")
_JOINED = re.compile(r"(?<![A-Za-z])(Left|Right)(?=[A-Z])|(?<=[a-z])(Left|Right)(?![A-Za-z])")


def infer_sides(names: Mapping[int, str]) -> dict[int, tuple[Hemisphere, int | None]]:
    """(hemisphere, pair) of every index, from names such as Left-X, ctx-rh-X, X_L, L_X.

    Two regions are a pair where their names are equal apart from the side. A single letter
    counts only where the other side's name exists too ("R-C-S" is no right side). Where no
    side can be told: ("M", None).
    """
    read = {index: _side_of(name) for index, name in names.items()}
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, (side, base, _) in read.items():
        found[side, base].append(index)
    result: dict[int, tuple[Hemisphere, int | None]] = {}
    for index, (side, base, is_word) in read.items():
        partners = found.get((OTHER_SIDE.get(side, "M"), base), []) if side != "M" else []
        alone = len(partners) == 1 and len(found[side, base]) == 1
        pair = partners[0] if alone else None
        result[index] = (side, pair) if is_word or pair is not None else ("M", None)
    return result


def pairs_by_name(
    names: Mapping[int, str], sides: Mapping[int, Hemisphere]
) -> dict[int, int | None]:
    """The pair of every index where sides are known: same name apart from the side."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    bases = {index: _side_of(name)[1] for index, name in names.items()}
    for index, base in bases.items():
        found[sides[index], base].append(index)
    pairs: dict[int, int | None] = {}
    for index, base in bases.items():
        partners = found.get((OTHER_SIDE.get(sides[index], ""), base), [])
        alone = len(partners) == 1 and len(found[sides[index], base]) == 1
        pairs[index] = partners[0] if alone else None
    return pairs


def _side_of(name: str) -> tuple[Hemisphere, str, bool]:
    """Side, the name without it, and whether a whole word (not a letter) tells the side."""
    spaced = _JOINED.sub(lambda m: f" {m.group()} ", name)
    tokens = _TOKEN.findall(spaced.lower())
    words = [k for k, token in enumerate(tokens) if token in _WORDS]
    if len(words) == 1:
        k = words[0]
        return _WORDS[tokens[k]], " ".join(tokens[:k] + tokens[k + 1 :]), True
    ends = [k for k in {0, len(tokens) - 1} if tokens and tokens[k] in _LETTERS]
    if not words and len(ends) == 1 and len(tokens) > 1:
        k = ends[0]
        return _LETTERS[tokens[k]], " ".join(tokens[:k] + tokens[k + 1 :]), False
    return "M", " ".join(tokens), False
