"""Synthetic heads with known answers.

The phantom is asymmetric on purpose: the left side (world x < 0) carries a small bright
"lesion-like" sphere more than the right one, so that a swapped side can be seen.
"""

from pathlib import Path

import nibabel as nib
import numpy as np

# FIRST indices used by the phantom: left/right thalamus, left/right putamen, brain stem.
LEFT_THALAMUS, RIGHT_THALAMUS = 10, 49
LEFT_PUTAMEN, RIGHT_PUTAMEN = 12, 51
BRAIN_STEM = 16

_STRUCTURES = [
    # index, centre in mm (RAS, relative to the middle of the brain), radii in mm, intensity
    (LEFT_THALAMUS, (-9, -6, 3), (6, 9, 6), 620.0),
    (RIGHT_THALAMUS, (9, -6, 3), (6, 9, 6), 620.0),
    (LEFT_PUTAMEN, (-19, 5, 1), (4, 9, 6), 560.0),
    (RIGHT_PUTAMEN, (19, 5, 1), (4, 8, 5), 560.0),
    (BRAIN_STEM, (0, -14, -16), (6, 6, 10), 800.0),
]


def brain_phantom(
    shape: tuple[int, int, int] = (72, 84, 72),
    spacing: float = 1.0,
    seed: int = 0,
    noise: float = 12.0,
    head: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image float32, labels int16 (FIRST indices) and affine of a small RAS brain.

    The world origin is the middle of the brain. `seed` varies size and position of the
    structures by a few per cent, so that several phantoms are "different people".
    `head` adds a bright scalp around the brain (needs a shape some 12 mm larger).
    """
    rng = np.random.default_rng(seed)
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = -spacing * (np.asarray(shape) - 1) / 2
    grid = np.meshgrid(*[np.arange(n) for n in shape], indexing="ij")
    world = np.stack([spacing * g + o for g, o in zip(grid, affine[:3, 3], strict=True)], axis=-1)

    def inside(centre: tuple[float, ...], radii: tuple[float, ...]) -> np.ndarray:
        return (((world - np.asarray(centre)) / np.asarray(radii)) ** 2).sum(-1) <= 1

    image = np.zeros(shape, np.float32)
    labels = np.zeros(shape, np.int16)
    brain = inside((0, 0, 0), (28, 34, 27))
    if head:
        image[inside((0, 0, 0), (35, 41, 34))] = 900.0
        image[inside((0, 0, 0), (31, 37, 30))] = 60.0
    image[brain] = 700.0
    image[brain & ~inside((0, 0, 0), (25, 31, 24))] = 480.0  # a cortex
    image[inside((-14, 20, 12), (4, 4, 4)) & brain] = 990.0  # only on the left
    for index, centre, radii, intensity in _STRUCTURES:
        moved = tuple(np.asarray(centre) + rng.normal(0, 0.7, 3))
        sized = tuple(np.asarray(radii) * rng.normal(1, 0.05, 3))
        where = inside(moved, sized) & brain
        image[where] = intensity
        labels[where] = index
    if noise:
        visible = image > 0
        image[visible] += rng.normal(0, noise, int(visible.sum())).astype(np.float32)
    return image, labels, affine


def save(path: Path, data: np.ndarray, affine: np.ndarray) -> Path:
    """Write `data` as NIfTI with both forms set (codes 1), making folders as needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(data, affine)
    image.set_qform(affine, 1)
    image.set_sform(affine, 1)
    nib.save(image, path)
    return path


def save_subject(folder: Path, name: str, seed: int = 0, **kwargs: object) -> tuple[Path, Path]:
    """`NAME_T1w.nii.gz` and `NAME_dseg.nii.gz` of a phantom in `folder`; returns both paths."""
    image, labels, affine = brain_phantom(seed=seed, **kwargs)  # type: ignore[arg-type]
    scan = save(folder / f"{name}_T1w.nii.gz", image, affine)
    return scan, save(folder / f"{name}_dseg.nii.gz", labels, affine)


# What the phantom's structures are called in MALC.
MALC_OF_FIRST = {
    LEFT_THALAMUS: 60,
    RIGHT_THALAMUS: 59,
    LEFT_PUTAMEN: 58,
    RIGHT_PUTAMEN: 57,
    BRAIN_STEM: 35,
}


def save_malc_dataset(root: Path) -> Path:
    """Two phantoms in `train` and one in `validation` with MALC indices: full annotations."""
    for split, seeds in (("train", (0, 1)), ("validation", (9,))):
        for seed in seeds:
            image, labels, affine = brain_phantom(seed=seed)
            malc = np.zeros_like(labels)
            for first, index in MALC_OF_FIRST.items():
                malc[labels == first] = index
            save(root / split / f"sub-{seed}_T1w.nii.gz", image, affine)
            save(root / split / f"sub-{seed}_dseg.nii.gz", malc, affine)
    return root


def reoriented(data: np.ndarray, affine: np.ndarray, codes: str) -> tuple[np.ndarray, np.ndarray]:
    """The same volume stored with other axes, e.g. codes "PIR"; the world does not change."""
    transform = nib.orientations.ornt_transform(
        nib.io_orientation(affine), nib.orientations.axcodes2ornt(codes)
    )
    moved = nib.apply_orientation(data, transform)
    return moved, affine @ nib.orientations.inv_ornt_aff(transform, data.shape)
