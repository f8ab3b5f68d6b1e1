"""One label map, one random scan of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monet_core.augmentation import change_intensities, one_thread, sample_labels
from monet_core.synthesis.painting import paint
from monet_core.synthesis.settings import SynthesisSettings
from monet_core.synthesis.tissues import LARGEST, mirrored, outside

_LABELS = "labels"
# Whole numbers up to some thousands, as scanners store them; fewer would look like a label map.
_STEPS_PER_SD = 1000
DEFAULTS = SynthesisSettings()


@dataclass(frozen=True, eq=False)
class Synthetic:
    """A painted scan: `image` float32, whole numbers from 0 (air), and `labels` uint16 of it."""

    image: NDArray[np.float32]
    labels: NDArray[np.uint16]


def synthesise(
    labels: NDArray[np.integer],
    spacing: float,
    rng: np.random.Generator,
    settings: SynthesisSettings = DEFAULTS,
) -> Synthetic:
    """Deform `labels` (X, Y, Z; RAS, FreeSurfer's indices, `spacing` mm) and paint a scan of them.

    In a mirrored scan labels have changed sides. The same generator state gives the same bits.
    Raises ValueError for labels that are negative or above 65535.
    """
    if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) <= LARGEST:
        raise ValueError(f"labels must be 0 to {LARGEST}")
    changes = settings.changes(spacing)
    x, y, z = labels.shape
    given = {_LABELS: labels.astype(np.uint16, copy=False)}
    centre, swaps = (x // 2, y // 2, z // 2), {_LABELS: mirrored()}
    moved = sample_labels(given, centre, (x, y, z), changes, rng, swaps)[_LABELS]
    if settings.stripped:
        moved[outside()[moved]] = 0
    with one_thread():
        image = change_intensities(paint(moved, settings, rng), changes, rng)
    return Synthetic(_stored(image, moved, settings), moved)


def _stored(
    image: NDArray[np.float32], labels: NDArray[np.uint16], settings: SynthesisSettings
) -> NDArray[np.float32]:
    """Magnitudes above air, as scanners store them; exactly 0 around a brain alone."""
    air = labels == 0
    image = np.abs(image - (np.median(image[air]) if air.any() else image.min()))
    if settings.stripped:
        image[air] = 0
    return np.rint(image * np.float32(_STEPS_PER_SD))
