"""Every setting of a training as rows of a form, read from the engine's own models. No Qt.

A path such as "network.width" names a setting within nested JSON values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from monet_core.training.settings import TrainingSettings

FieldKind = Literal["flag", "choice", "integer", "number", "text"]
ELSEWHERE = {"stage", "recipe", "protocols", "mapping_variant", "mapping", "device"}
"""Settings that the panel asks for in its own words."""
GROUPS = ("Network", "Loss", "Augmentation", "Preprocessing", "Schedule", "Validation", "Computer")
_GROUP_OF = {
    "validate_every": "Validation",
    "validation_overlap": "Validation",
    "evaluated_regions": "Validation",
    "stop_after_zero_dice": "Validation",
    "checkpoint_minutes": "Computer",
    "seed": "Computer",
    "deterministic": "Computer",
    "devices": "Computer",
    "precision": "Computer",
    "workers": "Computer",
}


@dataclass(frozen=True)
class SettingField:
    """One row: how a setting is called, explained, bounded and edited.

    `optional` settings may be off (None); `low` and `high` are the last allowed values, None where
    there is no bound.
    """

    path: str
    group: str
    label: str
    help: str
    unit: str
    kind: FieldKind
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    optional: bool = False
    default: Any = field(default=None, compare=False)


def setting_fields(model: type[BaseModel] = TrainingSettings) -> list[SettingField]:
    """Every setting that the form shows, in the order of `GROUPS`."""
    found = list(_fields(model, "", ""))
    return sorted(found, key=lambda each: GROUPS.index(each.group))


def get(values: dict[str, Any], path: str) -> Any:
    """The value of a setting; None where there is none."""
    place: Any = values
    for name in path.split("."):
        place = place.get(name) if isinstance(place, dict) else None
    return place


def put(values: dict[str, Any], path: str, value: object) -> None:
    """Set a setting in place."""
    *parents, last = path.split(".")
    for name in parents:
        values = values.setdefault(name, {})
    values[last] = value


def shown(value: object) -> str:
    """A value as text, for settings edited as text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(f"{each:g}" if isinstance(each, float) else str(each) for each in value)
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value)


def read(field_: SettingField, text: str) -> object:
    """The value that a text means: JSON where it parses, numbers with commas, else the text."""
    text = text.strip()
    if not text:
        return None if field_.optional else ""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        pass
    try:
        return json.loads(f"[{text}]")
    except json.JSONDecodeError:
        return text


def problem(values: dict[str, Any]) -> tuple[str, str]:
    """(path, what is wrong) of the first setting that is not valid; ("", "") where all are."""
    try:
        TrainingSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        return ".".join(str(part) for part in first["loc"]), first["msg"]
    return "", ""


def _fields(model: type[BaseModel], above: str, group: str) -> Iterator[SettingField]:
    for name, info in model.model_fields.items():
        if not above and name in ELSEWHERE:
            continue
        nested = info.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            yield from _fields(nested, f"{name}.", name.capitalize())
        else:
            yield _field(f"{above}{name}", group or _GROUP_OF.get(name, "Schedule"), name, info)


def _field(path: str, group: str, name: str, info: FieldInfo) -> SettingField:
    annotation, limits, optional = _plain(info.annotation)
    limits = [*limits, *info.metadata]
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    kind, choices = _kind(annotation)
    low, high = _bounds(limits, kind)
    return SettingField(
        path=path,
        group=group,
        label=info.title or name.replace("_", " ").capitalize(),
        help=info.description or "",
        unit=str(extra.get("unit", "")),
        kind="text" if optional and kind != "choice" else kind,
        choices=choices,
        low=low,
        high=high,
        optional=optional,
        default=info.default,
    )


def _plain(annotation: Any) -> tuple[Any, list[Any], bool]:
    """The annotation without Annotated and None; its constraints; whether None is allowed."""
    if get_origin(annotation) is Annotated:
        inner, *limits = get_args(annotation)
        plain, more, optional = _plain(inner)
        return plain, [*limits, *more], optional
    if get_origin(annotation) in (Union, UnionType):
        parts = [part for part in get_args(annotation) if part is not NoneType]
        plain, limits, _ = _plain(parts[0])
        return plain, limits, len(parts) < len(get_args(annotation))
    return annotation, [], False


def _kind(annotation: Any) -> tuple[FieldKind, tuple[str, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", tuple(map(str, get_args(annotation)))
    kinds: dict[Any, FieldKind] = {bool: "flag", int: "integer", float: "number"}
    return kinds.get(annotation, "text"), ()


def _bounds(limits: list[Any], kind: FieldKind) -> tuple[float | None, float | None]:
    """The last allowed values; what is excluded is left by one, or by a little."""
    step = 1 if kind == "integer" else 1e-6
    low = high = None
    for limit in _flattened(limits):
        if isinstance(limit, Ge):
            low = float(limit.ge)  # type: ignore[arg-type]
        elif isinstance(limit, Gt):
            low = float(limit.gt) + step  # type: ignore[arg-type]
        elif isinstance(limit, Le):
            high = float(limit.le)  # type: ignore[arg-type]
        elif isinstance(limit, Lt):
            high = float(limit.lt) - step  # type: ignore[arg-type]
    return low, high


def _flattened(limits: list[Any]) -> Iterator[Any]:
    """Constraints, those within a pydantic FieldInfo too."""
    for limit in limits:
        if isinstance(limit, FieldInfo):
            yield from limit.metadata
        else:
            yield limit
