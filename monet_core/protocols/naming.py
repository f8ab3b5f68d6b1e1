"""Region names as sets of plain words, so that atlases' ways of writing them can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable

from monet_core.protocols.region import Region

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BRACKETS = re.compile(r"\([^)]*\)")
_ROMAN = {
    "i": 1,
    "ii": 2,
    "iii": 3,
    "iv": 4,
    "v": 5,
    "vi": 6,
    "vii": 7,
    "viii": 8,
    "ix": 9,
    "x": 10,
}
_NUMERAL = r"(?:\d{1,2}|" + "|".join(sorted(_ROMAN, key=len, reverse=True)) + ")"
_RANGE = re.compile(rf"(?<![a-z0-9])({_NUMERAL})\s*[-–_]\s*({_NUMERAL})(?![a-z0-9])")
_TOKEN = re.compile(r"\d+(?:st|nd|rd|th)(?![a-z])|[a-z]+|\d+")
_SIDES = {"left", "right", "l", "r", "lh", "rh"}

_PLACES = "superior middle inferior anterior posterior medial lateral rostral caudal"
_WEAK = "gyrus cortex area nucleus proper part lobule lobe segment region"
DIRECTIONS = frozenset(_PLACES.split())
"""Words of place: they count less than what is named, and contradict each other."""
WEAK = frozenset(_WEAK.split())
"""Words that atlases add or leave out as they like."""
CONTRARY = (
    frozenset({"superior", "middle", "inferior"}),
    frozenset({"anterior", "middle", "posterior"}),
    frozenset({"medial", "lateral"}),
    frozenset({"rostral", "caudal"}),
    frozenset({"lateral", "third", "fourth", "fifth"}),
    frozenset({"frontal", "temporal", "parietal", "occipital"}),
    frozenset({"greymatter", "whitematter"}),
    frozenset(str(number) for number in range(100)),
)
"""Words of which two names may not have different ones."""

_GLUED = (*sorted(DIRECTIONS, key=len, reverse=True), "transverse", "isthmus", "pars", "occipito")
_DROPPED = {"of", "the", "and", "excluding", "g", "s", "remainder", "segment"}
_SYNONYMS = {  # the plain word, and other ways to write it
    "superior": "sup",
    "inferior": "inf",
    "anterior": "ant",
    "posterior": "post",
    "middle": "mid",
    "medial": "med",
    "lateral": "lat",
    "frontal": "front frt",
    "temporal": "temp tmp",
    "parietal": "par pariet",
    "occipital": "occ occip",
    "orbital": "orb orbitofrontal orbitalis",
    "opercular": "oper operc op opercularis operculum",
    "triangular": "tri triang triangularis",
    "cingulate": "cing cingulum cinguli",
    "insula": "ins insular",
    "hippocampus": "hippo hipp hip hippocampal",
    "parahippocampal": "parahip parahippo parahippocampus",
    "amygdala": "amyg amy amygdaloid",
    "thalamus": "thal tha thalamic",
    "caudate": "caud cau",
    "putamen": "put puta",
    "pallidum": "pall pal palidum pallidus gp",
    "accumbens": "accumb acc accu nacc acb",
    "brainstem": "bstem brstem",
    "cerebellum": "cerebellar cerebelum cerebell crbl",
    "cerebrum": "cerebral cereb",
    "ventricle": "vent ventricular",
    "vermis": "vermal",
    "supplementary": "supp suppl",
    "rectus": "straight",
    "calcarine": "pericalcarine",
    "cortex": "ctx cortical",
    "gyrus": "gyri gyral",
    "lobule": "lobules lobulus",
    "nucleus": "nuc nucl nuclei",
    "whitematter": "wm",
    "greymatter": "gm",
    "first": "1st",
    "second": "2nd",
    "third": "3rd",
    "fourth": "4th",
    "fifth": "5th",
}
_WORDS = {other: word for word, others in _SYNONYMS.items() for other in others.split()}
_PHRASES = (  # in this order, on words that are already plain
    ("pars", "inferior frontal"),
    ("rolandic", "central"),
    ("brain stem", "brainstem"),
    ("para hippocampus", "parahippocampal"),
    ("para central", "paracentral"),
    ("supra marginal", "supramarginal"),
    ("pre central", "precentral"),
    ("posterior central", "postcentral"),
    ("pre cuneus", "precuneus"),
    ("white matter", "whitematter"),
    ("grey matter", "greymatter"),
    ("gray matter", "greymatter"),
    ("cortex greymatter", "cerebrum greymatter"),
    ("cerebellum exterior", "cerebellum greymatter"),
    ("cerebellum cortex", "cerebellum greymatter"),
    ("cerebrum cortex", "cerebrum greymatter"),
    ("ventral diencephalon", "ventral dc"),
    ("globus pallidum", "pallidum"),
    ("heschl gyrus", "transverse temporal"),
    ("heschl s gyrus", "transverse temporal"),
    ("heschl", "transverse temporal"),
    ("temporal horn", "inferior"),
    ("corpus callosum", "cc"),
    ("supplementary motor cortex", "supplementary motor area"),
)


def name_forms(region: Region) -> tuple[frozenset[str], ...]:
    """The words of a region's name without its side, then those of other ways to call it.

    Other ways are the parts of "A / B" and the abbreviation. E.g. "ctx-lh-superiorfrontal" and
    "L superior frontal gyrus" have the words superior, frontal, and cortex or gyrus.
    """
    parts = [part for part in region.name.split("/") if part.strip()]
    texts = [region.name, *(parts if len(parts) > 1 else ()), region.abbreviation]
    forms = (_words(text) for text in texts if text.strip())
    return tuple(dict.fromkeys(form for form in forms if form)) or (frozenset({region.name}),)


def _words(name: str) -> frozenset[str]:
    text = _CAMEL.sub(" ", _BRACKETS.sub(" ", name)).lower()
    tokens = _TOKEN.findall(_RANGE.sub(_spelled_out, text))
    tokens = [part for token in tokens if token not in _SIDES for part in _unglued(token)]
    plain = " ".join(_WORDS.get(token, _numeral(token)) for token in tokens)
    padded = f" {plain} "
    for phrase, words in _PHRASES:
        padded = padded.replace(f" {phrase} ", f" {words} ")
    return _completed(word for word in padded.split() if word not in _DROPPED)


def _completed(words: Iterable[str]) -> frozenset[str]:
    """White and grey matter of nothing else named are the cerebrum's."""
    found = frozenset(words)
    return found | {"cerebrum"} if found in ({"whitematter"}, {"greymatter"}) else found


def _unglued(token: str) -> list[str]:
    """superiorfrontal -> superior, frontal."""
    for word in _GLUED:
        if token.startswith(word) and len(token) - len(word) >= 4:
            return [word, *_unglued(token[len(word) :])]
    return [token]


def _numeral(token: str) -> str:
    """VII as 7; single letters are more often something else (4V)."""
    return str(_ROMAN[token]) if token in _ROMAN and len(token) > 1 else token


def _spelled_out(match: re.Match[str]) -> str:
    """I-V and 1_5 as 1 2 3 4 5."""
    first, last = (_ROMAN.get(part, 0) or int(part) for part in match.groups())
    return " ".join(map(str, range(first, last + 1))) if first < last else match.group()
