"""The manifest of a model: everything about it but its weights."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
)

from monet_core import __version__
from monet_core.errors import ModelError
from monet_core.models.privacy import shorten_paths, without_paths
from monet_core.models.sources import MANIFEST, locate, read_member
from monet_core.networks.settings import NetworkSettings
from monet_core.protocols import Protocol

FORMAT_VERSION: Final = 1
"""Raised whenever older programs could no longer use a model rightly."""
DAMAGED = "The model was damaged or not made by this program; get it again."


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _clean(record: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {shorten_paths(key): without_paths(value) for key, value in record.items()}


Text = Annotated[str, Field(max_length=100_000), AfterValidator(shorten_paths)]
Record = Annotated[dict[str, JsonValue], AfterValidator(_clean)]
"""JSON data; absolute paths in it are replaced by file names, since models are shared."""


class DecoderEntry(BaseModel):
    """One decoder and the protocol its classes mean, as `Protocol.as_dict` gives it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=200)
    protocol: dict[str, Any]


class Manifest(BaseModel):
    """What a model is, what it expects, and where it comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format_version: Literal[1] = FORMAT_VERSION
    name: Annotated[Text, Field(min_length=1)]
    network: NetworkSettings
    decoders: Annotated[list[DecoderEntry], Field(min_length=1, max_length=50)]
    preprocessing: Record
    """What scans go through before the network; the fields of PreprocessingSettings."""
    patch: Annotated[int, Field(ge=1, le=1024)]
    """Side of the training patches in voxels."""
    training: Record = {}
    """Where the weights come from: recipe, data, seed, versions."""
    scores: Record = {}
    licence: Text = ""
    card: Text = ""
    """What the model is for, and where it fails, for its users to read."""
    weights_sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""
    """Set by `save_model`."""
    created: Text = Field(default_factory=_now)
    monet_version: Text = __version__

    @field_validator("decoders")
    @classmethod
    def _unique(cls, decoders: list[DecoderEntry]) -> list[DecoderEntry]:
        if len({decoder.name for decoder in decoders}) < len(decoders):
            raise ValueError("two decoders have one name")
        return decoders

    def protocols(self) -> dict[str, Protocol]:
        """The protocol of each decoder; ProtocolError where one is not valid."""
        return {entry.name: Protocol.from_dict(entry.protocol) for entry in self.decoders}


def read_manifest(path: Path) -> Manifest:
    """The manifest alone of a model folder, run folder or zip; ModelError as in `load_model`."""
    place = locate(Path(path))
    return parse_manifest(read_member(place, MANIFEST), place)


def parse_manifest(text: bytes, file: Path) -> Manifest:
    """The manifest in UTF-8 JSON; ModelError where it is damaged or of a newer version."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(
            "manifest-damaged", "the manifest is not valid JSON", remedy=DAMAGED, file=file
        ) from error
    if not isinstance(data, dict):
        raise ModelError(
            "manifest-damaged", "the manifest holds no fields", remedy=DAMAGED, file=file
        )
    _check_version(data, file)
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = " > ".join(str(part) for part in first["loc"]) or "fields"
        raise ModelError(
            "manifest-invalid",
            f"the manifest does not fit: {where}: {first['msg']}",
            remedy=DAMAGED,
            file=file,
        ) from error


def _check_version(data: dict[str, Any], file: Path) -> None:
    version = data.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise ModelError(
            "model-newer",
            f"the model has format {version}, this program (version {__version__}) reads up to"
            f" {FORMAT_VERSION}",
            remedy=f"Update to version {str(data.get('monet_version', 'unknown'))[:40]} or newer.",
            file=file,
        )
