"""Prepared subjects on disk, and the random patches that a training sees of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from monet_core.augmentation import AugmentationSettings, sample_patch
from monet_core.errors import Note, TrainingError
from monet_core.files import atomic_path

# So many voxels of each class are kept as possible patch centres.
_CENTRES_PER_CLASS = 64
_IMAGE, _CENTRES = "image.npy", "centres.npy"


@dataclass(frozen=True)
class PreparedSubject:
    """A scan in model space and its label maps, kept as arrays in `folder`.

    Arrays are opened (memory-mapped, read-only) at each use: thousands of subjects cost no open
    files, and a subject is a few bytes for a worker process. `background` is the smallest value
    of the image, which continues it beyond its edge; `shape` in voxels.
    """

    name: str
    folder: Path
    shape: tuple[int, int, int]
    decoders: tuple[str, ...]
    background: float
    notes: tuple[Note, ...] = ()

    @property
    def image(self) -> NDArray[np.float32]:
        """Normalised intensities, float32 (X, Y, Z), RAS+."""
        return _open(self.folder / _IMAGE)

    @property
    def labels(self) -> dict[str, NDArray[np.unsignedinteger]]:
        """Classes per decoder, uint8 or uint16 (X, Y, Z)."""
        return {name: _open(self.folder / label_file(name)) for name in self.decoders}

    @property
    def centres(self) -> NDArray[np.uint16]:
        """Rows (class, x, y, z), sorted by class: voxels of the decoder with most classes.

        At most 64 per class, at random; background left out.
        """
        return np.load(self.folder / _CENTRES)


def write_subject(
    folder: Path,
    name: str,
    image: NDArray[np.floating],
    labels: Mapping[str, NDArray[np.unsignedinteger]],
    notes: tuple[Note, ...] = (),
) -> PreparedSubject:
    """Store a prepared scan (X, Y, Z) and its class maps in `folder`, which exists.

    Raises OutputError where the disk is full or read-only.
    """
    image = np.ascontiguousarray(image, dtype=np.float32)
    _save(folder / _IMAGE, image)
    for decoder, classes in labels.items():
        _save(folder / label_file(decoder), np.ascontiguousarray(classes))
    _save(folder / _CENTRES, find_centres(labels))
    shape = (image.shape[0], image.shape[1], image.shape[2])
    return PreparedSubject(name, folder, shape, tuple(labels), float(image.min()), notes)


def find_centres(labels: Mapping[str, NDArray[np.unsignedinteger]]) -> NDArray[np.uint16]:
    """Random voxels of every class, as `PreparedSubject.centres` describes; always the same."""
    rng = np.random.default_rng(0)
    best: list[NDArray[np.uint16]] = []
    for classes in labels.values():
        found = list(_centres_of(classes, rng))
        best = max(best, found, key=len)
    return np.concatenate(best) if best else np.zeros((0, 4), np.uint16)


def label_file(decoder: str) -> str:
    """Name of the file that holds the class map of `decoder`."""
    return f"labels-{decoder}.npy"


class PatchDataset(Dataset[dict[str, Any]]):
    """Random patches of subjects; item i is the same whenever and wherever it is made.

    Items count through all epochs: item i is number i % len of epoch i // len. Every random
    number of an item comes from (seed, epoch, number), so that a resumed training sees what an
    unbroken one would have seen, with any number of workers and processes.
    """

    def __init__(
        self,
        subjects: Sequence[PreparedSubject],
        patch: int | tuple[int, int, int],
        *,
        patches_per_subject: int = 1,
        augmentation: AugmentationSettings | None = None,
        swaps: Mapping[str, NDArray[np.integer]] | None = None,
        seed: int = 0,
        foreground_share: float = 0.0,
    ) -> None:
        """`patch` in voxels; `swaps` per decoder the class of each class in a left-right mirror.

        `foreground_share` of the patches are centred on a voxel of a class drawn evenly from
        those present; the others lie anywhere (all of them in the paper).
        Raises TrainingError without subjects, or with a mirror but no swaps.
        """
        if not subjects:
            raise TrainingError("no-scans", "there is no scan to take patches from")
        self.subjects = tuple(subjects)
        self.patch = (patch, patch, patch) if isinstance(patch, int) else patch
        self.patches_per_subject = patches_per_subject
        self.augmentation = augmentation or AugmentationSettings.none()
        self.swaps = dict(swaps or {})
        self.seed = seed
        self.foreground_share = foreground_share
        self._check_swaps()

    def __len__(self) -> int:
        """Patches per epoch."""
        return len(self.subjects) * self.patches_per_subject

    def __getitem__(self, index: int) -> dict[str, Any]:
        """`image` float32 (1, *patch), `targets` {decoder: classes (*patch)}, `name`, `step`.

        Targets are uint8, or int32 where a protocol has more than 256 classes; `step` is `index`.
        """
        epoch, number = divmod(index, len(self))
        subject = self.subjects[self._order(epoch)[number]]
        # numpy seeds [a, b] and [a, b, 0] alike; + 1 keeps items apart from the epoch's order.
        rng = np.random.default_rng([self.seed, epoch, number + 1])
        image, labels = sample_patch(
            subject.image,
            subject.labels,
            self._centre(subject, rng),
            self.patch,
            self.augmentation,
            rng,
            self.swaps,
            subject.background,
        )
        targets = {name: torch.from_numpy(_torch_type(values)) for name, values in labels.items()}
        picture = torch.from_numpy(image)[None]
        return {"image": picture, "targets": targets, "name": subject.name, "step": index}

    def _order(self, epoch: int) -> NDArray[np.int64]:
        return _epoch_order(self.seed, epoch, len(self.subjects), self.patches_per_subject)

    def _centre(self, subject: PreparedSubject, rng: np.random.Generator) -> tuple[int, int, int]:
        """A patch's middle voxel, such that the patch fits; a scan smaller than it is centred."""
        if rng.random() < self.foreground_share and len(centres := subject.centres):
            wanted = _pick_voxel(centres, rng)
        else:
            wanted = None
        centre = []
        for axis, (size, side) in enumerate(zip(subject.shape, self.patch, strict=True)):
            low, high = side // 2, size - side + side // 2
            if high < low:
                # Padded as `segmenting.tiling` pads what is to be predicted.
                centre.append(low - (side - size) // 2)
            elif wanted is None:
                centre.append(int(rng.integers(low, high + 1)))
            else:
                centre.append(int(np.clip(wanted[axis], low, high)))
        return centre[0], centre[1], centre[2]

    def _check_swaps(self) -> None:
        if self.augmentation.mirror_probability == 0:
            return
        decoders = {name for subject in self.subjects for name in subject.decoders}
        if missing := sorted(decoders - self.swaps.keys()):
            raise TrainingError(
                "no-swaps",
                f"scans cannot be mirrored: no left-right pairs for decoder {', '.join(missing)}",
                remedy="Set mirror_probability to 0 or give the pairs.",
            )


@lru_cache(maxsize=4)
def _epoch_order(seed: int, epoch: int, subjects: int, patches: int) -> NDArray[np.int64]:
    """Subject of every item of an epoch: each appears `patches` times, in random order."""
    rng = np.random.default_rng([seed, epoch])
    return rng.permutation(np.tile(np.arange(subjects), patches))


def _centres_of(
    classes: NDArray[np.unsignedinteger], rng: np.random.Generator
) -> Iterator[NDArray[np.uint16]]:
    flat = classes.reshape(-1)
    where = np.flatnonzero(flat)
    where = where[np.argsort(flat[where], kind="stable")]
    present, counts = np.unique(flat[where], return_counts=True)
    ends = np.cumsum(counts)
    for value, count, end in zip(present, counts, ends, strict=True):
        voxels = where[end - count : end]
        some = rng.choice(voxels, min(count, _CENTRES_PER_CLASS), replace=False)
        places = np.stack(np.unravel_index(some, classes.shape), axis=1)
        yield np.insert(places, 0, value, axis=1).astype(np.uint16)


def _pick_voxel(centres: NDArray[np.uint16], rng: np.random.Generator) -> NDArray[np.uint16]:
    """A class evenly from those present, then one of its voxels evenly."""
    classes = centres[:, 0]
    wanted = rng.choice(np.unique(classes))
    first, last = np.searchsorted(classes, [wanted, wanted + 1])
    return centres[rng.integers(first, last), 1:]


def _torch_type(classes: NDArray[np.unsignedinteger]) -> NDArray[np.integer]:
    return classes if classes.dtype == np.uint8 else classes.astype(np.int32)


def _open(path: Path) -> NDArray[Any]:
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _save(path: Path, array: NDArray[Any]) -> None:
    with atomic_path(path) as temporary:
        np.save(temporary, array, allow_pickle=False)
