"""Models on disk: safetensors weights with a JSON manifest, never pickle.

A model is a folder (or a zip of it) with `manifest.json` and `weights.safetensors`. A training
run's folder keeps its model in `model/`, and may be given wherever a model is expected.
"""

from monet_core.models.catalogue import (
    ModelEntry,
    default_folders,
    list_models,
    resolve_model,
    shipped_model,
)
from monet_core.models.loading import Model, load_model, read_manifest
from monet_core.models.manifest import FORMAT_VERSION, DecoderEntry, Manifest
from monet_core.models.saving import pack_model, save_model

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
