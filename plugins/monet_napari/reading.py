"""napari's File > Open for scans and label maps: canonical, told apart by their voxels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import napari
import numpy as np
from monet_resources import SAMPLE
from napari.layers import Layer

from monet_core.datasets.names import stem_of
from monet_core.errors import DecisionNeeded, MonetError, ScanError
from monet_core.scans import LabelMap, Scan, read_labels, read_scan
from monet_napari.atlases import atlas_of
from monet_napari.colors import colormap_of, colormap_of_values, features_of
from monet_napari.grid import GRID, Grid, layer_labels
from monet_napari.views import views_of

PATH = "monet_path"
LayerData = tuple[Any, dict[str, Any], str]
_LABEL_WORDS = ("_dseg", "aseg", "aparc", "label", "_seg", "_mask")
_ASKS = "Open it in the panel Plugins > MO-Net Studio > Scans, which asks for the answer."


def get_reader(path: str | Sequence[str]) -> Callable[[Any], list[LayerData]] | None:
    """npe2's reader hook: the function that reads these files."""
    paths = [path] if isinstance(path, str | Path) else list(path)
    return read if paths else None


def read(path: str | Sequence[str]) -> list[LayerData]:
    """A layer for each file; MonetError in words where one cannot be used."""
    paths = [path] if isinstance(path, str | Path) else list(path)
    volumes = [(read_volume(Path(one)), Path(one)) for one in paths]
    viewer = napari.current_viewer()
    if viewer is not None and not viewer.layers:
        views_of(viewer).prepare(Grid.of(volumes[0][0]))
    return [_layer(volume, one) for volume, one in volumes]


def sample() -> list[LayerData]:
    """The head that ships with the program."""
    return read(str(SAMPLE))


def read_volume(path: Path) -> Scan | LabelMap:
    """A scan or a label map, whichever its voxels are; the name only says what to try first."""
    if any(word in path.name.lower() for word in _LABEL_WORDS):
        try:
            return read_labels(path)
        except ScanError as error:
            if error.code != "scan-as-labels":
                raise
    try:
        return read_scan(path)
    except DecisionNeeded as error:
        if error.code == "labels-as-scan":
            return read_labels(path)
        raise MonetError(error.code, error.problem, remedy=_ASKS, file=path) from error


def path_of(layer: Layer) -> Path | None:
    """The file that a layer was read from, by us or by anybody."""
    known = layer.metadata.get(PATH) or layer.source.path
    return Path(str(known)) if known else None


def _layer(volume: Scan | LabelMap, path: Path) -> LayerData:
    return _scan_layer(volume, path) if isinstance(volume, Scan) else _labels_layer(volume, path)


def _scan_layer(scan: Scan, path: Path) -> LayerData:
    grid = Grid.of(scan)
    return grid.to_layer(scan.data), scan_keywords(scan, stem_of(path)), "image"


def scan_keywords(scan: Scan, name: str) -> dict[str, Any]:
    """How an Image layer shows a scan: grey, its middle 98 per cent, where it lies."""
    grid = Grid.of(scan)
    low, high = np.percentile(scan.data[::2, ::2, ::2], (0, 99.5))
    return {
        "name": name,
        "colormap": "gray",
        "contrast_limits": (float(low), float(max(high, low + 1))),
        "metadata": {GRID: grid, PATH: str(scan.path or "")},
        **grid.placement,
    }


def _labels_layer(labels: LabelMap, path: Path) -> LayerData:
    grid = Grid.of(labels)
    keywords: dict[str, Any] = {
        "name": stem_of(path),
        "metadata": {GRID: grid, PATH: str(path)},
        "opacity": 0.5,
        **grid.placement,
    }
    protocol = atlas_of(path, labels)
    if protocol is None:
        keywords["colormap"] = colormap_of_values(np.unique(labels.data).tolist())
    else:
        keywords["colormap"] = colormap_of(protocol)
        keywords["features"] = features_of(protocol)
    return layer_labels(labels.data, grid), keywords, "labels"
