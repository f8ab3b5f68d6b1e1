"""Cohorts: thousands of scans, by workers of one machine or of a cluster, through Dask.

`Scheduler` says where; it loads without torch and Dask.
"""

from typing import TYPE_CHECKING

from monet_core.cohort.settings import Scheduler
from monet_core.lazy import lazy

if TYPE_CHECKING:
    from monet_core.cohort.running import segment_cohort, segment_paths
    from monet_core.cohort.task import After
else:
    __getattr__ = lazy(__name__, {"running": "segment_cohort segment_paths", "task": "After"})

__all__ = ["After", "Scheduler", "segment_cohort", "segment_paths"]
