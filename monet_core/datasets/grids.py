"""Whether a label map lies on its scan's grid, as a verdict."""

from __future__ import annotations

from monet_core.errors import Verdict
from monet_core.scans import Geometry, axes_onto, grid_difference


def compare_grids(scan: Geometry, labels: Geometry) -> tuple[Verdict, str, str] | None:
    """None where both grids are the same, else the verdict, the difference in words, the remedy.

    FIXED: the same voxels, stored with other axes. REFUSED: another grid.
    """
    ornt = axes_onto(labels, scan)
    if ornt is None:
        problem = f"the labels are not on the scan's grid: {grid_difference(labels, scan)}"
        remedy = "Resample them to it (nearest neighbour), or give the scan they were made on."
        return Verdict.REFUSED, problem, remedy
    if (ornt == [[0, 1], [1, 1], [2, 1]]).all():
        return None
    message = f"the labels are stored as {labels.orientation}, the scan as {scan.orientation}"
    return Verdict.FIXED, f"{message}; same voxels, taken over as they are", ""
