"""Stage-1 weights into a stage-2 network: encoder and every decoder (paper, section 2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from monet_core.errors import ModelError
from monet_core.networks.monet import MONet

State = Mapping[str, Tensor]
_STAGE = re.compile(r"encoder\.stages\.(\d{1,3})\.first\.0\.weight")
_HEAD = re.compile(r"decoders\.([^.]+)\.heads\.0\.weight")


@dataclass(frozen=True)
class TransferReport:
    """Names of the entries that were `loaded` and of those that keep their `fresh` values.

    `sources` tells for each decoder of the network which decoder its weights came from.
    """

    loaded: tuple[str, ...]
    fresh: tuple[str, ...]
    sources: dict[str, str] = field(default_factory=dict)


def transfer(network: MONet, state: State, source_decoder: str | None = None) -> TransferReport:
    """Load `state` (of a trained MONet) into the encoder and every decoder of `network`.

    A decoder is loaded from the one of the same name, else from `source_decoder`, else from the
    first in `state`. Heads stay fresh only where class counts differ, or where the trained
    network had none. Raises ModelError where the architectures differ.
    """
    available = decoder_names(state)
    if source_decoder is not None and source_decoder not in available:
        raise ModelError(
            "unknown-decoder",
            f"the trained network has no decoder {source_decoder}",
            remedy=f"It has: {', '.join(available)}.",
        )
    own = network.state_dict()
    fallback = source_decoder or (available[0] if available else "")
    sources = {name: name if name in available else fallback for name in network.classes}
    renamed = _renamed(state, sources)
    check_same_architecture(_trunk(own), _trunk(renamed))
    loaded = {name: renamed[name] for name in own if _fits(own[name], renamed.get(name))}
    network.load_state_dict(loaded, strict=False)
    fresh = tuple(name for name in own if name not in loaded)
    return TransferReport(tuple(loaded), fresh, sources)


def check_same_architecture(expected: State, got: State) -> None:
    """Raise ModelError "architecture-differs", naming what differs, unless all entries fit."""
    wanted, found = _describe(expected), _describe(got)
    differences = [
        f"{trait} {wanted[trait]}, got {found[trait]}"
        for trait in wanted
        if wanted[trait] != found[trait]
    ]
    if not differences:
        differences = _entry_differences(expected, got)
    if differences:
        raise ModelError(
            "architecture-differs",
            f"the weights do not fit the network: expected {'; '.join(differences)}",
            remedy="Use the network settings that the weights were trained with.",
        )


def decoder_names(state: State) -> tuple[str, ...]:
    """Names of the decoders in a state, in its order."""
    parts = (name.split(".") for name in state)
    return tuple(dict.fromkeys(part[1] for part in parts if part[0] == "decoders" and part[2:]))


def _renamed(state: State, sources: Mapping[str, str]) -> dict[str, Tensor]:
    """`state` with each decoder under the name it gets in the network; other decoders left out."""
    renamed = {name: value for name, value in state.items() if not name.startswith("decoders.")}
    for target, source in sources.items():
        prefix = f"decoders.{source}."
        for name, value in state.items():
            if name.startswith(prefix):
                renamed[f"decoders.{target}.{name.removeprefix(prefix)}"] = value
    return renamed


def _trunk(state: State) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if not _is_head(name)}


def _is_head(name: str) -> bool:
    parts = name.split(".")
    return parts[0] == "decoders" and parts[2:3] == ["heads"]


def _fits(own: Tensor, other: Tensor | None) -> bool:
    return other is not None and own.shape == other.shape


def _describe(state: State) -> dict[str, str]:
    """What an architecture looks like from its weights' names and shapes, in words."""
    stages = {
        int(match[1]): value.shape
        for name, value in state.items()
        if (match := _STAGE.fullmatch(name)) and value.ndim == 5
    }
    widths = [str(stages[stage][0]) for stage in sorted(stages)]
    classes = {
        match[1]: len(value)
        for name, value in state.items()
        if (match := _HEAD.fullmatch(name)) and value.ndim == 5
    }
    return {
        "levels": str(len(stages)),
        "channels": "/".join(widths) or "none",
        "input channels": str(stages[0][1]) if 0 in stages else "none",
        "residual blocks": str(any(".shortcut." in name for name in state)),
        "batch norm": str(any(name.endswith(".running_mean") for name in state)),
        "decoders": ", ".join(sorted(decoder_names(state))) or "none",
        "classes": ", ".join(f"{name} {classes[name]}" for name in sorted(classes)) or "none",
    }


def _entry_differences(expected: State, got: State) -> list[str]:
    """The first few entries that are missing, too many, or of another shape."""
    missing = [f"an entry {_short(name)}, got none" for name in expected if name not in got]
    extra = [f"no entry {_short(name)}, got one" for name in got if name not in expected]
    shapes = [
        f"{name} of shape {tuple(expected[name].shape)}, got {tuple(got[name].shape)}"
        for name in expected
        if name in got and expected[name].shape != got[name].shape
    ]
    found = [*shapes, *missing, *extra]
    return found[:3] + ([f"and {len(found) - 3} more"] if len(found) > 3 else [])


def _short(name: str) -> str:
    """A name out of a file, which may hold anything, fit for a message of one line."""
    return repr(name[:80])
