"""What the plugin adds to napari's menus and its command palette."""

from __future__ import annotations

from pathlib import Path

import napari
from napari.layers import Image
from napari.utils.notifications import show_warning

from monet_napari.reading import path_of
from monet_napari.sessions import home_of


def segment_layer() -> None:
    """Take the selected scan into the study and show Segment."""
    viewer = napari.current_viewer()
    if viewer is None:
        return
    layer = viewer.layers.selection.active
    path = path_of(layer) if isinstance(layer, Image) else None
    if path is None:
        show_warning(
            "Select the layer of a scan that was opened from a file (File > Open, or the sample)."
        )
        return
    session = home_of(viewer).session
    session.add_scans([Path(path)], show=True)
    session.ask_for("segment")
