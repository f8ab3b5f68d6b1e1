"""`monet segment`: label maps and volumes of any number of scans."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monet_core.cli import options
from monet_core.cli.console import reporting


def segment(
    scans: Annotated[
        list[Path],
        typer.Argument(help="T1 scans (.nii, .nii.gz, .mgz) or folders of them."),
    ],
    out: options.Out,
    model: Annotated[
        str | None,
        typer.Option(help="A model's name, folder or zip, or a run; default: the one that ships."),
    ] = None,
    overlap: Annotated[
        float, typer.Option(min=0, max=0.9, help="Overlap of neighbouring tiles, a share.")
    ] = 0.5,
    mirror: Annotated[
        bool, typer.Option(help="Average with the mirrored scan (twice the time).")
    ] = True,
    entropy: Annotated[
        bool, typer.Option("--entropy", help="Also write maps of the posterior entropy.")
    ] = False,
    picture: Annotated[
        bool, typer.Option("--picture", help="Also draw each result over its scan (PNG).")
    ] = False,
    patch: Annotated[
        int | None,
        typer.Option(min=16, max=512, help="Side of the tiles, in voxels; default: the model's."),
    ] = None,
    device: options.Device = "auto",
    precision: options.Precision = "auto",
    use_form: options.UseForm = None,
    assume_orientation: options.AssumeOrientation = None,
    accept_labels_as_scan: options.AcceptLabels = False,
    series: options.Series = None,
    scheduler: options.Where = "local",
    workers: options.Workers = None,
    threads: options.Threads = None,
) -> None:
    """Segment T1 scans: label maps on each scan's own grid, volumes in ml, a record.

    Scans that an earlier run finished with the same model and settings are skipped.
    """
    from monet_core.cohort import segment_paths
    from monet_core.models import resolve_model, shipped_model
    from monet_core.segmenting import Failure, SegmentSettings
    from monet_core.segmenting.pictures import draw_result

    settings = SegmentSettings(
        overlap=overlap,
        mirror=mirror,
        entropy=entropy,
        patch=patch,
        device=device,
        precision=precision,
    )
    decided = options.decisions(use_form, assume_orientation, accept_labels_as_scan, series)
    where = options.scheduler(scheduler, workers, threads)
    path = resolve_model(model) if model else shipped_model()
    after = draw_result if picture else None
    with reporting() as (report, cancel):
        outcomes = segment_paths(
            scans, path, out, settings, decided, where, report, cancel, after=after
        )
    failed = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    typer.echo(f"{len(outcomes) - len(failed)} of {len(outcomes)} scans segmented into {out}")
    if failed:
        raise typer.Exit(1)
