"""`monet methods`: what was done, in a paper's words, and as a command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from monet_core.errors import MonetError


def methods(
    record: Annotated[
        Path,
        typer.Argument(help="The .json beside a label map, or the folder of a training."),
    ],
) -> None:
    """A paragraph for a paper's methods section with its references, and the command."""
    from monet_core.reports import command_line, methods_paragraph

    run = record if record.is_dir() else None
    found = _read(run / "config.json" if run else record)
    typer.echo(methods_paragraph(found, _manifest(found, run)))
    typer.echo(f"\n{command_line(found, out=run) if run else command_line(found)}")


def _read(path: Path) -> dict[str, Any]:
    from monet_core.files import read_json

    try:
        found = read_json(path)
    except (OSError, ValueError) as error:
        problem = "the record cannot be read"
        remedy = "Give the .json beside a label map, or a training's folder."
        raise MonetError("no-record", problem, remedy=remedy, file=path) from error
    return found if isinstance(found, dict) else {}


def _manifest(record: dict[str, Any], run: Path | None) -> dict[str, Any] | None:
    """The model that a run made or a segmentation used, where it is still there."""
    from monet_core.models.catalogue import resolve_model
    from monet_core.models.manifest import read_manifest

    used = record.get("Model", {})
    if run is None and "Name" not in used:
        return None
    try:
        found = read_manifest(resolve_model(run or used["Name"])).model_dump(mode="json")
    except MonetError:
        return None
    same = used.get("WeightsSha256", found["weights_sha256"]) == found["weights_sha256"]
    return found if same else None
