"""Reading a model's two files from a folder or a zip, trusting neither.

Nothing is unpacked to disk and nothing but the two known files is read. Pickles, which run code
when loaded, are refused by name and by content.
"""

from __future__ import annotations

import re
import stat
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath

from monet_core.errors import ModelError

MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
MAX_BYTES = {MANIFEST: 16_000_000, WEIGHTS: 2_000_000_000}
MAX_MEMBERS = 16
MAX_TOTAL_BYTES = 2_000_000_000
MAX_RATIO = 100
"""Of compression. Weights hardly compress; the bound counts for members above 1 MB."""

_PICKLES = {".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib", ".npy", ".npz"}
_CONFIGS = {".yaml", ".yml", ".py", ".toml", ".cfg", ".ini"}
_PICKLE_START = re.compile(rb"\x80[\x02-\x05]|PK\x03\x04")


def locate(path: Path) -> Path:
    """The model folder or zip that `path` means: itself, its `model` folder, or its parent.

    Raises ModelError where there is no model, or one of a kind that is refused.
    """
    try:
        return _locate(path)
    except OSError as error:
        raise _unreadable(path.name, error, path) from error


def _locate(path: Path) -> Path:
    if path.name in MAX_BYTES and path.is_file():
        path = path.parent
    if path.is_dir():
        return _locate_folder(path)
    if not path.exists():
        if is_model(previous_of(path)):
            return previous_of(path)
        raise ModelError(
            "model-missing", "there is no such model", remedy="Check the path.", file=path
        )
    _refuse_by_name(path)
    if not zipfile.is_zipfile(path):
        raise ModelError(
            "not-a-model",
            f"this is no model: neither a folder with {MANIFEST} and {WEIGHTS} nor a zip of one",
            remedy="Give the model's folder.",
            file=path,
        )
    return path


def previous_of(folder: Path) -> Path:
    """Where a model is kept while a newer one takes its place (see `save_model`)."""
    return folder.with_name(f".{folder.name}.previous")


def read_member(place: Path, name: str) -> bytes:
    """The content of one of the two files of a located model; ModelError where it is unsound."""
    if place.is_dir():
        return _read_file(place / name, MAX_BYTES[name])
    try:
        with zipfile.ZipFile(place) as archive:
            return _read_zipped(archive, name, place)
    # RuntimeError: encrypted; NotImplementedError: a compression this Python lacks.
    except (zipfile.BadZipFile, EOFError, RuntimeError, OSError, ValueError) as error:
        raise ModelError(
            "archive-damaged",
            f"the archive cannot be read ({error})",
            remedy="Get it again, or give the unpacked folder.",
            file=place,
        ) from error


def refuse_pickle(content: bytes, file: Path) -> None:
    """Raise ModelError where `content` is a pickle or a zip rather than safetensors.

    A safetensors file begins with the length of its header in 8 bytes, then the header's brace.
    """
    if content[8:9] != b"{" and _PICKLE_START.match(content):
        raise _pickle_error(file)


def _pickle_error(file: Path) -> ModelError:
    return ModelError(
        "pickle-refused",
        "pickle refused, nothing was executed: such files can run code when opened",
        remedy="Export the weights as safetensors, with a manifest.",
        file=file,
    )


def is_model(folder: Path) -> bool:
    """Whether a folder claims to hold a model."""
    return (folder / MANIFEST).is_file()


def _locate_folder(folder: Path) -> Path:
    for candidate in (folder, folder / "model", previous_of(folder / "model")):
        if is_model(candidate):
            return candidate
    if any(child.suffix.lower() in _PICKLES for child in folder.iterdir()):
        raise _pickle_error(folder)
    raise ModelError(
        "not-a-model",
        f"the folder holds no model ({MANIFEST} and {WEIGHTS})",
        remedy="Give a model's folder, or the folder of a finished training run.",
        file=folder,
    )


def _refuse_by_name(path: Path) -> None:
    suffix = path.suffix.lower()
    if suffix in _PICKLES:
        raise _pickle_error(path)
    if suffix in _CONFIGS:
        raise ModelError(
            "config-refused",
            "configurations and code are not models; nothing was executed",
            remedy=f"Give a folder with {MANIFEST} and {WEIGHTS}.",
            file=path,
        )
    with path.open("rb") as stream:
        start = stream.read(9)
    if suffix != ".zip":
        refuse_pickle(start, path)


def _read_file(path: Path, limit: int) -> bytes:
    try:
        if not path.is_file():
            raise _missing(path.name, path.parent)
        size = path.stat().st_size
        if size > limit:
            raise _too_large(path.name, size, limit, path.parent)
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path.name, error, path.parent) from error


def _read_zipped(archive: zipfile.ZipFile, name: str, file: Path) -> bytes:
    members = archive.infolist()
    _check_members(members, file)
    found = [member for member in members if _known_name(member.filename) == name]
    if not found:
        raise _missing(name, file)
    if len(found) > 1:
        raise _unsafe(f"it holds {name} {len(found)} times", file)
    limit = MAX_BYTES[name]
    with archive.open(found[0]) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise _too_large(name, len(content), limit, file)
    return content


def _known_name(filename: str) -> str:
    """The file's name where it lies at the top or in a single folder, else ""."""
    parts = PurePosixPath(filename).parts
    return parts[-1] if len(parts) in (1, 2) and parts[0] != "__MACOSX" else ""


def _check_members(members: list[zipfile.ZipInfo], file: Path) -> None:
    if len(members) > MAX_MEMBERS:
        raise _unsafe(f"it holds {len(members)} files, a model has 2", file)
    for member in members:
        _check_member(member, file)
    total = sum(member.file_size for member in members)
    if total > MAX_TOTAL_BYTES:
        raise _too_large("the content", total, MAX_TOTAL_BYTES, file)


def _check_member(member: zipfile.ZipInfo, file: Path) -> None:
    name = member.filename
    windows = PureWindowsPath(name)
    if windows.drive or windows.root or ".." in windows.parts or "\\" in name:
        raise _unsafe(f"it holds a path that leads out of its folder ({name[:60]!r})", file)
    if stat.S_ISLNK(member.external_attr >> 16):
        raise _unsafe(f"it holds a link ({name[:60]!r})", file)
    if PurePosixPath(name).suffix.lower() in _PICKLES:
        raise _pickle_error(file)
    if member.file_size > max(1_000_000, MAX_RATIO * member.compress_size):
        raise _unsafe(f"{name[:60]!r} would grow {MAX_RATIO}-fold and more when unpacked", file)


def _unreadable(name: str, error: OSError, file: Path) -> ModelError:
    return ModelError(
        "model-unreadable",
        f"cannot read {name[:80]} ({error.strerror or error})",
        remedy="Check that it is there and that you may read it.",
        file=file,
    )


def _unsafe(problem: str, file: Path) -> ModelError:
    return ModelError(
        "archive-unsafe",
        f"the archive is refused: {problem}; nothing was unpacked",
        remedy="Get the model from its maker, packed by this program.",
        file=file,
    )


def _missing(name: str, file: Path) -> ModelError:
    return ModelError(
        "model-incomplete",
        f"{name} is missing from the model",
        remedy="Get the model again.",
        file=file,
    )


def _too_large(name: str, size: int, limit: int, file: Path) -> ModelError:
    return ModelError(
        "model-too-large",
        f"{name} takes {size / 1e6:.0f} MB, more than the {limit / 1e6:.0f} MB allowed",
        remedy="This is no model of this program.",
        file=file,
    )
