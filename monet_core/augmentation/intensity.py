"""Random changes of a patch's intensities; labels stay as they are.

Each function takes a float32 patch (X, Y, Z) of a normalised scan and returns a new one. A
transform that is switched off draws nothing but its one number, so that it costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from monet_core.augmentation.settings import AugmentationSettings
from monet_core.augmentation.spatial import upsample

Patch = NDArray[np.float32]
Change = Callable[[Patch, float, np.random.Generator], Patch]

# Control points of the bias field per axis: about one wave across a patch, as coils make.
_BIAS_CONTROLS = 5
# Knots of a random contrast curve: enough to part or merge tissues, too few to make noise.
_CONTRAST_KNOTS = 6
_CURVE_SAMPLES = 4096


def change_intensities(
    image: Patch, settings: AugmentationSettings, rng: np.random.Generator
) -> Patch:
    """Apply each transform with its probability, in the order in which a scanner would."""
    steps: tuple[tuple[float, Change, float], ...] = (
        (settings.contrast_probability, contrast, settings.contrast_strength),
        (settings.gamma_probability, gamma, settings.gamma),
        (settings.bias_probability, bias_field, settings.bias_sd),
        (settings.brightness_probability, brightness, settings.brightness),
        (settings.blur_probability, blur, settings.blur_sd),
        (settings.resolution_probability, lower_resolution, settings.resolution_factor),
        (settings.noise_probability, noise, settings.noise_sd),
    )
    for probability, change, strength in steps:
        if rng.random() < probability:
            image = change(image, strength, rng)
    return image


def contrast(image: Patch, strength: float, rng: np.random.Generator) -> Patch:
    """Map intensities through a random monotone curve, keeping mean and standard deviation.

    The steps between the curve's knots are (1 - strength) even + strength drawn uniformly from
    all that sum to 1 (a flat Dirichlet distribution).
    """
    steps = rng.dirichlet(np.ones(_CONTRAST_KNOTS))
    steps = (1 - strength) / _CONTRAST_KNOTS + strength * steps
    curve = np.concatenate([[0.0], np.cumsum(steps)])
    knots = np.linspace(0, 1, _CONTRAST_KNOTS + 1)
    return _through_curve(image, np.interp(np.linspace(0, 1, _CURVE_SAMPLES), knots, curve))


def gamma(image: Patch, strength: float, rng: np.random.Generator) -> Patch:
    """u ** exp(g), |g| <= strength, of intensities scaled to [0, 1]; keeps mean and sd."""
    exponent = np.exp(rng.uniform(-1, 1) * strength)
    return _through_curve(image, np.linspace(0, 1, _CURVE_SAMPLES) ** exponent)


def bias_field(image: Patch, sd: float, rng: np.random.Generator) -> Patch:
    """Multiply the intensities above the smallest one by a smooth gain."""
    controls = torch.from_numpy(rng.normal(0.0, sd, (1, *(_BIAS_CONTROLS,) * 3)))
    shape = (image.shape[0], image.shape[1], image.shape[2])
    gain = upsample(controls, shape)[0].exp_().numpy()
    low = image.min()
    return (image - low) * gain + low


def brightness(image: Patch, strength: float, rng: np.random.Generator) -> Patch:
    """Multiply by a gain in [1 - strength, 1 + strength] and add up to +- strength."""
    gain, shift = 1 + rng.uniform(-1, 1) * strength, rng.uniform(-1, 1) * strength
    return image * np.float32(gain) + np.float32(shift)


def blur(image: Patch, sd: float, rng: np.random.Generator) -> Patch:
    """Gaussian blur with a standard deviation in [0, `sd`] voxels."""
    width = rng.uniform(0, sd)
    for axis in range(3):
        image = along_axis(_gaussian(image.shape[axis], width), image, axis)
    return image


def lower_resolution(image: Patch, factor: float, rng: np.random.Generator) -> Patch:
    """Slices up to `factor` times as thick along one random axis, interpolated back."""
    axis = int(rng.integers(3))
    thickness = rng.uniform(1, factor)
    return along_axis(_thick_slices(image.shape[axis], thickness), image, axis)


def noise(image: Patch, sd: float, rng: np.random.Generator) -> Patch:
    """Add white Gaussian noise with a standard deviation in [0, `sd`]."""
    level = np.float32(rng.uniform(0, sd))
    return image + level * rng.standard_normal(image.shape, dtype=np.float32)


def along_axis(matrix: NDArray[np.float64], image: Patch, axis: int) -> Patch:
    """Multiply every line of `image` along `axis` by `matrix` (n, n)."""
    weights = torch.from_numpy(matrix.astype(np.float32))
    values = torch.from_numpy(image)
    if axis == 0:
        return (weights @ values.reshape(len(values), -1)).reshape(values.shape).numpy()
    return (weights @ values if axis == 1 else values @ weights.T).numpy()


def _through_curve(image: Patch, curve: NDArray[np.float64]) -> Patch:
    """Look intensities up in `curve` over their range; then restore mean and sd."""
    low, high = float(image.min()), float(image.max())
    if high <= low:
        return image
    mean, sd = float(image.mean()), float(image.std())
    # A table of some thousand levels is five times as fast as interpolating every voxel; its
    # steps are a thousandth of the noise of a scan.
    level = (image - np.float32(low)) * np.float32((len(curve) - 1) / (high - low))
    found = curve.astype(np.float32)[np.rint(level).astype(np.int32)]
    # The ends of the range go to 0 and 1, so that the new sd is not 0.
    return (found - found.mean()) * np.float32(sd / found.std()) + np.float32(mean)


def _gaussian(size: int, sd: float) -> NDArray[np.float64]:
    """Rows are normalised Gaussian weights, so that borders keep their level."""
    distance = np.arange(size)[:, None] - np.arange(size)
    weights = np.exp(-0.5 * (distance / max(sd, 1e-3)) ** 2)
    return weights / weights.sum(axis=1, keepdims=True)


def _thick_slices(size: int, thickness: float) -> NDArray[np.float64]:
    """Means of slices `thickness` voxels thick, then interpolation between their middles."""
    count = max(2, round(size / thickness))
    edges = np.linspace(0, size, count + 1)
    voxels = np.arange(size)
    overlap = np.minimum(edges[1:, None], voxels + 1) - np.maximum(edges[:-1, None], voxels)
    down = np.clip(overlap, 0, None)
    down /= down.sum(axis=1, keepdims=True)
    middles = down @ voxels
    up = np.stack([np.interp(voxels, middles, row) for row in np.eye(count)], axis=1)
    return up @ down
