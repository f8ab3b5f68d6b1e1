"""The napari plugin (not built yet: the engine comes first)."""
