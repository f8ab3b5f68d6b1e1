"""Reading a scan of 256^3 voxels for a viewer: ours with all its checks, and nibabel alone.

What a viewer needs is an array of voxels, the affine and the spacing. Ours is `read_scan`, which
also verifies the gzip checksum and looks for voxels that are no numbers, wild ones, empty images,
contradicting orientations and label maps given as scans. nibabel's are `get_fdata(dtype=float32)`,
which gives the same floats, and `np.asarray(image.dataobj)`, which leaves the stored type (the
array a viewer would show, too, at the price of scaled files in float64).

Two files: a real scan (uint8, much of it exactly 0, packs to 3 MB) and the same with noise all
over in int16, as scanners make them (17 MB). They lie in the system's file cache. Then a label map,
read and written: ours are `read_labels` and `write_labels`.

    python benchmarks/loading.py [--repeats 7]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np
from monet_resources import SAMPLE
from side_by_side import Way, compare

from monet_core.scans import read_labels, read_scan, write_labels

SCAN = Path(__file__).parents[2] / "shared/data/scans/sub-brainchop_T1w.nii.gz"
SIDE = 256


def make_files(folder: Path) -> dict[str, Path]:
    """A real scan in uint8, the same in int16 with noise, and a label map; all 256^3."""
    image = nib.load(SCAN if SCAN.exists() else SAMPLE)
    voxels = np.asarray(image.dataobj, np.float32)
    voxels = np.pad(voxels, [(0, max(0, SIDE - n)) for n in voxels.shape])[:SIDE, :SIDE, :SIDE]
    voxels *= 250 / voxels.max()
    noise = np.abs(np.random.default_rng(0).normal(0, 12, voxels.shape))
    arrays = {
        "scan, uint8": voxels.astype(np.uint8),
        "scan with noise, int16": (8 * voxels + noise).astype(np.int16),
        "label map, int16": np.digitize(voxels, np.arange(2, 250, 2)).astype(np.int16) // 8 * 8,
    }
    files = {name: folder / f"{i}.nii.gz" for i, name in enumerate(arrays)}
    for name, array in arrays.items():
        nib.save(nib.Nifti1Image(array, image.affine), files[name])
    return files


def ours(path: Path) -> tuple:
    """Voxels, affine, spacing, by `read_scan`."""
    scan = read_scan(path)
    return scan.data, scan.geometry.affine, scan.geometry.spacing


def ours_labels(path: Path) -> tuple:
    """Voxels, affine, spacing, by `read_labels`."""
    labels = read_labels(path)
    return labels.data, labels.geometry.affine, labels.geometry.spacing


def nibabel_floats(path: Path) -> tuple:
    """Voxels in float32, affine, spacing, by nibabel."""
    image = nib.load(path)
    return image.get_fdata(dtype=np.float32), image.affine, image.header.get_zooms()


def nibabel_stored(path: Path) -> tuple:
    """Voxels as stored, affine, spacing, by nibabel."""
    image = nib.load(path)
    return np.asarray(image.dataobj), image.affine, image.header.get_zooms()


def write_ours(path: Path, to: Path) -> Callable[[], object]:
    """`write_labels`, under a temporary name first."""
    labels = read_labels(path)
    return partial(write_labels, to, labels.data, labels)


def write_nibabel(path: Path, to: Path) -> Callable[[], object]:
    """nibabel's `save` of the same integers."""
    array, affine, _ = nibabel_stored(path)
    return lambda: nib.save(nib.Nifti1Image(array, affine), to)


def call_of(read: Callable[[Path], tuple], path: Path) -> Callable[[], object]:
    """`read` on `path`."""
    return partial(read, path)


def measure_reading(name: str, path: Path, repeats: int) -> None:
    """The table of one file; all ways give equal voxels and affines."""
    labels = name.startswith("label")
    ways = {
        f"read_{'labels' if labels else 'scan'}": ours_labels if labels else ours,
        "nibabel, float32": nibabel_floats,
        "nibabel, as stored": nibabel_stored,
    }
    found = [read(path) for read in ways.values()]
    equal = all(np.array_equal(a, b) for each in found for a, b in zip(found[0], each, strict=True))
    compare(
        f"Loading {name}, 256^3 .nii.gz",
        [Way(each, partial(call_of, read, path)) for each, read in ways.items()],
        repeats=repeats,
        memory=True,
        goal="at most 1.3x",
    )
    print(f"\nfile {path.stat().st_size / 1e6:.1f} MB, voxels and affines equal: {equal}")


def main() -> None:
    """Three files read, one written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = make_files(folder)
        for each, path in files.items():
            measure_reading(each, path, repeats)
        path, to = files["label map, int16"], folder / "out.nii.gz"
        compare(
            "Writing a label map, 256^3 .nii.gz",
            [
                Way("write_labels", partial(write_ours, path, to)),
                Way("nibabel", partial(write_nibabel, path, to)),
            ],
            repeats=repeats,
        )


if __name__ == "__main__":
    main()
