"""Names and colours of a protocol as napari's Labels layers take them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from napari.utils.colormaps import DirectLabelColormap, label_colormap

from monet_core.protocols import Protocol

CLEAR = (0.0, 0.0, 0.0, 0.0)
UNKNOWN = (1.0, 0.0, 1.0, 1.0)
"""Loud, so that values that are in no table are seen."""


def colormap_of(
    protocol: Protocol,
    hidden: Collection[int] = (),
    only: Collection[int] | None = None,
) -> DirectLabelColormap:
    """The protocol's colours; regions that are `hidden`, or not among `only`, are clear."""
    colors: dict[int | None, Any] = {None: UNKNOWN if only is None else CLEAR, 0: CLEAR}
    colors |= dict.fromkeys(protocol.extra, CLEAR)
    for region in protocol.regions:
        shown = region.index not in hidden and (only is None or region.index in only)
        colors[region.index] = _rgba(region.color) if shown else CLEAR
    return DirectLabelColormap(color_dict=colors)


def features_of(protocol: Protocol) -> pd.DataFrame:
    """The columns index and name, which napari's status line looks up."""
    indices = (0, *protocol.indices)
    names = ("background", *(region.name for region in protocol.regions))
    return pd.DataFrame({"index": np.array(indices), "name": names})


def colormap_of_values(values: Collection[int]) -> DirectLabelColormap:
    """Distinct colours for label values of no known protocol."""
    wheel = label_colormap(num_colors=50)
    colors: dict[int | None, Any] = {None: UNKNOWN, 0: CLEAR}
    colors |= {value: wheel.map(value) for value in values if value}
    return DirectLabelColormap(color_dict=colors)


def _rgba(color: str) -> tuple[float, float, float, float]:
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue, 1.0
