"""`monet synthesise`: scans painted from label maps, as a data set to train on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from monet_core.cli.console import reporting


def synthesise(
    label_maps: Annotated[
        Path,
        typer.Argument(
            help="A label map, or a folder of them, in FreeSurfer's indices; tissues outside the "
            "brain are 500 and up."
        ),
    ],
    out: Annotated[Path, typer.Argument(help="Folder for *_T1w and *_dseg files.")],
    number: Annotated[int, typer.Option(min=1, max=9999, help="How many scans to paint.")] = 20,
    to: Annotated[str, typer.Option(help="Protocol of the labels: a name or a table.")] = "first",
    contrast: Annotated[
        Literal["random", "t1"],
        typer.Option(help="random: each tissue as bright as may be; t1: fluid < grey < white."),
    ] = "random",
    stripped: Annotated[
        bool, typer.Option("--stripped", help="Leave out what lies outside the brain.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same scans.")] = 0,
) -> None:
    """Paint scans from label maps (as SynthSeg does): an endless set with exact labels.

    Run it again to go on after an interruption, or with a larger --number to add scans.
    """
    from monet_core.protocols import load_protocol
    from monet_core.synthesis import SynthesisSettings, synthesise_dataset

    settings = SynthesisSettings(contrast=contrast, stripped=stripped)
    protocol = load_protocol(to)
    with reporting() as (report, cancel):
        scans = synthesise_dataset(
            label_maps, out, number, protocol, settings, seed, report, cancel
        )
    typer.echo(f"{len(scans)} scans with labels in {out}")
