"""Models on disk: safetensors weights with a JSON manifest, never pickle.

A model is a folder (or a zip of it) with `manifest.json` and `weights.safetensors`. A training
run's folder keeps its model in `model/`, and may be given wherever a model is expected.
Manifests and the list of models load without torch.
"""

from typing import TYPE_CHECKING

from monet_core.lazy import lazy
from monet_core.models.catalogue import (
    ModelEntry,
    default_folders,
    list_models,
    resolve_model,
    shipped_model,
)
from monet_core.models.manifest import FORMAT_VERSION, DecoderEntry, Manifest, read_manifest

if TYPE_CHECKING:
    from monet_core.models.loading import Model, load_model
    from monet_core.models.saving import pack_model, save_model
else:
    __getattr__ = lazy(__name__, {"loading": "Model load_model", "saving": "pack_model save_model"})

__all__ = [
    "FORMAT_VERSION",
    "DecoderEntry",
    "Manifest",
    "Model",
    "ModelEntry",
    "default_folders",
    "list_models",
    "load_model",
    "pack_model",
    "read_manifest",
    "resolve_model",
    "save_model",
    "shipped_model",
]
