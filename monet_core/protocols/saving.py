"""A folder of a lab's own atlases: label tables, and the mappings between them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from monet_core.errors import OutputError, ProtocolError
from monet_core.protocols.protocol import Protocol
from monet_core.protocols.shipped import is_shipped, load_protocol
from monet_core.protocols.writing import write_tsv

_TABLES = (".tsv", ".csv", ".txt", ".lut", ".label")
_FORBIDDEN = set('/\\:*?"<>|')


def save_protocol(protocol: Protocol, folder: Path, replacing: bool = False) -> Protocol:
    """Write NAME.tsv into `folder`; returns the protocol as `load_protocol` reads it from there.

    Its `file` says where it lies. Raises ProtocolError where the name cannot be a file's or is a
    shipped protocol's, OutputError where the file exists (unless `replacing`) or the folder
    cannot be written to.
    """
    check_name(protocol.name)
    path = folder / f"{protocol.name}.tsv"
    if path.exists() and not replacing:
        remedy = "Choose another name."
        raise OutputError("exists", "there is an atlas of this name", remedy=remedy, file=path)
    write_tsv(protocol, path)
    return replace(load_protocol(path.resolve()), file=path)


def check_name(name: str) -> None:
    """Raise ProtocolError where a lab's protocol cannot have this name."""
    problem = ""
    if not name or name != name.strip() or name.startswith("."):
        problem = "must not be empty, nor begin with a dot, nor begin or end with a space"
    elif _FORBIDDEN & set(name) or not name.isprintable() or len(name.encode()) > 100:
        problem = 'must be a short file name without / \\ : * ? " < > |'
    elif name.lower().endswith("_dseg"):
        problem = "must not end with _dseg"
    elif is_shipped(name):
        problem = "is that of an atlas that ships with the program"
    if problem:
        raise ProtocolError("bad-name", f"the name {name!r} {problem}", remedy="Choose another.")


def atlas_tables(folder: Path) -> list[Path]:
    """The label tables in a folder, by name; mappings (columns source, target) are left out."""
    if not folder.is_dir():
        return []
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _TABLES)
    return [path for path in files if not path.name.startswith(".") and not _is_mapping(path)]


def _is_mapping(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            header = stream.read(200).splitlines()[:1]
    except OSError:
        return False
    columns = header[0].lower().split(b"\t") if header else []
    return b"source" in columns and b"target" in columns
