"""The app's own views: three linked planes and 3-D on napari canvases (`OrthoStage`)."""
