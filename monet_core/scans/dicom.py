"""Importing a folder of DICOM files as one NIfTI scan, by dcm2niix in a child process."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dcm2niix

from monet_core.errors import DecisionNeeded, OutputError, ScanError
from monet_core.files import atomic_path, read_json, require_writable, sha256
from monet_core.scans.gate import FEWEST_SLICES
from monet_core.scans.header import FileHeader, read_header
from monet_core.scans.opening import refused
from monet_core.scans.reading import NO_DECISIONS
from monet_core.scans.scan import Decisions

log = logging.getLogger(__name__)

# What dcm2niix prints about a series whose slices are not evenly spaced.
_GAPS = ("Interslice distance varies", "Missing images", "slices not equidistant")
_CONVERTED = re.compile(r"Convert \d+ DICOM as (.+) \([\dx]+\)")
_NAMED = re.compile(r"(\d+)_(.*)")


@dataclass(frozen=True, eq=False)
class _Series:
    number: int
    description: str
    header: FileHeader
    sidecar: dict[str, Any]
    gaps: bool

    def __str__(self) -> str:
        missing = ", slices missing" if self.gaps else ""
        return f"{self.number} ({self.description}, {self.header.shape[2]} slices{missing})"


def import_dicom(folder: Path, out_dir: Path, decisions: Decisions = NO_DECISIONS) -> Path:
    """Convert the 3-D series in `folder` (and below) to a .nii.gz in `out_dir`; returns its path.

    The file is named after folder and series, with a sidecar .json without names and dates.
    Localisers and other series of fewer than 10 slices are left out. Raises DecisionNeeded
    (`--series`) where there are several series, ScanError where there is none or where slices
    are missing, OutputError where `out_dir` cannot be written or holds another scan of that name.
    """
    folder = Path(folder)
    _require_folder(folder)
    require_writable(Path(out_dir))
    with tempfile.TemporaryDirectory(prefix="monet-dicom-") as name:
        output = _convert(folder, Path(name))
        series = _choose(_found(Path(name), output), folder, decisions)
        _require_whole(series, folder)
        stem = re.sub(r"[^\w-]+", "-", folder.resolve().name).strip("-_") or "scan"
        target = Path(out_dir) / f"{stem}_series-{series.number}_T1w.nii.gz"
        _keep(series.header.path, target)
        return target


def _require_folder(folder: Path) -> None:
    try:
        empty = next(folder.iterdir(), None) is None
    except OSError as error:
        reason = error.strerror or str(error)
        raise refused(
            "no-folder",
            f"cannot be read as a folder ({reason})",
            folder,
            "Give the folder that holds the DICOM files.",
        ) from error
    if empty:
        raise _no_series(folder, "the folder is empty")


def _no_series(folder: Path, why: str) -> ScanError:
    return refused("no-dicom-series", why, folder, "Give the folder of a 3-D T1 series.")


def _convert(folder: Path, out: Path) -> str:
    """Run dcm2niix over all series into `out`; returns what it printed."""
    # -g i: no defaults file of the user's; -ba y: no names or dates in the sidecar.
    # -x i: not turned or cropped, so that the third axis runs across the slices.
    options = ["-g", "i", "-b", "y", "-ba", "y", "-z", "i", "-x", "i", "-f", "%s_%d"]
    command = [str(dcm2niix.bin), *options, "-o", str(out), str(folder.resolve())]
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", check=False
        )
    except OSError as error:
        raise refused(
            "no-dcm2niix",
            f"dcm2niix could not be started ({error.strerror or error})",
            folder,
            "Install it again: pip install --force-reinstall dcm2niix",
        ) from error
    log.info("dcm2niix ended with %d: %s", done.returncode, done.stdout)
    return done.stdout


def _found(out: Path, printed: str) -> list[_Series]:
    """The 3-D series with enough slices, without phase images and dcm2niix's own repairs."""
    gaps = _with_gaps(printed)
    found = []
    for path in sorted(out.glob("*.nii.gz")):
        stem = path.name.removesuffix(".nii.gz")
        named = _NAMED.match(stem)
        if named is None or re.search(r"_Eq(_\d+)?$|_ph$|_ROI\d+$", stem):
            continue
        try:
            header = read_header(path)
        except ScanError as error:
            log.info("series left out: %s", error)
            continue
        if min(header.shape) >= FEWEST_SLICES:
            sidecar = _sidecar(out / f"{stem}.json")
            description = str(sidecar.get("SeriesDescription", named[2]))
            found.append(_Series(int(named[1]), description, header, sidecar, stem in gaps))
    return found


def _sidecar(path: Path) -> dict[str, Any]:
    return dict(read_json(path)) if path.is_file() else {}


def _with_gaps(printed: str) -> set[str]:
    """Stems of the files about which dcm2niix warned, before or right after naming them."""
    gaps: set[str] = set()
    pending, last = False, ""
    for line in printed.splitlines():
        converted = _CONVERTED.search(line)
        if converted:
            last = Path(converted[1]).name
            if pending:
                gaps.add(last)
            pending = False
        elif "not equidistant" in line:
            gaps.add(last)
        elif any(each in line for each in _GAPS):
            pending = True
    return gaps


def _choose(found: list[_Series], folder: Path, decisions: Decisions) -> _Series:
    if not found:
        raise _no_series(
            folder, f"there is no DICOM series here with at least {FEWEST_SLICES} slices"
        )
    listed = ", ".join(map(str, sorted(found, key=lambda each: each.number)))
    numbers = sorted({each.number for each in found})
    if decisions.series is None and len(numbers) > 1:
        raise DecisionNeeded(
            "several-series",
            f"there are several series: {listed}",
            option="--series",
            choices=tuple(map(str, numbers)),
            file=folder,
        )
    wanted = numbers[0] if decisions.series is None else decisions.series
    chosen = [each for each in found if each.number == wanted]
    if not chosen:
        raise refused(
            "no-such-series",
            f"there is no series {wanted}; there are: {listed}",
            folder,
            "Give one of these with --series.",
        )
    if len(chosen) > 1:
        raise refused(
            "ambiguous-series",
            f"series {wanted} holds {len(chosen)} volumes (several echoes or several persons)",
            folder,
            "Put the files of one volume of one person into a folder of their own.",
        )
    return chosen[0]


def _require_whole(series: _Series, folder: Path) -> None:
    thickness = float(series.sidecar.get("SliceThickness") or 0)
    volumetric = series.sidecar.get("MRAcquisitionType") == "3D"
    # A 3-D acquisition has no gaps by design: every second slice left out shows here.
    apart = float(series.header.raw["pixdim"][3])
    if series.gaps or (volumetric and thickness > 0 and apart > 1.5 * thickness):
        raise refused(
            "missing-slices",
            f"slices are missing in series {series}: they are not evenly spaced, or too far apart",
            folder,
            "Export the whole series again.",
        )


def _keep(source: Path, target: Path) -> None:
    """Move the converted scan and its sidecar into place; never over another scan."""
    if target.exists() and sha256(target) != sha256(source):
        raise OutputError(
            "name-taken",
            "another scan of this name is there already",
            remedy="Choose another folder, or rename the one that holds the DICOM files.",
            file=target,
        )
    stem = source.name.removesuffix(".nii.gz")
    sidecar = source.with_name(f"{stem}.json")
    if sidecar.is_file():
        kept = target.with_name(target.name.removesuffix(".nii.gz") + ".json")
        with atomic_path(kept) as temporary:
            shutil.copyfile(sidecar, temporary)
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)
