"""What is known of the labels that scans are painted from: sides, tissues, T1 brightness.

Labels are FreeSurfer's. Heads also have tissues outside the brain, from 500 up, where FreeSurfer
has no region of that number: those of SynthSeg's label maps are numbered as in SimNIBS' charm.
All tables have an entry for every label from 0 to `LARGEST`.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from monet_core.protocols import Protocol, load_protocol

LARGEST = np.iinfo(np.uint16).max
_OUTSIDE_FROM = 500
# Pairs in SynthSeg's label maps that FreeSurfer's table lacks: lesions, and parts of the ventral
# white matter.
_MORE_PAIRS = ((25, 57), (136, 163), (137, 164))
# Tissues whose regions are divided by name, not by look; others differ from region to region.
_ONE_LOOK = ("cortical_gm", "white_matter", "cerebellum_gm", "cerebellum_wm")

_T1_TISSUES = {
    "csf": 0.15,
    "cortical_gm": 0.5,
    "cerebellum_gm": 0.5,
    "subcortical_gm": 0.58,
    "choroid_plexus": 0.4,
    "vessel": 0.3,
    "lesion": 0.6,
    "brainstem": 0.75,
    "cerebellum_wm": 0.78,
    "white_matter": 0.82,
}
_T1_REGIONS = {10: 0.65, 13: 0.7, 28: 0.7}  # thalamus, pallidum and ventral DC have much myelin
_T1_OUTSIDE = {
    502: 0.4,  # arteries
    506: 0.15,  # eyes
    508: 0.45,  # muscles of the eyes
    509: 0.45,  # mucosa
    511: 0.8,  # skin, with the fat below
    512: 0.7,  # spinal cord
    514: 0.3,  # veins
    515: 0.08,  # cortical bone
    516: 0.7,  # marrow
    530: 0.7,  # optic nerves
}
_T1_OTHER = 0.5


@cache
def outside() -> NDArray[np.bool_]:
    """Whether a label lies outside the brain; background does."""
    table = np.arange(LARGEST + 1) >= _OUTSIDE_FROM
    table[list(_protocol().indices)] = False
    table[0] = True
    return table


@cache
def mirrored() -> NDArray[np.uint16]:
    """The label of the same region on the other side; itself where there is none."""
    table = np.arange(LARGEST + 1, dtype=np.uint16)
    for one, other in _pairs():
        table[[one, other]] = other, one
    return table


@cache
def looks() -> NDArray[np.uint16]:
    """The first of the labels that share a draw: both sides, and all parts of cortex."""
    table = np.minimum(np.arange(LARGEST + 1, dtype=np.uint16), mirrored())
    for tissue in _ONE_LOOK:
        members = [r.index for r in _protocol().regions if r.tissue == tissue]
        table[members] = min(members)
    return table


@cache
def t1_brightness() -> NDArray[np.float64]:
    """How bright a label is in a T1 scan, from 0 to 1; 0.5 for those that nothing is known of."""
    table = np.full(LARGEST + 1, _T1_OTHER)
    for region in _protocol().regions:
        table[region.index] = _T1_TISSUES.get(region.tissue, _T1_OTHER)
    for index, value in (_T1_REGIONS | _T1_OUTSIDE).items():
        table[[index, mirrored()[index]]] = value
    return table


def _pairs() -> list[tuple[int, int]]:
    known = [(r.index, r.pair) for r in _protocol().regions if r.pair is not None]
    return [*known, *_MORE_PAIRS]


def _protocol() -> Protocol:
    return load_protocol("freesurfer")
