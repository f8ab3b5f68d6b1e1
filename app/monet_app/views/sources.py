"""What a slice is sampled from: the scan, segmentations and maps, each on its own grid. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from monet_app.stage.protocol import OnStage, Plane
from monet_app.views.compose import Blend
from monet_app.views.display import AXES, Grid, aligned_grid
from monet_app.views.palette import Codes, palette, visible_codes
from monet_core.scans import Geometry, LabelMap


class Volume:
    """Values (S, A, R) on a grid, from which slices are taken at positions of another grid."""

    def __init__(self, values: NDArray, grid: Grid) -> None:
        self.values = values
        self.grid = grid

    def slice(self, plane: Plane, scan: Grid, index: int, parts: int = 1) -> NDArray | None:
        """The values (H, W) at a slice of `scan`'s grid, each voxel in `parts` x `parts`.

        Nearest voxel, 0 outside; None where the volume does not reach that slice. May be a view.
        """
        along, vertical, horizontal = AXES[plane]
        position = np.array([scan.origin[along] + scan.spacing[along] * index])
        own = int(self.grid.lookup(along, position)[0])
        if own < 0:
            return None
        whole = self.values[(slice(None),) * along + (own,)]
        if self.grid is scan and parts == 1:
            return whole
        rows = self.grid.lookup(vertical, scan.positions(vertical, parts))
        columns = self.grid.lookup(horizontal, scan.positions(horizontal, parts))
        taken = whole[np.ix_(rows, columns)]
        taken[rows < 0] = 0
        taken[:, columns < 0] = 0
        return taken

    def parts(self, scan: Grid) -> int:
        """Into how many parts a voxel of `scan` must be cut to show this volume's own voxels."""
        finest = max(np.divide(scan.spacing, self.grid.spacing))
        return int(np.clip(np.floor(finest + 0.25), 1, 4))


class Segmentation(Volume):
    """A label map as it is drawn: codes of its regions, on its own grid where axes agree.

    Where its axes are turned against the scan's, the codes are those of the nearest voxels on the
    scan's grid (`turned`). The label map is never changed; edits live in the codes alone.
    """

    def __init__(self, on: OnStage, labels: LabelMap, scan: Grid) -> None:
        self.on = on
        self.labels = labels
        self.codes = Codes(on.protocol)
        self.colors = palette(on.protocol)
        self.only: frozenset[int] | None = None
        self.original: NDArray | None = None
        grid = aligned_grid(labels.geometry, scan)
        self.turned = grid is None
        self.scan = scan
        drawn = labels.data
        if grid is None:
            grid = scan
            drawn = _resampled(labels.data, labels.geometry, scan.geometry)
        super().__init__(grid.to_display(self.codes.encode(drawn)), grid)

    def change(self, **changes: object) -> None:
        """Replace fields of `on`."""
        self.on = replace(self.on, **changes)  # type: ignore[arg-type]

    def drawn(self) -> NDArray[np.bool_]:
        """Which codes are drawn."""
        return visible_codes(self.codes, self.on.hidden, self.only)

    def blend(self, opacity: float) -> Blend:
        """How the codes are laid over a picture."""
        return Blend.of(self.colors, self.drawn(), opacity)

    # -- reading and editing ----------------------------------------------------------------

    def index_at(self, ras: Sequence[float]) -> int | None:
        """The index at a world point, with edits; None outside the label map's own grid."""
        stored = _stored_voxel(self.labels.geometry, ras)
        if stored is None:
            return None
        edited = self._edited_code(_centre(self.labels.geometry, stored))
        if edited is not None:
            return int(self.codes.indices[edited])
        return int(self.labels.data[stored])

    def _edited_code(self, ras: Sequence[float]) -> int | None:
        voxel = self.grid.nearest(ras) if self.original is not None else None
        if voxel is None or self.original is None:
            return None
        code = int(self.values[voxel])
        return code if code != int(self.original[voxel]) else None

    def begin_editing(self) -> NDArray:
        """The codes to be changed in place; what they were before is kept."""
        if self.original is None:
            self.values = np.ascontiguousarray(self.values)
            self.original = self.values.copy()
        return self.values

    def settled(self) -> NDArray:
        """The codes (S, A, R) as they are now, which later edits do not change."""
        return self.values if self.original is None else self.values.copy()

    def edited_labels(self) -> NDArray[np.int32]:
        """The label map's voxels (X, Y, Z) with the edits, exactly on its own grid."""
        result = np.array(self.labels.data, np.int32)
        if self.original is None:
            return result
        changed = self.values != self.original
        if not changed.any():
            return result
        if not self.turned:
            where = self.grid.from_display(changed)
            result[where] = self.codes.indices[self.grid.from_display(self.values)[where]]
            return result
        return self._onto_own_grid(result, changed)

    def _onto_own_grid(
        self, result: NDArray[np.int32], changed: NDArray[np.bool_]
    ) -> NDArray[np.int32]:
        """Voxels of the label map whose centre lies in a changed voxel of the scan's grid."""
        edits = np.where(changed, self.values.astype(np.int32) + 1, 0)
        stored = np.ascontiguousarray(self.grid.from_display(edits))
        own = self.labels.geometry
        taken = _resampled(stored, self.grid.geometry, own)
        where = taken > 0
        result[where] = self.codes.indices[taken[where] - 1]
        return result


class Map(Volume):
    """Values such as entropy, on their own grid or, where it is turned, on the scan's."""

    def __init__(
        self,
        data: NDArray[np.float32],
        geometry: Geometry,
        scan: Grid,
        colors: NDArray[np.uint16],
        limits: tuple[float, float],
    ) -> None:
        self.data, self.geometry = data, geometry
        self.colors, self.limits = colors, limits
        grid = aligned_grid(geometry, scan)
        if grid is None:
            grid, data = scan, _resampled(data, geometry, scan.geometry, "linear")
        super().__init__(grid.to_display(data), grid)

    def value_at(self, ras: Sequence[float]) -> float | None:
        """The value at a world point; None outside the map's own grid."""
        stored = _stored_voxel(self.geometry, ras)
        return None if stored is None else float(self.data[stored])


def _resampled(
    array: NDArray,
    source: Geometry,
    target: Geometry,
    mode: Literal["nearest", "linear"] = "nearest",
) -> NDArray:
    # Imported when needed: SimpleITK takes a while, and most volumes lie on the scan's grid.
    from monet_core.preprocessing import resample

    return resample(array, source, target, mode=mode)


def _centre(geometry: Geometry, stored: tuple[int, int, int]) -> Sequence[float]:
    return (geometry.affine @ (*stored, 1.0))[:3]


def _stored_voxel(geometry: Geometry, ras: Sequence[float]) -> tuple[int, int, int] | None:
    """Stored indices of the voxel that holds a world point; None outside the grid."""
    exact = np.linalg.solve(geometry.affine, (*ras, 1.0))[:3]
    index = np.rint(np.round(exact, 6)).astype(int)
    if (index < 0).any() or (index >= geometry.shape).any():
        return None
    x, y, z = index.tolist()
    return x, y, z
