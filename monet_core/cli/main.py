"""`monet`: the commands, and nothing imported before it is needed."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

import monet_core
from monet_core.cli import (
    annotate,
    atlas,
    bids,
    experiment,
    labels,
    methods,
    sample,
    segment,
    synthesise,
    train,
)
from monet_core.cli import app as desktop
from monet_core.cli.console import run_command, set_up_logging

app = typer.Typer(
    name="monet",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Whole-brain segmentation of T1 MRI: train, segment, evaluate.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"monet {monet_core.__version__}")
        raise typer.Exit


@app.callback()
def main(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell every step.")] = False,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Whole-brain segmentation of T1 MRI: train, segment, evaluate."""
    set_up_logging(verbose)


app.command()(train.pretrain)
app.command()(train.finetune)
app.command()(segment.segment)
app.command(cls=bids.BidsCommand)(bids.bids)
app.command()(labels.evaluate)
app.command()(labels.compare)
app.command()(labels.convert)
app.command()(labels.check)
app.command("import")(labels.import_series)
app.command()(sample.sample)
app.command()(experiment.experiment)
app.command()(synthesise.synthesise)
app.command()(annotate.annotate)
app.command("atlas")(atlas.import_atlas)
app.command("map")(atlas.map_atlases)
app.command()(methods.methods)
app.command("app")(desktop.app)


def run(words: Sequence[str] | None = None) -> None:
    """Entry point of the `monet` program; `words` instead of those of the command line.

    Leaves by SystemExit with the exit status (see `run_command`), never by a traceback of the
    machine's own failures.
    """
    # File names need not be text in the terminal's encoding; they are shown as well as it can.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    sys.exit(run_command(lambda: app(words)))
