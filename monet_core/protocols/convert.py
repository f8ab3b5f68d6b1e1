"""Label files from one protocol to another, one file or whole folders."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monet_core.errors import MonetError, Note, OutputError, ScanError, Verdict
from monet_core.files import require_writable
from monet_core.protocols.mapping import ProtocolMapping
from monet_core.protocols.protocol import UNKNOWN_OPTION, Unknown, describe_values
from monet_core.scans import Decisions, read_labels, write_labels

_log = logging.getLogger(__name__)
_SUFFIXES = ("_dseg.nii.gz", "_dseg.nii", "_dseg.mgz", "_dseg.mgh")


@dataclass(frozen=True)
class Conversion:
    """One label file: what was written, or why it was not."""

    source: Path
    target: Path | None
    notes: tuple[Note, ...] = ()
    error: MonetError | None = None


def convert_labels(
    in_path: Path,
    out_path: Path,
    mapping: ProtocolMapping,
    decisions: Decisions | None = None,
    unknown: Unknown = "ask",
) -> list[Conversion]:
    """Write labels in the target protocol, on the same grid and with the same header geometry.

    A file goes to the file `out_path` (or into it, where that is a folder), and what is wrong
    with it is raised. Of a folder, all `*_dseg.nii[.gz]`, `.mgz` go to `out_path` with the same
    sub-folders and names (.mgz becomes .nii.gz); one that fails is reported, the others go on.
    Raises ScanError where there is nothing to convert, OutputError where inputs would be
    overwritten or `out_path` cannot be written to.
    """
    in_path, out_path = Path(in_path), Path(out_path)
    decisions = decisions or Decisions()
    if not in_path.is_dir():
        target = out_path / _nifti_name(in_path.name) if out_path.is_dir() else out_path
        _refuse_overwriting(in_path, target)
        require_writable(target.parent)
        return [_convert(in_path, target, mapping, decisions, unknown)]
    _refuse_overwriting(in_path, out_path)
    files = _label_files(in_path, skip=out_path)
    if not files:
        problem = "no file here ends with _dseg.nii, _dseg.nii.gz or _dseg.mgz"
        raise ScanError("no-labels", problem, remedy="Name the label file itself.", file=in_path)
    require_writable(out_path)
    return _convert_all(files, in_path, out_path, mapping, decisions, unknown)


def _convert_all(
    files: Sequence[Path],
    in_path: Path,
    out_path: Path,
    mapping: ProtocolMapping,
    decisions: Decisions,
    unknown: Unknown,
) -> list[Conversion]:
    results, taken = [], set()
    for source in files:
        target = out_path / source.relative_to(in_path).with_name(_nifti_name(source.name))
        try:
            if target in taken:
                problem = f"another label file was already converted to {target.name}"
                raise OutputError("same-output", problem, file=source)
            results.append(_convert(source, target, mapping, decisions, unknown))
            taken.add(target)
        except MonetError as error:
            _log.info("%s", error)
            results.append(Conversion(source, None, error=error))
    return results


def _convert(
    source: Path, target: Path, mapping: ProtocolMapping, decisions: Decisions, unknown: Unknown
) -> Conversion:
    labels = read_labels(source, decisions)
    notes = [*labels.notes, *mapping.notes]
    if unknown == "background" and (strange := mapping.source.unknown_values(labels.data)):
        message = (
            f"{describe_values(strange)} not in the protocol {mapping.source.name} and became "
            f"background ({UNKNOWN_OPTION} background)"
        )
        notes.append(Note(Verdict.FIXED, "unknown-labels", message, str(source)))
    write_labels(target, mapping.apply(labels.data, unknown, file=source), labels)
    return Conversion(source, target, tuple(notes))


def _label_files(folder: Path, skip: Path) -> list[Path]:
    """Label files below `folder`, sorted; links to folders are not followed (they may loop)."""
    found = []
    for parent, folders, names in os.walk(folder):
        here = Path(parent)
        folders[:] = [name for name in folders if (here / name).resolve() != skip.resolve()]
        found += [here / name for name in names if name.lower().endswith(_SUFFIXES)]
    return sorted(found)


def _nifti_name(name: str) -> str:
    stem = next((name[: -len(end)] for end in (".mgz", ".mgh") if name.lower().endswith(end)), None)
    return name if stem is None else f"{stem}.nii.gz"


def _refuse_overwriting(source: Path, target: Path) -> None:
    if source.resolve() == target.resolve():
        problem = "the output would overwrite the input"
        raise OutputError("same-output", problem, remedy="Choose another place.", file=target)
