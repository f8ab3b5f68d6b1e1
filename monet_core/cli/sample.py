"""`monet sample`: the main job on the scan that ships, with no data of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monet_core.cli import options
from monet_core.cli.console import reporting


def sample(
    out: options.Out = Path("sample-out"),
    model: Annotated[
        str | None, typer.Option(help="A model's name, folder or zip; default: the one that ships.")
    ] = None,
) -> None:
    """Segment the sample scan (Colin27, a whole head) with the model that ships."""
    from monet_resources import SAMPLE

    from monet_core.models import load_model, resolve_model, shipped_model
    from monet_core.scans import Decisions
    from monet_core.segmenting import segment
    from monet_core.segmenting.pictures import draw_result

    with reporting() as (report, cancel):
        loaded = load_model(resolve_model(model) if model else shipped_model())
        result = segment(SAMPLE, loaded, out, report=report, cancel=cancel)
        picture = draw_result(result, loaded, Decisions())
    typer.echo(loaded.manifest.card)
    for files in result.files.values():
        for path in files.all:
            typer.echo(path)
    typer.echo(picture)
