"""Models on disk: safetensors weights with a JSON manifest, never pickle."""
