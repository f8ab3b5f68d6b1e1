"""Giving every tissue a brightness and a texture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monet_core.synthesis.settings import SynthesisSettings
from monet_core.synthesis.tissues import LARGEST, looks, outside, t1_brightness

_SD_OF_AIR = 0.02


def paint(
    labels: NDArray[np.uint16], settings: SynthesisSettings, rng: np.random.Generator
) -> NDArray[np.float32]:
    """A scan without faults: each tissue a Gaussian, mean 0 and sd 1 over the brain.

    `labels` (X, Y, Z) are FreeSurfer's; see `SynthesisSettings` for what is drawn. Left and right
    look the same. Air is dark, with little noise; where the brain stands alone, without any.
    """
    present = np.zeros(LARGEST + 1, np.bool_)
    present[labels] = True
    means, sds = _draw(np.flatnonzero(present), settings, rng)
    image = rng.standard_normal(labels.shape, dtype=np.float32)
    image *= sds[labels]
    image += means[labels]
    brain = image[~outside()[labels]]
    values = brain if brain.size else image
    image -= values.mean(dtype=np.float64)
    return image / np.float32(max(values.std(dtype=np.float64), 1e-6))


def _draw(
    present: NDArray[np.intp], settings: SynthesisSettings, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation by label, the same for labels that look alike."""
    kinds = np.unique(looks()[present])
    if settings.contrast == "t1":
        jitter = rng.uniform(-settings.jitter, settings.jitter, len(kinds))
        mean = np.clip(t1_brightness()[kinds] + jitter, 0, 1)
    else:
        mean = rng.uniform(*settings.brightness, len(kinds))
    sd = rng.uniform(*settings.texture, len(kinds))
    air = kinds == 0
    mean[air] = 0.0
    sd[air] = 0.0 if settings.stripped else rng.uniform(0, _SD_OF_AIR)
    means, sds = np.zeros(LARGEST + 1, np.float32), np.zeros(LARGEST + 1, np.float32)
    means[kinds], sds[kinds] = mean, sd
    return means[looks()], sds[looks()]
