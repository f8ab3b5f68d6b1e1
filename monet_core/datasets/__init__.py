"""Finding scans with their labels, and the integrity report before every training."""

from monet_core.datasets.check import check_dataset
from monet_core.datasets.dataset import Dataset, Split, Subject
from monet_core.datasets.find import find_dataset
from monet_core.datasets.findings import CheckReport, Finding

__all__ = [
    "CheckReport",
    "Dataset",
    "Finding",
    "Split",
    "Subject",
    "check_dataset",
    "find_dataset",
]
