"""A study of phantoms with segmentations by hand and by two models, one of them sometimes wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from phantoms import LEFT_PUTAMEN, MALC_OF_FIRST, brain_phantom, save

from monet_core.workspace import Study

SMALL = (40, 44, 40)
WRONG = 1
"""The scan of which the first model lacks most of the left putamen."""


def phantom_study(folder: Path, scans: int = 3) -> Study:
    """`scans` phantoms: "Manual" in malc, model "mo-net" in first, model "u-net" in malc."""
    study = Study.open(folder / "study")
    data = folder / "data"
    for seed in range(scans):
        image, labels, affine = brain_phantom(SMALL, spacing=2.0, seed=seed)
        path = save(data / f"sub-{seed}_T1w.nii.gz", image, affine)
        (entry,) = study.add([path])
        malc = np.zeros_like(labels)
        for first, index in MALC_OF_FIRST.items():
            malc[labels == first] = index
        manual = save(data / "manual" / f"sub-{seed}_dseg.nii.gz", malc, affine)
        study.add_segmentation(entry.id, manual, "malc", "manual", "Manual")
        wrong = labels.copy()
        if seed == WRONG:
            z = np.nonzero(labels == LEFT_PUTAMEN)[2]
            wrong[:, :, : int(np.quantile(z, 0.8))][
                labels[:, :, : int(np.quantile(z, 0.8))] == LEFT_PUTAMEN
            ] = 0
        ours = save(data / "monet" / f"sub-{seed}_dseg.nii.gz", wrong, affine)
        study.add_segmentation(entry.id, ours, "first", "model", "MO-Net", model="mo-net")
        shifted = save(data / "unet" / f"sub-{seed}_dseg.nii.gz", np.roll(malc, 1, axis=1), affine)
        study.add_segmentation(entry.id, shifted, "malc", "model", "U-Net", model="u-net")
    return study
