"""The settings a training begins with: recipe, start model, and what the user chose. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from monet_core.errors import MonetError
from monet_core.models.manifest import read_manifest
from monet_core.segmenting.preprocessing import preprocessing_of
from monet_core.training.settings import Recipe, Stage, TrainingSettings, recipe_settings


def complete_settings(
    stage: Stage, recipe: Recipe, start: Path | None, chosen: Mapping[str, Any]
) -> TrainingSettings:
    """The recipe's settings, then what the start model brings, then what was `chosen`.

    `chosen` holds fields of TrainingSettings ("protocols" among them); of nested ones such as
    "network" only some may be given. Raises MonetError naming a setting that is not valid, and
    ModelError as `read_manifest`.
    """
    base = {**recipe_settings(recipe, stage), **settings_from_start(start)}
    base["protocols"] = chosen.get("protocols", {})
    return validated_settings(_laid_over(validated_settings(base).model_dump(), chosen))


def settings_from_start(start: Path | None) -> dict[str, Any]:
    """What a stage-2 training takes over from the model it starts with."""
    if start is None:
        return {}
    manifest = read_manifest(start)
    return {
        "network": manifest.network,
        "preprocessing": preprocessing_of(manifest),
        "patch": manifest.patch,
    }


def validated_settings(values: Mapping[str, Any]) -> TrainingSettings:
    """`values` as settings. Raises MonetError naming the first that is not valid."""
    try:
        return TrainingSettings.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise MonetError(
            "bad-setting", f"setting {where}: {first['msg']} (got {first['input']!r})"
        ) from error


def _laid_over(base: dict[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with what was chosen; groups of settings are merged, all else is replaced."""
    merged = dict(base)
    for name, value in chosen.items():
        group = name in _GROUPS and isinstance(value, Mapping)
        merged[name] = {**base[name], **value} if group else value
    return merged


_GROUPS = ("network", "loss", "augmentation", "preprocessing")
