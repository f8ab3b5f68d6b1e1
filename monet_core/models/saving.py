"""Saving a model so that there is a whole one at any moment, and packing one for sharing."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from monet_core.errors import ModelError, OutputError
from monet_core.files import atomic_path, require_writable, write_json
from monet_core.models.loading import Model, load_model
from monet_core.models.sources import MANIFEST, WEIGHTS, locate, previous_of


def save_model(folder: Path, model: Model, half: bool = False) -> Path:
    """Write `model` to `folder`, in place of a model that is there; returns `folder`.

    `half` stores the weights as float16, half the size. The new model is written beside the old
    one and renamed; `load_model` finds the old one where a crash comes between. Raises
    OutputError where the place cannot be written to or holds other files, ModelError where the
    network does not fit its manifest or its weights are not finite.
    """
    folder = Path(folder).resolve()
    _check_fit(model)
    weights = safetensors.torch.save(_state(model, half))
    digest = hashlib.sha256(weights).hexdigest()
    manifest = model.manifest.model_copy(update={"weights_sha256": digest})
    _check_place(folder)
    temporary = folder.with_name(f".{folder.name}.writing")
    try:
        # What a killed program left behind.
        shutil.rmtree(temporary, ignore_errors=True)
        require_writable(temporary)
        with atomic_path(temporary / WEIGHTS) as path:
            path.write_bytes(weights)
        write_json(temporary / MANIFEST, manifest.model_dump(mode="json"))
        _take_place(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def pack_model(folder: Path, archive: Path) -> Path:
    """Pack a model into a zip for sharing, after checking it; returns `archive`.

    Raises ModelError as `load_model` does, OutputError where `archive` cannot be written.
    """
    load_model(folder)
    source = locate(Path(folder))
    if not source.is_dir():
        raise ModelError("already-packed", "the model is an archive already", file=source)
    archive = Path(archive)
    with atomic_path(archive) as path, zipfile.ZipFile(path, "w") as packed:
        packed.write(source / MANIFEST, f"{archive.stem}/{MANIFEST}", zipfile.ZIP_DEFLATED)
        packed.write(source / WEIGHTS, f"{archive.stem}/{WEIGHTS}", zipfile.ZIP_STORED)
    return archive


def _check_fit(model: Model) -> None:
    network, manifest = model.network, model.manifest
    if network.settings != manifest.network or network.classes != model.decoders:
        raise ModelError(
            "architecture-differs",
            f"the network does not fit its manifest: expected {manifest.network} with"
            f" {model.decoders}, got {network.settings} with {network.classes}",
        )


def _state(model: Model, half: bool) -> dict[str, Tensor]:
    state = {}
    for name, value in model.network.state_dict().items():
        kept = value.half() if half and value.is_floating_point() else value
        if not torch.isfinite(kept).all():
            raise ModelError(
                "weights-not-finite",
                f"the weights in {name} are not finite{' as float16' if half else ''}",
                remedy="The model was not saved.",
            )
        state[name] = kept.detach().cpu().contiguous()
    return state


def _check_place(folder: Path) -> None:
    if not folder.exists():
        return
    others = [] if folder.is_dir() else [folder.name]
    if folder.is_dir():
        others = [child.name for child in folder.iterdir() if child.name not in (MANIFEST, WEIGHTS)]
    if others:
        raise OutputError(
            "folder-in-use",
            f"the model would take the place of other files, such as {others[0]}",
            remedy="Choose a new folder.",
            file=folder,
        )


def _take_place(temporary: Path, folder: Path) -> None:
    previous = previous_of(folder)
    try:
        if folder.exists():
            shutil.rmtree(previous, ignore_errors=True)
            folder.rename(previous)
        temporary.rename(folder)
    except OSError as error:
        if not folder.exists() and previous.exists():
            previous.rename(folder)
        raise OutputError(
            "not-writable", f"cannot write here ({error.strerror})", file=folder
        ) from error
    shutil.rmtree(previous, ignore_errors=True)
