"""How alike the names of two protocols' regions are: 0 (nothing in common) to 1 (the same)."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from monet_core.protocols.naming import CONTRARY, DIRECTIONS, WEAK, name_forms
from monet_core.protocols.protocol import Protocol

_OTHER_FORM = 0.95  # a part of "A / B", or an abbreviation, is less certain than the name
_CONTRADICTION = 0.3
_SPELLING = 0.9  # "cerebelum" is cerebellum, "paracentral" is not precentral
_Form = tuple[int, frozenset[str], float]


def name_likeness(source: Protocol, target: Protocol) -> NDArray[np.float64]:
    """Likeness (source regions, target regions), in the order of `regions`; 0 across sides.

    Twice the weight of the words in common over the weight of all words; words of place count
    less than what is named, "gyrus" and the like hardly. Names that contradict each other
    (superior and inferior, 3rd and 4th) lose most of it.
    """
    ours, theirs = _forms(source), _forms(target)
    scores = _form_likeness([f[1] for f in ours], [f[1] for f in theirs])
    scores *= np.outer([f[2] for f in ours], [f[2] for f in theirs])
    likeness = np.zeros((len(source.regions), len(target.regions)))
    rows, columns = np.array([f[0] for f in ours]), np.array([f[0] for f in theirs])
    np.maximum.at(likeness, (rows[:, None], columns[None, :]), scores)
    sides = np.array([r.hemisphere for r in source.regions])[:, None]
    return np.where(sides == np.array([r.hemisphere for r in target.regions]), likeness, 0.0)


def _forms(protocol: Protocol) -> list[_Form]:
    return [
        (row, words, _OTHER_FORM if number else 1.0)
        for row, region in enumerate(protocol.regions)
        for number, words in enumerate(name_forms(region))
    ]


def _form_likeness(
    ours: Sequence[frozenset[str]], theirs: Sequence[frozenset[str]]
) -> NDArray[np.float64]:
    words = sorted(frozenset().union(*ours)), sorted(frozenset().union(*theirs))
    alike = _word_likeness(*words)
    left, right = _weights(ours, words[0]), _weights(theirs, words[1])
    best_right = np.stack([alike[:, row > 0].max(axis=1) for row in right], axis=1)
    best_left = np.stack([alike[row > 0].max(axis=0) for row in left])
    common = left @ best_right + best_left @ right.T
    scores = common / (left.sum(1)[:, None] + right.sum(1)[None, :])
    scores[_contradict(ours, theirs)] *= _CONTRADICTION
    return scores


def _weights(forms: Sequence[frozenset[str]], words: Sequence[str]) -> NDArray[np.float64]:
    """(forms, words): the weight of each word in each form, 0 where it is not in it."""
    return np.array([[_weight(word) * (word in form) for word in words] for form in forms])


def _weight(word: str) -> float:
    if word in WEAK:
        return 0.15
    return 0.6 if word in DIRECTIONS or word.isdigit() else 1.0


def _word_likeness(ours: Sequence[str], theirs: Sequence[str]) -> NDArray[np.float64]:
    return np.array([[_alike(one, other) for other in theirs] for one in ours])


def _alike(one: str, other: str) -> float:
    if one == other:
        return 1.0
    short, long = sorted((one, other), key=len)
    if len(short) < 4 or {one, other} & DIRECTIONS or short[0] != long[0]:
        return 0.0
    if long.startswith(short):
        return 0.9
    ratio = SequenceMatcher(None, one, other).ratio()
    return ratio if ratio >= _SPELLING else 0.0


def _contradict(
    ours: Sequence[frozenset[str]], theirs: Sequence[frozenset[str]]
) -> NDArray[np.bool_]:
    """Both have words of a group, but none of these in common."""
    result = np.zeros((len(ours), len(theirs)), bool)
    for group in CONTRARY:
        words = sorted(group)
        left = np.array([[word in form for word in words] for form in ours])
        right = np.array([[word in form for word in words] for form in theirs])
        both = np.outer(left.any(axis=1), right.any(axis=1))
        common = left.astype(np.intp) @ right.T.astype(np.intp)
        result |= both & (common == 0)
    return result
