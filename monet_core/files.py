"""Writing files so that nothing is ever half-written: a temporary name, sync, rename."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from monet_core.errors import OutputError

_TEMPORARY = ".writing-"


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on leaving without error it takes `path`'s place.

    The temporary name ends like `path` does, so that writers that look at the suffix work.
    Raises OutputError where the folder cannot be written to or the disk is full; the previous
    file, if any, is then still whole.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        suffix = "".join(path.suffixes[-2:])
        handle, name = tempfile.mkstemp(prefix=_TEMPORARY, suffix=suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        # mkstemp makes files that only their owner may read; results are for the whole lab.
        temporary.chmod(0o666 & ~_umask())
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise _output_error(error, path) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that a killed program left in a folder that is held locked."""
    for path in folder.glob(f"{_TEMPORARY}*"):
        if path.is_file():
            path.unlink(missing_ok=True)


def require_writable(folder: Path) -> Path:
    """Make `folder` and prove that a file can be written there, before long work starts.

    Raises OutputError (bad day 34) otherwise.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"probe")
            probe.flush()
    except OSError as error:
        raise _output_error(error, folder) from error
    return folder


def require_space(folder: Path, needed_bytes: int) -> None:
    """Raise OutputError where fewer than `needed_bytes` are free on the disk of `folder`."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise OutputError(
            "disk-full",
            f"about {needed_bytes / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free",
            remedy="Free some space or choose another folder.",
            file=folder,
        )


def sha256(path: Path) -> str:
    """SHA-256 of a file's content, as 64 hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented UTF-8 JSON, atomically."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    write_text(path, text)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically; bytes of file names that are no UTF-8 as \\udcXX."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def append_line(path: Path, line: str) -> None:
    """Append one line of UTF-8 text; OutputError where the disk is full or read-only."""
    with (
        telling_about(path),
        path.open("a", encoding="utf-8", errors="backslashreplace") as stream,
    ):
        stream.write(line + "\n")


@contextmanager
def telling_about(path: Path) -> Iterator[None]:
    """Turn the OSError of writing to `path` into an OutputError in words."""
    try:
        yield
    except OSError as error:
        raise _output_error(error, path) from error


def read_json(path: Path) -> Any:
    """Read a UTF-8 JSON file; raises OSError or json.JSONDecodeError (a ValueError)."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _sync(path: Path) -> None:
    """Force file or folder to the disk, so that a power loss cannot leave an empty rename."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _output_error(error: OSError, path: Path) -> OutputError:
    if error.errno == errno.ENOSPC:
        free = shutil.disk_usage(path.parent if path.parent.exists() else "/").free
        return OutputError(
            "disk-full",
            f"the disk is full ({free / 1e6:.0f} MB free)",
            remedy="Free some space and run the same command again; nothing was half-written.",
            file=path,
        )
    if error.errno == errno.ENAMETOOLONG:
        return OutputError(
            "path-too-long",
            f"the path is too long for this disk ({len(str(path))} characters, its last part "
            f"{len(path.name)})",
            remedy="Choose a shorter name or a folder with a shorter path.",
            file=path,
        )
    return OutputError(
        "not-writable",
        f"cannot write here ({error.strerror or error})",
        remedy="Choose a folder you may write to.",
        file=path,
    )
