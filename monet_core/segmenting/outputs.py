"""The files of one segmented scan: their names, and how they appear all at once."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from monet_core.datasets.names import stem_of as stem_of
from monet_core.errors import OutputError
from monet_core.files import require_writable
from monet_core.models import ModelEntry

if TYPE_CHECKING:
    from monet_core.models import Model

_STAGED = ".writing-"


@dataclass(frozen=True, slots=True)
class DecoderFiles:
    """What is written for one decoder; `entropy` None where not asked for."""

    labels: Path
    table: Path
    volumes: Path
    record: Path
    entropy: Path | None

    @property
    def all(self) -> tuple[Path, ...]:
        """Every path; the record last, since its presence tells that the rest is there."""
        entropy = () if self.entropy is None else (self.entropy,)
        return (self.labels, self.table, self.volumes, *entropy, self.record)


def files_of(
    out: Path, stem: str, model: Model | ModelEntry, entropy: bool
) -> dict[str, DecoderFiles]:
    """Per decoder the files in `out`, named after its protocol (letters and digits, as in BIDS).

    Named after the decoder instead where two protocols have the same name.
    """
    names = {decoder: _label(p.name) for decoder, p in model.protocols.items()}
    if len(set(names.values())) < len(names):
        names = {decoder: _label(decoder) for decoder in names}
    files = {}
    for decoder, name in names.items():
        base = f"{stem}_seg-{name}"
        files[decoder] = DecoderFiles(
            labels=out / f"{base}_dseg.nii.gz",
            table=out / f"{base}_dseg.tsv",
            volumes=out / f"{base}_desc-volumes_stats.tsv",
            record=out / f"{base}_dseg.json",
            entropy=out / f"{base}_desc-entropy_probseg.nii.gz" if entropy else None,
        )
    return files


def refuse_other_scans(files: Mapping[str, DecoderFiles], scan: Path, scan_sha256: str) -> None:
    """OutputError where the results of another scan of the same name would be overwritten.

    Also where the disk does not take names as long as the results'.
    """
    _require_short_names(files, scan)
    for decoder in files.values():
        source = _source_of(decoder.record)
        overwritten = source is not None and source != scan_sha256
        if overwritten or any(path.exists() and path.samefile(scan) for path in decoder.all):
            raise OutputError(
                "other-scan",
                f"{decoder.labels.name} is there already and belongs to another scan of that name",
                remedy="Choose another output folder, or delete those results first.",
                file=scan,
            )


def _require_short_names(files: Mapping[str, DecoderFiles], scan: Path) -> None:
    longest = max((path for each in files.values() for path in each.all), key=_name_bytes)
    try:
        longest.lstat()
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            return
        raise OutputError(
            "path-too-long",
            f"the results' names would be too long for this disk ({_name_bytes(longest)} bytes)",
            remedy="Give the scan a shorter name, or choose a folder with a shorter path.",
            file=scan,
        ) from error


def _name_bytes(path: Path) -> int:
    return len(os.fsencode(path.name))


@contextmanager
def staged(out: Path, stem: str) -> Iterator[Path]:
    """A folder inside `out` to write into; on leaving without error its files move to `out`.

    On an error nothing of it stays; what a process that was killed leaves, `remove_staged` finds
    by `stem`.
    """
    out = require_writable(out)
    with _told(out):
        folder = Path(tempfile.mkdtemp(prefix=f"{_STAGED}{stem}-", dir=out))
    try:
        with _as_in(out, folder):
            yield folder
        with _told(out):
            # Records come last: where one is, all of its files are.
            for path in sorted(folder.iterdir(), key=lambda p: (p.suffix == ".json", p.name)):
                path.replace(out / path.name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_staged(out: Path, stem: str) -> None:
    """Remove what killed processes left half-written in `out` of the results of `stem`."""
    left = re.compile(re.escape(f"{_STAGED}{stem}-") + r"\w{8}")  # as mkdtemp names them
    for folder in out.glob(f"{_STAGED}*"):
        if left.fullmatch(folder.name):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _as_in(out: Path, folder: Path) -> Iterator[None]:
    """Let an error name the file where the user looks for it, not where it is made."""
    try:
        yield
    except OutputError as error:
        file = Path(error.file)
        if file.parent != folder:
            raise
        place = out / file.name
        raise OutputError(error.code, error.problem, remedy=error.remedy, file=place) from error


@contextmanager
def _told(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            "not-writable",
            f"cannot write here ({error.strerror or error})",
            remedy="Choose a folder you may write to.",
            file=out,
        ) from error


def _label(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", name) or "atlas"


def _source_of(record: Path) -> str | None:
    """SHA-256 of the scan that an earlier record names; "" where it names none."""
    try:
        data = json.loads(record.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return ""
    return str(data.get("SourceSha256", "")) if isinstance(data, dict) else ""
