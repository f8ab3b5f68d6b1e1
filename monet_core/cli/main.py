"""`monet`: the commands, and nothing imported before it is needed."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import monet_core
from monet_core.cli import labels, sample, segment, train
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
app.command()(labels.evaluate)
app.command()(labels.compare)
app.command()(labels.convert)
app.command()(labels.check)
app.command("import")(labels.import_series)
app.command()(sample.sample)


def run() -> None:
    """Entry point of the `monet` program."""
    sys.exit(run_command(app))
