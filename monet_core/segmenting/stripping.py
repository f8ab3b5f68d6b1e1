"""Skull-stripping of whole heads for models that were trained on stripped scans.

The network was trained on heads painted from label maps in random contrasts (as SynthStrip: Hoopes
et al., NeuroImage 2022) by this program's own `synthesise` and `pretrain`; it ships.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from monet_resources import BRAIN
from numpy.typing import NDArray
from scipy import ndimage

from monet_core.errors import Note, Verdict
from monet_core.jobs.events import Cancel, Phase, Reporter, silent
from monet_core.models import Model, load_model
from monet_core.preprocessing import PreprocessingSettings, is_whole_head, prepare
from monet_core.scans import LabelMap, Scan
from monet_core.segmenting.labelling import label
from monet_core.segmenting.preprocessing import preprocessing_of
from monet_core.segmenting.settings import SegmentSettings

# Brains of adults, from severe atrophy to scans that are scaled to a template.
_PLAUSIBLE_ML = (600.0, 2400.0)
# What is kept around the brain, as stripped scans have it.
_GROWN_MM = 2.0
STRIPPING = SegmentSettings(overlap=0.25, mirror=False)
"""How the brain is looked for."""


def stripped(
    scan: Scan,
    settings: PreprocessingSettings,
    report: Reporter = silent,
    cancel: Cancel | None = None,
    device: str = "auto",
) -> Scan:
    """`scan` without what lies outside the brain, if it is a whole head and `settings` want that.

    Told in its notes. Where what was found cannot be a brain, the scan is given back as it is:
    `prepare` then cuts it out by registration, and tells that.
    """
    if not settings.brain_only or not is_whole_head(scan):
        return scan
    report(Phase("Finding the brain"))
    model = _model()
    prepared = prepare(scan, preprocessing_of(model.manifest))
    grid = LabelMap(np.empty((0, 0, 0), np.int32), scan.geometry, scan.forms, scan.path)
    choice = STRIPPING.model_copy(update={"device": device})
    found = label(grid, prepared, model, choice, silent, cancel or Cancel())
    (labels,) = found.labels.values()
    brain = _piece(labels.data > 0)
    volume = float(brain.sum()) * scan.geometry.voxel_volume_ml
    if not _PLAUSIBLE_ML[0] < volume < _PLAUSIBLE_ML[1]:
        return scan
    background = np.float32(prepared.record["intensity"]["background"])
    data = np.where(_grown(brain, scan.geometry.spacing), scan.data, background)
    note = Note(
        Verdict.FIXED,
        "head-stripped",
        "the model was trained on skull-stripped scans and this is a whole head: its brain"
        f" ({volume:.0f} ml) was cut out, so look at the borders of the cortex",
        str(scan.path or ""),
    )
    return replace(scan, data=data, notes=(*scan.notes, note))


@cache
def _model() -> Model:
    return load_model(BRAIN)


def _piece(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest piece of `mask` without holes."""
    pieces, count = ndimage.label(mask)
    if count == 0:
        return mask
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray(ndimage.binary_fill_holes(pieces == sizes.argmax()), bool)


def _grown(brain: NDArray[np.bool_], spacing: tuple[float, float, float]) -> NDArray[np.bool_]:
    """`brain`, some mm larger on every side."""
    margin = [int(np.ceil(_GROWN_MM / step)) for step in spacing]
    (box,) = ndimage.find_objects(brain.astype(np.uint8))
    window = tuple(
        slice(max(0, side.start - more), side.stop + more)
        for side, more in zip(box, margin, strict=True)
    )
    grown = np.zeros_like(brain)
    outside_mm = ndimage.distance_transform_edt(~brain[window], sampling=spacing)
    grown[window] = outside_mm <= _GROWN_MM
    return grown
