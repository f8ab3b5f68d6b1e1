"""Mappings that users made: where they lie, how they are saved, and which one is meant."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import platformdirs

from monet_core.errors import Note, Verdict
from monet_core.protocols.mapping import ProtocolMapping, load_mapping
from monet_core.protocols.protocol import Protocol

_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")
_used: list[Path] = []


def atlas_folder() -> Path:
    """The user's own folder of label tables and mappings; it need not exist."""
    return platformdirs.user_data_path("monet-studio", appauthor=False) / "atlases"


def mapping_folders() -> tuple[Path, ...]:
    """Folders whose mappings `find_mapping` uses: the last one begun with first, the user's last.

    A mapping beside the label table of either protocol counts before all of these.
    """
    return (*reversed(_used), atlas_folder())


def use_mapping_folder(folder: Path) -> None:
    """Use the mappings of `folder` too, before those of other folders; for this process."""
    leave_mapping_folder(folder)
    _used.append(Path(folder))


def leave_mapping_folder(folder: Path) -> None:
    """Use the mappings of `folder` no longer."""
    _used[:] = [other for other in _used if other != Path(folder)]


def mapping_file_name(source: Protocol, target: Protocol) -> str:
    """SOURCE_to_TARGET.tsv, as a mapping must be called to be found."""
    names = (_UNSAFE.sub("-", protocol.name) for protocol in (source, target))
    return "{}_to_{}.tsv".format(*names)


def save_mapping(mapping: ProtocolMapping, folder: Path | None = None) -> Path:
    """Write a mapping where `find_mapping` finds it; returns its file.

    `folder`: by default that of the source's label table, else of the target's, else the user's.
    Raises OutputError where that cannot be written to.
    """
    beside = _beside(mapping.source, mapping.target)
    folder = folder or next(iter(beside), atlas_folder())
    path = folder / mapping_file_name(mapping.source, mapping.target)
    mapping.to_tsv(path)
    return path


def own_mapping_file(source: Protocol, target: Protocol) -> Path | None:
    """The user's table that maps `source` to `target`, None where there is none."""
    name = mapping_file_name(source, target)
    folders = (*_beside(source, target), *mapping_folders())
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def own_mapping(source: Protocol, target: Protocol) -> ProtocolMapping | None:
    """The user's mapping from `source` to `target`; a note says which table it is.

    Raises ProtocolError where that table does not fit the protocols.
    """
    path = own_mapping_file(source, target)
    if path is None:
        return None
    mapping = load_mapping(path, source, target)
    message = f"{source.name} to {target.name}: your own mapping was used"
    note = Note(Verdict.FIXED, "own-mapping", message, str(path))
    return replace(mapping, notes=(note, *mapping.notes))


def _beside(source: Protocol, target: Protocol) -> tuple[Path, ...]:
    """The folders of the label tables that are files of the user's."""
    files = (protocol.file for protocol in (source, target))
    return tuple(file.parent for file in files if file is not None)
