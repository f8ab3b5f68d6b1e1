"""Dice, surface distances, volumes; comparison of segmentations; figures."""

from monet_core.evaluation.common import Common, common_protocols
from monet_core.evaluation.compare import Comparison, compare, compare_files
from monet_core.evaluation.counts import joint_counts
from monet_core.evaluation.dice import dice_per_region
from monet_core.evaluation.evaluate import evaluate_pair
from monet_core.evaluation.figures import box_plot, groups_of, learning_curves
from monet_core.evaluation.folders import Evaluation, evaluate_folders, region_set
from monet_core.evaluation.overlays import overlay_picture
from monet_core.evaluation.places import (
    Place,
    region_mask,
    region_place,
    source_indices,
    worst_place,
)
from monet_core.evaluation.summary import Summary, summarise
from monet_core.evaluation.surfaces import SurfaceDistances, surface_distances
from monet_core.evaluation.tables import read_tsv, write_tsv
from monet_core.evaluation.volumes import region_volumes

__all__ = [
    "Common",
    "Comparison",
    "Evaluation",
    "Place",
    "Summary",
    "SurfaceDistances",
    "box_plot",
    "common_protocols",
    "compare",
    "compare_files",
    "dice_per_region",
    "evaluate_folders",
    "evaluate_pair",
    "groups_of",
    "joint_counts",
    "learning_curves",
    "overlay_picture",
    "read_tsv",
    "region_mask",
    "region_place",
    "region_set",
    "region_volumes",
    "source_indices",
    "summarise",
    "surface_distances",
    "worst_place",
    "write_tsv",
]
