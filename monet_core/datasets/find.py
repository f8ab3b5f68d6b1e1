"""Finding scans and their label maps: in a BIDS tree, a flat folder or a table."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from monet_core.datasets import names
from monet_core.datasets.dataset import Dataset, Split, Subject, split_named
from monet_core.datasets.table import read_splits, subjects_of_table
from monet_core.errors import DatasetError

_LOOKED_FOR = (
    "looked for *_T1w.nii, .nii.gz, .mgz directly in it, in sub-*/[ses-*/]anat, "
    "and in sub-folders named train, validation or test"
)


def find_dataset(
    path: Path, protocol: str | None = None, labels_folder: Path | None = None
) -> Dataset:
    """The scans at `path`, each with the label map of `protocol` that belongs to it.

    `path` is a TSV (columns scan, labels, protocol, split; paths relative to the TSV), a BIDS tree
    or a flat folder. Label maps are `*_dseg.*` beside the scan or under `derivatives`, or anywhere
    below `labels_folder` where that is given; `_seg-<protocol>_` tells several apart. Files are
    not opened. Raises DatasetError where no scan is found or a label map is ambiguous.
    """
    path = Path(path)
    try:
        if path.is_dir():
            subjects = _subjects_of_folder(path, protocol, labels_folder)
        elif path.suffix.lower() == ".tsv" and path.is_file():
            subjects = subjects_of_table(path, protocol)
            if labels_folder is not None:
                subjects = _with_labels(subjects, _labels_below(labels_folder), protocol)
        else:
            raise _not_a_dataset(path)
    except OSError as error:
        raise DatasetError(
            "unreadable-folder",
            f"the folder or table cannot be read ({error.strerror or error})",
            remedy="Check that the path is right, not too long, and that you may read it.",
            file=error.filename or path,
        ) from error
    return Dataset(path, tuple(_unique(subjects)))


def _not_a_dataset(path: Path) -> DatasetError:
    kind = "is neither a folder nor a .tsv table" if path.exists() else "does not exist"
    return DatasetError(
        "not-a-dataset",
        f"this path {kind}",
        remedy="Give a folder of *_T1w.nii.gz scans, a BIDS folder, or a .tsv with a column scan.",
        file=path,
    )


def _subjects_of_folder(
    root: Path, protocol: str | None, labels_folder: Path | None
) -> list[Subject]:
    subjects = scans_of_folder(root)
    if labels_folder is not None:
        return _with_labels(subjects, _labels_below(labels_folder), protocol)
    return _with_labels(subjects, _labels_around(root, subjects), protocol)


def scans_of_folder(root: Path) -> list[Subject]:
    """The scans of a flat folder or BIDS tree, without labels; DatasetError where there is none."""
    scans = list(_scans(root))
    if not scans:
        raise DatasetError(
            "no-scans",
            f"no T1 scan was found; {_LOOKED_FOR}",
            remedy="Rename the scans to NAME_T1w.nii.gz, or list them in a .tsv (column scan).",
            file=root,
        )
    splits = read_splits(root / "participants.tsv")
    subjects = []
    for scan, folder_split in scans:
        name = names.scan_stem(scan) or scan.stem
        split = folder_split or splits.get(names.person(name))
        subjects.append(Subject(name, scan, split=split))
    return subjects


def label_maps_of(root: Path, subjects: Sequence[Subject]) -> list[list[Path]]:
    """Per subject every label map that is its own, of any protocol, those beside the scan first.

    Looked for beside the scans and under `root`'s derivatives; files are not opened.
    """
    by_identity = _by_identity(_labels_around(root, subjects))
    homes: dict[frozenset[str], set[Path]] = {}
    for subject in subjects:
        homes.setdefault(names.identity(subject.name), set()).add(subject.scan.parent)
    found = []
    for subject in subjects:
        identity, own = names.identity(subject.name), subject.scan.parent
        # The same name may stand in two folders; a map beside one of the scans is not the other's.
        others = homes[identity] - {own}
        maps = [file for file in by_identity.get(identity, ()) if file.parent not in others]
        found.append(sorted(dict.fromkeys(maps), key=lambda file: file.parent != own))
    return found


def _scans(root: Path) -> Iterator[tuple[Path, Split | None]]:
    for folder, split in _split_folders(root):
        for place in _places(folder):
            for file in _entries(place):
                if names.scan_stem(file) and file.is_file():
                    yield file, split


def _split_folders(root: Path) -> list[tuple[Path, Split | None]]:
    named: list[tuple[Path, Split | None]] = [(root, None)]
    for entry in _entries(root):
        split = split_named(entry.name)
        if split and entry.is_dir():
            named.append((entry, split))
    return named


def _places(folder: Path) -> Iterator[Path]:
    """`folder` and, in a BIDS tree, each subject's and session's folders below it."""
    yield folder
    for entry in _entries(folder):
        if entry.name.startswith("sub-") and entry.is_dir():
            for session in [entry, *(e for e in _entries(entry) if e.name.startswith("ses-"))]:
                yield session
                yield session / "anat"


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _labels_around(root: Path, subjects: Sequence[Subject]) -> list[Path]:
    """Label maps in the scans' own folders and anywhere under `derivatives`."""
    folders = dict.fromkeys(subject.scan.parent for subject in subjects)
    beside = [file for folder in folders for file in _entries(folder) if names.labels_stem(file)]
    bases = [folder for folder, _ in _split_folders(root)]
    derived = [file for base in bases for file in _walk(base / "derivatives")]
    return beside + derived


def _labels_below(folder: Path) -> list[Path]:
    if not Path(folder).is_dir():
        raise DatasetError(
            "no-labels-folder",
            "the folder of label maps does not exist",
            remedy="Check the path.",
            file=folder,
        )
    return list(_walk(Path(folder)))


def _walk(folder: Path) -> Iterator[Path]:
    """Every label map below `folder`; a link back to a folder already seen is not followed."""
    seen: set[str] = set()
    for place, inner, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            inner.clear()
            continue
        seen.add(real)
        inner.sort()
        yield from (Path(place, f) for f in sorted(files) if names.labels_stem(Path(f)))


def _with_labels(
    subjects: list[Subject], candidates: list[Path], protocol: str | None
) -> list[Subject]:
    by_identity = _by_identity(candidates)
    return [
        _labelled(subject, by_identity.get(names.identity(subject.name), []), protocol)
        for subject in subjects
    ]


def _by_identity(labels: Iterable[Path]) -> dict[frozenset[str], list[Path]]:
    grouped: dict[frozenset[str], list[Path]] = {}
    for file in labels:
        grouped.setdefault(names.identity(names.labels_stem(file) or ""), []).append(file)
    return grouped


def _labelled(subject: Subject, candidates: list[Path], protocol: str | None) -> Subject:
    beside = [file for file in candidates if file.parent == subject.scan.parent]
    # The same name may stand in two split folders; each scan then has its map beside it.
    chosen = _choose(beside, protocol) or _choose(candidates, protocol)
    if len(chosen) > 1:
        raise _ambiguous(subject, chosen)
    if not chosen:
        return subject
    named = names.segmentation(names.labels_stem(chosen[0]) or "")
    return replace(subject, labels=chosen[0], protocol=named or subject.protocol or protocol)


def _choose(candidates: list[Path], protocol: str | None) -> list[Path]:
    """Those made for `protocol`; where none is marked so, those of no stated protocol."""
    if protocol is None:
        return candidates
    marked = {file: names.segmentation(names.labels_stem(file) or "") for file in candidates}
    exact = [file for file, seg in marked.items() if seg and names.same_protocol(seg, protocol)]
    return exact or [file for file, seg in marked.items() if not seg]


def _ambiguous(subject: Subject, candidates: list[Path]) -> DatasetError:
    listed = ", ".join(str(file) for file in candidates)
    return DatasetError(
        "ambiguous-labels",
        f"{len(candidates)} label maps could belong to this scan: {listed}",
        remedy="Mark the right ones as NAME_seg-<protocol>_dseg, or list them in a .tsv.",
        file=subject.scan,
    )


def _unique(subjects: list[Subject]) -> list[Subject]:
    """Distinct names, in order: what stands in two splits gets its split's name, then a number."""
    counts = Counter(subject.name for subject in subjects)
    taken: set[str] = set()
    named = []
    for subject in sorted(subjects, key=lambda s: (s.name, s.split or "", str(s.scan))):
        base = subject.name
        if counts[base] > 1 and subject.split:
            base = f"{base}_split-{subject.split}"
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}_copy-{number}"
        taken.add(name)
        named.append(replace(subject, name=name))
    return named
