"""Where a BIDS data set keeps its T1 scans, and what their results are called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from monet_core.errors import DatasetError

_T1W = re.compile(r"(?P<stem>sub-[^_]+(?:_[a-z]+-[^_]+)*)_T1w\.nii(?:\.gz)?")
_NOT_AS_SCANNED = re.compile(r"_(?:space|res|den|label|desc|seg)-|_part-(?!mag)")
"""In the names of images that were resampled or computed, and of phases, which are no scans."""
LISTED = 12


@dataclass(frozen=True)
class BidsScan:
    """A T1 scan of a data set; `session` is "" where the person has no sessions.

    `stem` are the entities of its name ("sub-01_ses-2_run-1"), `folder` its place in the data set
    with slashes ("sub-01/ses-2/anat"), where its results go in the derivatives.
    """

    path: Path
    subject: str
    session: str
    stem: str

    @property
    def folder(self) -> str:
        """Its folder in the data set."""
        return "/".join(part for part in (self.subject, self.session, "anat") if part)

    @property
    def uri(self) -> str:
        """What derivatives call it: a BIDS URI into the data set linked as "raw"."""
        return f"bids:raw:{self.folder}/{self.path.name}"


def find_scans(
    dataset: Path, participants: Sequence[str] = (), sessions: Sequence[str] = ()
) -> list[BidsScan]:
    """The T1 scans of a BIDS data set, by name; of `participants` and `sessions` only, if any.

    Labels with or without "sub-" and "ses-". Files are not opened: links whose content is not here
    are found too, and fail later, in words. Raises DatasetError where `dataset` is no BIDS data
    set, has no T1 scan, or lacks one of the participants or sessions.
    """
    subjects = _subjects(Path(dataset))
    chosen = _chosen(subjects, participants, "sub-", Path(dataset))
    scans = {scan.stem: scan for name in chosen for scan in _scans_of(subjects[name])}
    if sessions:
        there = {scan.session: scan for scan in scans.values() if scan.session}
        wanted = set(_chosen(there, sessions, "ses-", Path(dataset)))
        scans = {stem: scan for stem, scan in scans.items() if scan.session in wanted}
    if not scans:
        raise _no_scans(Path(dataset), chosen, subjects)
    return list(scans.values())


def anat_folders(root: Path) -> Iterator[tuple[str, str, Path]]:
    """Subject, session ("" for none) and the anat folder of each in a BIDS tree, in order."""
    for subject in subject_folders(root):
        for session, folder in _sessions(subject):
            yield subject.name, session, folder


def subject_folders(root: Path) -> list[Path]:
    """The folders sub-* right in `root`."""
    return [path for path in sorted(root.glob("sub-*")) if path.is_dir()]


def with_prefix(label: str, prefix: str) -> str:
    """ "01" and "sub-01" as "sub-01"."""
    return label if label.startswith(prefix) else prefix + label


def _subjects(dataset: Path) -> dict[str, Path]:
    try:
        found = {path.name: path for path in subject_folders(dataset)}
    except OSError as error:
        raise DatasetError(
            "unreadable-folder",
            f"the folder cannot be read ({error.strerror or error})",
            remedy="Check the path, and that you may read it.",
            file=dataset,
        ) from error
    if found:
        return found
    problem = "this is no BIDS data set: there is no folder sub-* in it"
    raise DatasetError(
        "not-bids",
        problem if dataset.is_dir() else "there is no such folder",
        remedy="Give the folder that holds sub-*/[ses-*/]anat/*_T1w.nii.gz; `monet segment` takes "
        "scans kept in any other way.",
        file=dataset,
    )


def _sessions(subject: Path) -> Iterator[tuple[str, Path]]:
    yield "", subject / "anat"
    for session in sorted(subject.glob("ses-*")):
        yield session.name, session / "anat"


def _scans_of(subject: Path) -> Iterator[BidsScan]:
    for session, folder in _sessions(subject):
        # Of sub-01_T1w.nii and sub-01_T1w.nii.gz, which BIDS forbids, the latter comes last.
        for path in sorted(folder.glob("sub-*_T1w.nii*")):
            match = _T1W.fullmatch(path.name)
            if match and not _NOT_AS_SCANNED.search(path.name):
                yield BidsScan(path, subject.name, session, match["stem"])


def _chosen(there: Iterable[str], labels: Sequence[str], prefix: str, dataset: Path) -> list[str]:
    names = sorted(there)
    wanted = list(dict.fromkeys(with_prefix(label, prefix) for label in labels)) or names
    missing = [name for name in wanted if name not in names]
    if missing:
        what = "participant" if prefix == "sub-" else "session"
        kept = _listed([name.removeprefix(prefix) for name in names]) or "none"
        raise DatasetError(
            f"no-such-{what}",
            f"there is no {what} {_listed(missing)}",
            remedy=f"There are: {kept}.",
            file=dataset,
        )
    return wanted


def _no_scans(dataset: Path, chosen: Sequence[str], subjects: Iterable[str]) -> DatasetError:
    count = len(list(subjects))
    of = _listed(chosen) if len(chosen) < count else f"any of {count} participants"
    return DatasetError(
        "no-scans",
        f"no T1 scan was found of {of}",
        remedy="They are looked for in sub-*/[ses-*/]anat and are called sub-*_T1w.nii.gz; images "
        "with space- or desc- in their names are no scans.",
        file=dataset,
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
