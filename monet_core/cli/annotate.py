"""`monet annotate`: partial annotations for pre-training, in batch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from monet_core.cli import options
from monet_core.cli.console import reporting
from monet_core.errors import MonetError

if TYPE_CHECKING:
    from monet_core.annotating import Annotator
    from monet_core.protocols import Protocol
    from monet_core.scans import Decisions

_FIRST = "first"


def annotate(
    scans: Annotated[
        Path,
        typer.Argument(help="A T1 scan or a folder of them; with --from freesurfer SUBJECTS_DIR."),
    ],
    out: Annotated[Path, typer.Argument(help="Folder for the *_dseg files.")],
    by: Annotated[
        str | None,
        typer.Option("--with", help="first: FSL FIRST; else a model's name, folder, zip or run."),
    ] = None,
    source: Annotated[
        Literal["freesurfer"] | None,
        typer.Option("--from", help="Import what FreeSurfer or FastSurfer has segmented."),
    ] = None,
    to: Annotated[str, typer.Option(help="Protocol of the labels: a name or a table.")] = "first",
    device: options.Device = "auto",
    use_form: options.UseForm = None,
    assume_orientation: options.AssumeOrientation = None,
) -> None:
    """Label scans automatically for pre-training: by FSL FIRST, a model, or FreeSurfer.

    Run it again to go on after an interruption. Then: monet pretrain SCANS --labels OUT.
    """
    from monet_core.annotating import annotate_scans, import_freesurfer
    from monet_core.protocols import load_protocol
    from monet_core.segmenting import Failure

    if (by is None) == (source is None):
        raise MonetError(
            "bad-argument",
            "say by what the scans are labelled",
            remedy="Give either --with first, --with MODEL or --from freesurfer.",
        )
    protocol = load_protocol(to)
    decided = options.decisions(use_form, assume_orientation)
    with reporting() as (report, cancel):
        if by is None:
            outcomes = import_freesurfer(scans, out, protocol, report, cancel)
        else:
            annotator = _annotator(by, protocol, device, decided)
            outcomes = annotate_scans(scans, out, annotator, decided, report, cancel)
    failed = sum(isinstance(outcome, Failure) for outcome in outcomes)
    typer.echo(f"{len(outcomes) - failed} of {len(outcomes)} scans annotated in {out}")
    if failed:
        raise typer.Exit(1)


def _annotator(by: str, protocol: Protocol, device: str, decided: Decisions) -> Annotator:
    from monet_core.annotating import fsl_first, teacher
    from monet_core.models import load_model, resolve_model
    from monet_core.segmenting import SegmentSettings

    if by != _FIRST:
        model = load_model(resolve_model(by))
        return teacher(model, protocol, SegmentSettings(device=device), decided)
    annotator = fsl_first()
    if annotator.protocol.fingerprint != protocol.fingerprint:
        raise MonetError(
            "bad-argument",
            f"FIRST does not know the protocol {protocol.name}",
            remedy="Leave --to out; monet convert brings its labels into others.",
        )
    return annotator
