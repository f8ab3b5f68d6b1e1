"""Quality control: unusual volumes, uncertain regions, pictures for a quick look."""

from monet_core.quality.mosaic import mosaic, thumbnail
from monet_core.quality.outliers import outliers
from monet_core.quality.pictures import png_bytes, save_png
from monet_core.quality.ranking import rank, systematic
from monet_core.quality.reference import (
    Reference,
    load_reference,
    reference_from,
    save_reference,
    shipped_reference,
)
from monet_core.quality.uncertainty import (
    Candidate,
    candidates,
    entropy_map_of,
    region_entropies,
    suggest_next,
)

__all__ = [
    "Candidate",
    "Reference",
    "candidates",
    "entropy_map_of",
    "load_reference",
    "mosaic",
    "outliers",
    "png_bytes",
    "rank",
    "reference_from",
    "region_entropies",
    "save_png",
    "save_reference",
    "shipped_reference",
    "suggest_next",
    "systematic",
    "thumbnail",
]
