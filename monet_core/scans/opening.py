"""Opening scan files by their content: paths, gzip, .hdr/.img pairs, and what else is inside."""

from __future__ import annotations

import errno
import gzip
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import cast

from isal import igzip, igzip_lib

from monet_core.errors import Note, ScanError, Verdict

log = logging.getLogger(__name__)

GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 18
# Deflate never packs better than about 1032 to 1, so more than that cannot be inside.
MOST_GZIP_RATIO = 1100

# isal's stubs take its exception for an instance.
_DAMAGED = (EOFError, gzip.BadGzipFile, cast(type[Exception], igzip_lib.IsalError))

_OTHER_CONTENT = (
    (b"PK\x03\x04", "a zip archive", "Unpack it and give the scan inside."),
    (b"BZh", "bzip2-compressed", "Unpack it with bunzip2."),
    (b"\xfd7zXZ", "xz-compressed", "Unpack it with unxz."),
    (b"\x89HDF", "an HDF5 or MINC file", "Convert it to NIfTI."),
    (b"\x89PNG", "a PNG picture", "Give the scan itself, as NIfTI or MGZ."),
    (b"\xff\xd8\xff", "a JPEG picture", "Give the scan itself, as NIfTI or MGZ."),
    (b"NRRD", "an NRRD file", "Convert it to NIfTI."),
)


def refused(code: str, problem: str, path: Path, remedy: str) -> ScanError:
    """A `ScanError` about `path`."""
    return ScanError(code, problem, remedy=remedy, file=path)


def existing_file(path: Path) -> Path:
    """`path` when it is a readable file that is not empty; otherwise ScanError says why not."""
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise _is_folder(path)
        with path.open("rb"):
            pass
    except (OSError, ValueError) as error:
        raise _unreachable(path, error) from error
    if size == 0:
        raise refused(
            "empty-file", "the file is empty (0 bytes)", path, "Copy or download it again."
        )
    return path


def _is_folder(path: Path) -> ScanError:
    return refused(
        "folder-as-scan",
        "this is a folder, not a scan",
        path,
        "It holds DICOM files; import it as DICOM, which makes a NIfTI scan of it."
        if is_dicom_folder(path)
        else "Give a .nii, .nii.gz or .mgz file.",
    )


def is_dicom_folder(folder: Path) -> bool:
    """Whether one of the first files in `folder` or below is DICOM, by content."""
    try:
        files = (each for each in Path(folder).rglob("*") if each.is_file())
        return any(_is_dicom(each) for each in islice(files, 20))
    except OSError:
        return False


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _unreachable(path: Path, error: OSError | ValueError) -> ScanError:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.ENOENT and path.is_symlink():
        return refused(
            "dangling-link",
            "the file that this link leads to is not here",
            path,
            "Get it; of a DataLad or git-annex data set with `datalad get`.",
        )
    if number == errno.ENOENT:
        return refused("no-such-file", "there is no such file", path, "Check the path.")
    if number == errno.ELOOP:
        return refused(
            "link-loop", "the link leads in a circle", path, "Give the path of the file itself."
        )
    if number == errno.ENAMETOOLONG:
        return refused(
            "path-too-long",
            f"the path is too long for this system ({len(str(path))} characters)",
            Path(path.name[:60] + "..."),
            "Move the file to a folder with a shorter path.",
        )
    if number in (errno.EACCES, errno.EPERM):
        return refused(
            "not-readable", "you may not read this file", path, "Ask for read permission."
        )
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return refused("not-readable", f"cannot be read ({reason})", path, "Check file and drive.")


def split_suffix(path: Path) -> tuple[str, str, str]:
    """Name without suffix, the suffix as written (".nii", ".HDR") and ".gz" as written or ""."""
    name, packed = path.name, ""
    if name.lower().endswith(".gz"):
        name, packed = name[:-3], name[-3:]
    stem, dot, suffix = name.rpartition(".")
    return (stem, dot + suffix, packed) if dot else (name, "", packed)


def pair_of(path: Path) -> tuple[Path, Path]:
    """Header file and data file of `path`; the same twice unless it is half of an .hdr/.img pair.

    Raises ScanError naming the half that is missing.
    """
    stem, suffix, packed = split_suffix(path)
    if suffix.lower() not in (".hdr", ".img"):
        return existing_file(path), path
    existing_file(path)
    other = ".img" if suffix.lower() == ".hdr" else ".hdr"
    other = other.upper() if suffix.isupper() else other
    endings = (packed, "" if packed else ".gz")
    candidates = [path.with_name(stem + other + ending) for ending in endings]
    partner = next((each for each in candidates if each.is_file()), None)
    if partner is None:
        raise refused(
            "half-pair",
            f"this is half of a pair, and {candidates[0].name} is missing",
            path,
            f"Put {candidates[0].name} beside it.",
        )
    existing_file(partner)
    return (path, partner) if suffix.lower() == ".hdr" else (partner, path)


def is_gzip(path: Path) -> bool:
    """Whether the content (not the name) is gzip."""
    with path.open("rb") as stream:
        return stream.read(2) == GZIP_MAGIC


def naming_note(path: Path) -> tuple[Note, ...]:
    """A FIXED note where the name says gzip and the content does not, or the other way round."""
    _, suffix, packed = split_suffix(path)
    named = bool(packed) or suffix.lower() == ".mgz"
    if named == is_gzip(path):
        return ()
    text = "named as gzip but not compressed" if named else "gzip-compressed but not named .gz"
    return (Note(Verdict.FIXED, "gzip-by-content", f"{text}; read by its content", str(path)),)


class Reader:
    """Reads a file, plain or gzip, to the byte, and knows how much of it was readable.

    `expected` is the size in bytes that the (unpacked) file should have.
    """

    def __init__(self, stream: io.BufferedIOBase, path: Path, expected: int | None = None) -> None:
        self._stream = stream
        self._path = path
        self.expected = expected
        self.done = 0

    def take(self, count: int, *, short: bool = False) -> bytearray:
        """The next `count` bytes; ScanError "truncated" where there are fewer, unless `short`."""
        buffer = bytearray(count)
        view = memoryview(buffer)
        got = 0
        while got < count:
            read = self._into(view[got : got + CHUNK])
            if not read:
                break
            got += read
            self.done += read
        view.release()
        if got < count and not short:
            raise self._broken("the file ends too early")
        return buffer[:got]

    def skip(self, count: int) -> None:
        """Leave out `count` bytes."""
        for start in range(0, count, CHUNK):
            self.take(min(CHUNK, count - start))

    def finish(self) -> None:
        """Read on to the end of a gzip stream, where its checksum stands."""
        limit = self.done + max(self.done, CHUNK)
        while self.done < limit and self.take(CHUNK, short=True):
            pass

    def _into(self, buffer: memoryview) -> int:
        try:
            return self._stream.readinto(buffer)
        except _DAMAGED as error:
            raise self._broken(f"the gzip data are damaged ({error})") from error
        except OSError as error:
            raise _unreachable(self._path, error) from error

    def _broken(self, why: str) -> ScanError:
        if self.expected is None:
            amount = f"{self.done / 1e6:.1f} MB readable"
        else:
            amount = f"{self.done / 1e6:.1f} of {self.expected / 1e6:.1f} MB readable"
        return refused(
            "truncated", f"{why}; {amount}", self._path, "Copy or download the file again."
        )


@contextmanager
def reading(path: Path, expected: int | None = None) -> Iterator[Reader]:
    """A `Reader` over the unpacked content of `path`."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise _unreachable(path, error) from error
    with raw:
        packed = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        if packed:
            with igzip.IGzipFile(fileobj=raw) as stream:
                yield Reader(stream, path, expected)
        else:
            yield Reader(raw, path, expected)


def foreign_content(start: bytes, path: Path) -> ScanError:
    """What to say about a file whose first bytes are those of no scan format."""
    for magic, what, remedy in _OTHER_CONTENT:
        if start.startswith(magic):
            return refused("not-a-scan", f"this is {what}, not a scan", path, remedy)
    if start[128:132] == b"DICM":
        return refused(
            "dicom-file",
            "this is a DICOM file, one slice or more of a series",
            path,
            "Import the folder it lies in as DICOM; that makes a NIfTI scan of it.",
        )
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return refused(
            "html-page",
            "this is a web page saved under a scan's name, perhaps an error message of a server",
            path,
            "Download the scan again and check that you are logged in there.",
        )
    return refused(
        "not-a-scan",
        "this is neither NIfTI, MGH nor Analyze",
        path,
        "Give a .nii, .nii.gz, .mgz or .hdr/.img scan.",
    )
