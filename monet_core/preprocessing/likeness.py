"""How alike two images are, voxel by voxel of the one, with the derivative for each voxel.

Both measures are negative, and lower where the images agree more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BINS = 32
# A cubic spline reaches two bins to either side, so the histogram has empty ones at its ends.
_RIM = 2
_SCALE = _BINS - 2 * _RIM - 1e-6
_TINY = 1e-12


def correlation(fixed: Floats, moving: Floats) -> tuple[float, Floats]:
    """Minus the squared correlation of `fixed` and `moving` (N,), and its derivative by `moving`.

    Bright in one may be dark in the other.
    """
    f, m = fixed - fixed.mean(), moving - moving.mean()
    ff, mm, fm = float(f @ f) + _TINY, float(m @ m) + _TINY, float(f @ m)
    return -fm * fm / (ff * mm), (-2 * fm / (ff * mm)) * (f - m * (fm / mm))


def information(fixed: Floats, moving: Floats) -> tuple[float, Floats]:
    """Minus the mutual information (nats) of values from 0 to 1 (N,); derivative by `moving`.

    The joint histogram takes `fixed` by bin and spreads `moving` over four bins by a cubic
    spline, which makes it smooth (Mattes et al. 2003).
    """
    place = moving * _SCALE + _RIM
    low = place.astype(np.intp)
    weights, slopes = _spline(place - low)
    cells = (fixed * _SCALE + _RIM).astype(np.intp) * _BINS + low - 1
    counts = sum(np.bincount(cells + i, weights[i], _BINS * _BINS) for i in range(4))
    joint = np.reshape(counts, (_BINS, _BINS)) / len(moving)
    log_fixed, log_moving = (_log(joint.sum(axis=axis, keepdims=True)) for axis in (1, 0))
    gain = _log(joint) - log_moving
    value = float((joint * (gain - log_fixed)).sum())
    # Adding to one bin what is taken from others leaves the sums over `fixed` as they are.
    table = gain.ravel()
    slope = np.sum([slopes[i] * table[cells + i] for i in range(4)], axis=0)
    return -value, slope * (-_SCALE / len(moving))


def _spline(t: Floats) -> tuple[list[Floats], list[Floats]]:
    """Weights of the four bins around a value at `t` (0 to 1) between the middle two; slopes."""
    u = 1 - t
    weights = [u**3 / 6, (t / 2 - 1) * t * t + 2 / 3, (u / 2 - 1) * u * u + 2 / 3, t**3 / 6]
    slopes = [-u * u / 2, (1.5 * t - 2) * t, (2 - 1.5 * u) * u, t * t / 2]
    return weights, slopes


def _log(values: Floats) -> Floats:
    return np.log(np.maximum(values, _TINY))
