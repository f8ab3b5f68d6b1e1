"""The napari plugin: our panels, reader and writer on the user's own viewer."""
