"""What the Segment panel tells of a model: its card, from its manifest. No Qt, no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from monet_resources import ROOT

from monet_app.words import count, dice, when
from monet_core.errors import ProtocolError
from monet_core.evaluation.figures import groups_of
from monet_core.models import Manifest, ModelEntry
from monet_core.protocols import Protocol

Kind = Literal["shipped", "run", "installed"]
KINDS = {"shipped": "ships with the program", "run": "trained in this study",
         "installed": "installed"}  # fmt: skip
_SHORT = {"gm": "grey matter", "wm": "white matter", "csf": "CSF"}
PARTS = {"full": "Whole brain", "partial": "Sub-cortical"}
"""What the decoders are called in the window."""


@dataclass(frozen=True)
class Part:
    """One of a model's segmentations: its name, atlas and regions, and how good it was.

    `dice` is the mean over validation scans; `groups` the mean Dice by group of regions.
    """

    name: str
    atlas: str
    regions: int
    dice: float | None
    groups: Mapping[str, float]

    @property
    def text(self) -> str:
        """One line: "Whole brain: 138 regions of malc, Dice .739"."""
        score = f", Dice {dice(self.dice)}" if self.dice is not None else ""
        return f"{self.name}: {count(self.regions, 'region')} of {self.atlas}{score}"


@dataclass(frozen=True)
class ModelCard:
    """A model for its users to read; `path` is where it is loaded from, `training` whether its run
    still goes on."""

    path: Path
    name: str
    kind: Kind
    parts: tuple[Part, ...]
    trained: str
    spacing: str
    licence: str
    text: str
    created: str
    training: bool = False

    @property
    def title(self) -> str:
        """The line in the list of models."""
        regions = " + ".join(str(part.regions) for part in self.parts)
        training = ", still training" if self.training else ""
        return f"{self.name} ({regions} regions){training}"

    @property
    def failures(self) -> str:
        """The card's paragraph on where the model fails; "" where it says nothing of it."""
        paragraphs = self.text.split("\n\n")
        told = (each.strip() for each in paragraphs)
        return next((each for each in told if each.lower().startswith("known failures")), "")


def card_of(entry: ModelEntry, runs: Path | None = None, training: bool = False) -> ModelCard:
    """The card of a model; `runs` is the study's folder of runs."""
    manifest = entry.manifest
    return ModelCard(
        path=entry.path,
        name=manifest.name,
        kind=kind_of(entry, runs),
        parts=tuple(_parts(manifest)),
        trained=_trained(manifest),
        spacing=_spacing(manifest),
        licence=manifest.licence,
        text=manifest.card,
        created=when(manifest.created),
        training=training,
    )


def kind_of(entry: ModelEntry, runs: Path | None = None) -> Kind:
    """Where a model comes from."""
    if entry.path.is_relative_to(ROOT):
        return "shipped"
    if runs is not None and entry.path.is_relative_to(runs):
        return "run"
    return "installed"


def part_name(decoder: str, protocol: Protocol) -> str:
    """What users call a decoder."""
    return PARTS.get(decoder, protocol.name)


def group_title(name: str) -> str:
    """A group of regions in words: "subcortical gm" is "Subcortical grey matter"."""
    words = [_SHORT.get(word, word) for word in name.split()]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def protocols_of(manifest: Manifest) -> dict[str, Protocol]:
    """The protocols of a model; none where its manifest holds damaged ones."""
    try:
        return manifest.protocols()
    except ProtocolError:
        return {}


def _parts(manifest: Manifest) -> list[Part]:
    parts = []
    for decoder, protocol in protocols_of(manifest).items():
        scores = _mapping(manifest.scores.get(decoder))
        mean = _number(_mapping(scores.get("dice")).get("mean"))
        if mean is None:
            mean = _number(manifest.scores.get(f"validation/dice/{decoder}"))
        groups = _group_scores(protocol, _mapping(scores.get("dice_per_region")))
        regions = len(protocol.regions)
        parts.append(Part(part_name(decoder, protocol), protocol.name, regions, mean, groups))
    return parts


def _group_scores(protocol: Protocol, by_name: Mapping[str, Any]) -> dict[str, float]:
    scored = [r.index for r in protocol.regions if _number(by_name.get(r.name)) is not None]
    means = {}
    for group, indices in groups_of(protocol, scored).items():
        values = [float(by_name[protocol.region(index).name]) for index in indices]
        means[group_title(group)] = sum(values) / len(values)
    return means


def _trained(manifest: Manifest) -> str:
    scans = manifest.training.get("scans")
    parts = [f"{count(len(scans), 'scan')}"] if isinstance(scans, list) else []
    taught = manifest.training.get("pseudo_labelled")
    if isinstance(taught, list):
        parts.append(f"{len(taught)} more labelled by an earlier model")
    settings = _mapping(manifest.training.get("settings"))
    recipe = settings.get("recipe")
    if isinstance(recipe, str):
        parts.append(f"recipe {recipe}")
    start = manifest.training.get("start")
    if isinstance(start, str):
        parts.append(f"begun with {start}")
    return ", ".join(parts)


def _spacing(manifest: Manifest) -> str:
    spacing = _number(manifest.preprocessing.get("spacing_mm"))
    return "" if spacing is None else f"{spacing:g} mm"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None
