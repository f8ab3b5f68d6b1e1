"""`Solids`: which regions the 3-D view shows; their surfaces are computed in the background."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from monet_app.threads import ThreadBackground
from monet_app.views.scene import Scene
from monet_app.views.solid import SolidPane
from monet_app.views.surfaces import Mesh, mesh_of


def _mesh(*of: Any) -> Mesh | None:
    # Loading what draws takes seconds: here, so that the window does not wait for it.
    import napari.qt  # noqa: F401

    return mesh_of(*of)


class Solids:
    """Between the scene and the 3-D view."""

    def __init__(self, scene: Scene, view: SolidPane) -> None:
        self.scene = scene
        self.view = view
        self.background = ThreadBackground(view)
        self._shown: str | None = None
        view.asked.connect(self.show_visible)

    def show_visible(self) -> None:
        """The regions that are drawn of the first segmentation that is switched on."""
        for key, each in self.scene.segmentations.items():
            if each.on.visible:
                indices = each.codes.indices[np.flatnonzero(each.drawn())]
                self.show(key, [int(index) for index in indices if index])
                return
        self.view.show_mesh(None)

    def show(self, key: str, indices: Collection[int]) -> None:
        """Draw these regions as surfaces, soon; nothing where the segmentation is not there."""
        segmentation = self.scene.segmentations.get(key)
        if segmentation is None:
            return
        self._shown = key
        self.view.say("Making surfaces…")
        grid = segmentation.grid
        self.background.run(
            _mesh,
            segmentation.values.copy()
            if segmentation.original is not None
            else segmentation.values,
            segmentation.codes.known(indices),
            segmentation.colors,
            grid.spacing,
            grid.origin,
            done=lambda mesh: self._show(key, mesh),
            failed=lambda error: self.view.say(f"No surfaces: {error}"),
            key="mesh",
        )

    def _show(self, key: str, mesh: Mesh | None) -> None:
        # The segmentation may have left the stage while its surfaces were made.
        if self._shown == key and key in self.scene.segmentations:
            self.view.show_mesh(mesh)

    def forget(self, key: str) -> None:
        """A segmentation left the stage."""
        if self._shown == key:
            self.clear()

    def clear(self) -> None:
        """Nothing in 3-D."""
        self._shown = None
        self.view.clear()

    def close(self) -> None:
        """Wait for what is being computed."""
        self.background.wait()
