"""`monet app`: the window. The engine knows none, so that it is looked for when asked."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from monet_core.errors import MonetError

NEEDED = ("monet_app", "napari", "qtpy", "PySide6", "superqt", "qtawesome")


def app(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Scans, folders of scans, or a study's folder to open."),
    ] = None,
) -> None:
    """Open the desktop application."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise MonetError(
            "app-not-installed",
            f"the desktop application needs packages that are missing: {', '.join(missing)}",
            remedy="Install them with: pip install 'monet-studio[app]'",
        )
    raise typer.Exit(import_module("monet_app.start").run_app(files or []))
