"""Loading a model, with every check before the weights are used."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from monet_core.errors import ModelError, MonetError
from monet_core.models.manifest import DAMAGED, Manifest, parse_manifest
from monet_core.models.sources import MANIFEST, WEIGHTS, locate, read_member, refuse_pickle
from monet_core.networks import MONet, check_same_architecture
from monet_core.protocols import Protocol

_DTYPES = {"torch.float32", "torch.float16", "torch.bfloat16", "torch.int64"}


@dataclass(frozen=True, eq=False)
class Model:
    """A network and what is known about it."""

    manifest: Manifest
    network: MONet

    @cached_property
    def protocols(self) -> dict[str, Protocol]:
        """The protocol of each decoder."""
        return self.manifest.protocols()

    @property
    def decoders(self) -> dict[str, int]:
        """Classes (background included) of each decoder."""
        return {name: protocol.n_classes for name, protocol in self.protocols.items()}

    def protocol(self, decoder: str) -> Protocol:
        """What the classes of a decoder mean; ModelError where there is no such decoder."""
        if decoder not in self.protocols:
            raise ModelError(
                "unknown-decoder",
                f"the model {self.manifest.name} has no decoder {decoder}",
                remedy=f"It has: {', '.join(self.protocols)}.",
            )
        return self.protocols[decoder]


def load_model(path: Path) -> Model:
    """The model in a folder, a training run's folder or a zip; on the CPU, float32, eval mode.

    Raises ModelError (bad inputs 41 to 43) where the model is missing, damaged, too large, of a
    newer version, a pickle, or where weights, network and protocols do not fit each other.
    Nothing in a model is ever executed.
    """
    place = locate(Path(path))
    manifest = parse_manifest(read_member(place, MANIFEST), place)
    try:
        classes = {name: p.n_classes for name, p in manifest.protocols().items()}
        state = _read_weights(read_member(place, WEIGHTS), manifest.weights_sha256, place)
        network = _build(manifest, classes, state)
    except MonetError as error:
        if error.file == str(place):
            raise
        raise ModelError(error.code, error.problem, remedy=error.remedy, file=place) from error
    return Model(manifest, network)


def _read_weights(content: bytes, expected_hash: str, place: Path) -> dict[str, Tensor]:
    refuse_pickle(content, place)
    if hashlib.sha256(content).hexdigest() != expected_hash:
        raise ModelError(
            "weights-changed",
            "the weights are not the ones the manifest describes (SHA-256 differs)",
            remedy=DAMAGED,
            file=place,
        )
    try:
        state = safetensors.torch.load(content)
    except SafetensorError as error:
        raise ModelError(
            "weights-damaged",
            f"the weights are no safetensors ({error})",
            remedy=DAMAGED,
            file=place,
        ) from error
    _check_values(state, place)
    return state


def _check_values(state: dict[str, Tensor], place: Path) -> None:
    strange = {str(value.dtype) for value in state.values()} - _DTYPES
    if strange:
        raise ModelError(
            "weights-dtype",
            f"weights of type {', '.join(sorted(strange))} are not known",
            remedy="Export them as float32 or float16.",
            file=place,
        )
    bad = [name for name, value in state.items() if not torch.isfinite(value).all()]
    if bad:
        raise ModelError(
            "weights-not-finite",
            f"{len(bad)} of the weights are not finite, such as {bad[0]}",
            remedy="Train the model again, or take an earlier checkpoint.",
            file=place,
        )


def _build(manifest: Manifest, classes: dict[str, int], state: dict[str, Tensor]) -> MONet:
    # On the meta device nothing is allocated or drawn before the weights are known to fit.
    with torch.device("meta"):
        network = MONet(manifest.network, classes)
    own = network.state_dict()
    check_same_architecture(own, state)
    cast = {name: value.to(own[name].dtype) for name, value in state.items()}
    network.load_state_dict({name: cast[name] for name in own}, assign=True)
    return network.eval()
