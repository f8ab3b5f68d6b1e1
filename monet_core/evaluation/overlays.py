"""Label maps drawn over their scan in three planes, as one PNG to look at (figure 4's layout)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from monet_core.errors import DatasetError
from monet_core.files import atomic_path
from monet_core.protocols import Protocol
from monet_core.scans import LabelMap, Scan, to_canonical
from monet_core.scans.geometry import Geometry
from monet_core.scans.grids import grid_difference, onto_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class _Plane(NamedTuple):
    """A slice's canonical array axis, the axes across and up, and the letters left, right,
    below and above of it. Axes across grow towards the left of the picture: radiological."""

    axis: int
    across: int
    up: int
    letters: str


_PLANES = (_Plane(2, 0, 1, "RLPA"), _Plane(1, 0, 2, "RLIS"), _Plane(0, 1, 2, "APIS"))
_LETTER_PLACES = ((0.03, 0.5), (0.97, 0.5), (0.5, 0.03), (0.5, 0.97))
_INCHES, _DPI = 2.6, 130


def overlay_picture(
    scan: Scan,
    segmentations: Mapping[str, tuple[LabelMap, Protocol]],
    path: Path,
    opacity: float = 0.55,
    at_mm: Sequence[float] | None = None,
) -> None:
    """Draw a row of axial, coronal and sagittal slices per segmentation, the plain scan first.

    The slices go through the world point `at_mm` (RAS), by default the middle of what the first
    segmentation labels; the person's right is on the left. Raises DatasetError where a
    segmentation is not on the scan's grid (axes may be permuted or flipped), OutputError where
    `path` cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    image = to_canonical(scan.data, scan.geometry)
    overlays = {n: (_canonical(m, scan), p) for n, (m, p) in segmentations.items()}
    middle = _middle(next((labels for labels, _ in overlays.values()), image > image.mean()))
    if at_mm is not None:
        middle = _voxel(at_mm, scan.geometry.canonical())
    spacing = scan.geometry.canonical().spacing
    rows = len(overlays) + 1
    figure = Figure(figsize=(3 * _INCHES, rows * _INCHES), facecolor="black")
    FigureCanvasAgg(figure)
    places = figure.subplots(rows, 3, squeeze=False)
    window = np.percentile(image[image > image.min()], (1, 99.5))
    for column, plane in enumerate(_PLANES):
        slice_ = _slice(image, plane, middle)
        for row in places:
            _show(row[column], slice_, plane, spacing, cmap="gray", vmin=window[0], vmax=window[1])
        for row, (labels, protocol) in zip(places[1:], overlays.values(), strict=True):
            colours = _coloured(_slice(labels, plane, middle), protocol, opacity)
            _show(row[column], colours, plane, spacing, interpolation="nearest")
    for row, name in zip(places, ["scan", *overlays], strict=True):
        row[0].set_title(name, color="white", fontsize=9, loc="left")
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.96, 0.03, 0.1)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=_DPI, format="png", facecolor="black")


def _canonical(labels: LabelMap, scan: Scan) -> NDArray[np.int32]:
    data = onto_grid(labels.data, labels.geometry, scan.geometry)
    if data is None:
        raise DatasetError(
            "grids-differ",
            f"not on the scan's grid: {grid_difference(labels.geometry, scan.geometry)}",
            remedy="Resample it to the scan first.",
            file=labels.path,
        )
    return to_canonical(data, scan.geometry)


def _middle(labels: NDArray) -> tuple[int, ...]:
    where = np.argwhere(labels)
    centre = where.mean(axis=0) if len(where) else (np.asarray(labels.shape) - 1) / 2
    return tuple(round(float(value)) for value in centre)


def _voxel(at_mm: Sequence[float], geometry: Geometry) -> tuple[int, ...]:
    """The voxel nearest to a world point, inside the grid."""
    at = np.linalg.solve(geometry.affine, [*at_mm, 1.0])[:3]
    limits = np.asarray(geometry.shape) - 1
    return tuple(int(value) for value in np.clip(np.rint(at), 0, limits))


def _slice(volume: NDArray, plane: _Plane, middle: tuple[int, ...]) -> NDArray:
    """One slice, rows upwards and columns across."""
    return np.take(volume, middle[plane.axis], axis=plane.axis).T


def _coloured(labels: NDArray, protocol: Protocol, opacity: float) -> NDArray[np.uint8]:
    """RGBA of a slice of labels; background and unknown values are transparent."""
    table = np.zeros((protocol.n_classes, 4), np.uint8)
    for number, index in enumerate(protocol.indices, start=1):
        table[number, :3] = list(bytes.fromhex(protocol.region(index).color.removeprefix("#")))
    table[1:, 3] = round(255 * opacity)
    return table[protocol.encode(labels, "background")]


def _show(
    axes: Axes, picture: NDArray, plane: _Plane, spacing: tuple[float, ...], **how: object
) -> None:
    height, width = picture.shape[:2]
    extent = (0.0, width * spacing[plane.across], 0.0, height * spacing[plane.up])
    axes.imshow(picture[:, ::-1], origin="lower", extent=extent, **how)  # type: ignore[arg-type]
    axes.axis("off")
    for text, (x, y) in zip(plane.letters, _LETTER_PLACES, strict=True):
        axes.text(x, y, text, transform=axes.transAxes, color="white", fontsize=8, ha="center",
                  va="center")  # fmt: skip
