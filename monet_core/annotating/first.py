"""FSL FIRST (Patenaude et al., NeuroImage 2011), run through nipype's interface."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from monet_core.annotating.batch import Annotator, on_scan_grid
from monet_core.errors import MonetError, ScanError
from monet_core.jobs import Cancel, Phase, Reporter
from monet_core.preprocessing.heads import look
from monet_core.protocols import load_protocol
from monet_core.scans import (
    LabelMap,
    Scan,
    forms_from_affine,
    read_labels,
    to_canonical,
    write_volume,
)

_COMMAND = "run_first_all"
# The computing happens here and now, also where FSL would hand it to a cluster and return.
_ENVIRONMENT = {"FSLSUBALREADYRUN": "true"}
# Without the first two nipype would ask its makers' server for news; the last spares a warning.
_NIPYPE = {"NO_ET": "1", "NIPYPE_NO_ET": "1", "FSLOUTPUTTYPE": "NIFTI_GZ"}
_SAID = "output.nipype"  # where nipype writes what the program said
_LONGEST_REASON = 300


def fsl_first() -> Annotator:
    """FIRST's 15 structures, in its own indices; some minutes per scan.

    Raises MonetError, saying what to install, where FSL or nipype is not there.
    """
    _interface()
    if shutil.which(_COMMAND) is None:
        raise MonetError(
            "no-fsl",
            f"FSL is not installed, or this terminal does not find its {_COMMAND}",
            remedy="Install FSL (https://fsl.fmrib.ox.ac.uk/fsl/docs) and open a new terminal, or "
            "annotate with a model of ours (--with MODEL).",
        )
    return Annotator("FSL FIRST", load_protocol("first"), _label)


def _interface() -> Any:
    """nipype's FSL interfaces; MonetError where nipype is not installed."""
    for name, value in _NIPYPE.items():
        os.environ.setdefault(name, value)
    try:
        from nipype.interfaces import fsl
    except ImportError as error:
        raise MonetError(
            "no-nipype",
            "FIRST is run through nipype, which is not installed",
            remedy="Install it: pip install 'monet-studio[annotate]'.",
        ) from error
    return fsl


def _label(scan: Scan, report: Reporter, _: Cancel) -> LabelMap:
    report(Phase("Running FSL FIRST"))
    with tempfile.TemporaryDirectory(prefix="monet-first-") as folder:
        return on_scan_grid(read_labels(_run(scan, Path(folder))), scan)


def _run(scan: Scan, folder: Path) -> Path:
    """FIRST's label map of a scan, made in `folder`; ScanError with FIRST's own words."""
    upright = folder / "scan.nii.gz"
    _write_upright(scan, upright)
    interface = _interface().FIRST(
        in_file=str(upright),
        out_file="first",
        brain_extracted=look(scan.data, scan.geometry).kind == "stripped",
        output_type="NIFTI_GZ",
        environ=_ENVIRONMENT,
    )
    interface.terminal_output = "file"
    try:
        result = interface.run(cwd=str(folder))
    # nipype looks at what was written, not at the exit status: a FileNotFoundError as a rule.
    except (RuntimeError, OSError) as error:
        raise ScanError(
            "first-failed",
            f"FIRST failed: {_reason(folder, error)}",
            remedy="Check that it is a T1 scan of a whole head or brain, and not cropped.",
            file=scan.path,
        ) from error
    return Path(result.outputs.segmentation_file)


def _write_upright(scan: Scan, path: Path) -> None:
    """The scan with its axes as FSL's template has them: FIRST turns by small angles only."""
    geometry = scan.geometry.canonical()
    forms = forms_from_affine(geometry.affine)
    upright = replace(scan, geometry=geometry, forms=forms)
    write_volume(path, to_canonical(scan.data, scan.geometry), upright)


def _reason(folder: Path, error: Exception) -> str:
    """The last line that FIRST said, else that of nipype's error."""
    said = folder / _SAID
    spoken = said.read_text(encoding="utf-8", errors="replace") if said.exists() else ""
    lines = [line.strip() for line in (spoken.strip() or str(error)).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[-1][:_LONGEST_REASON]
