"""Finding the models that ship with the program and those a user has installed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import platformdirs
from monet_resources import ROOT

from monet_core.errors import ModelError
from monet_core.models.manifest import Manifest, read_manifest
from monet_core.models.sources import is_model, locate
from monet_core.protocols import Protocol

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelEntry:
    """A model that can be loaded from `path`; weights not yet read."""

    path: Path
    manifest: Manifest

    @property
    def key(self) -> str:
        """The name to call the model by: its folder's or archive's."""
        return self.path.stem if self.path.suffix == ".zip" else self.path.name

    @cached_property
    def protocols(self) -> dict[str, Protocol]:
        """The protocol of each decoder."""
        return self.manifest.protocols()

    @property
    def decoders(self) -> dict[str, int]:
        """Classes (background included) of each decoder."""
        return {name: protocol.n_classes for name, protocol in self.protocols.items()}


def default_folders() -> tuple[Path, ...]:
    """Where models are looked for: shipped ones first, then the user's."""
    return ROOT / "models", platformdirs.user_data_path("monet-studio", appauthor=False) / "models"


def list_models(folders: Sequence[Path] | None = None) -> list[ModelEntry]:
    """Models (folders and zips) directly inside `folders`; broken ones are logged, left out."""
    entries = []
    for folder in default_folders() if folders is None else folders:
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            # Hidden ones are half-written, or about to be replaced.
            if path.name.startswith(".") or not (path.suffix == ".zip" or is_model(path)):
                continue
            try:
                entries.append(ModelEntry(path, read_manifest(path)))
            except ModelError as error:
                log.warning("Model left out: %s", error)
    return entries


def resolve_model(name_or_path: str | Path, folders: Sequence[Path] | None = None) -> Path:
    """The place of a model given by path, by folder name or by the name in its manifest.

    Raises ModelError: what is wrong with a path that exists, else a list of what exists.
    """
    path = Path(name_or_path).expanduser()
    not_there: ModelError | None = None
    try:
        return locate(path)
    except ModelError as error:
        if error.code not in ("model-missing", "model-unreadable"):
            not_there = error
    wanted = str(name_or_path).casefold()
    entries = list_models(folders)
    for entry in entries:
        if wanted in (entry.key.casefold(), entry.manifest.name.casefold()):
            return entry.path
    if not_there is not None:
        raise not_there
    names = ", ".join(entry.key for entry in entries)
    raise ModelError(
        "model-missing",
        f"there is no model {str(name_or_path)!r}",
        remedy=f"Give a path, or one of: {names}." if names else "No model is installed yet.",
    )


def shipped_model() -> Path:
    """The model to use where none is named: the first that ships or is installed.

    Raises ModelError where there is none.
    """
    entries = list_models()
    if not entries:
        raise ModelError(
            "no-model",
            "no model ships with this version and none is installed",
            remedy="Name one with --model: a folder, a zip, or a training's run folder.",
        )
    return entries[0].path
