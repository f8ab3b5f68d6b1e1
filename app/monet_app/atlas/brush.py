"""What is in the user's hand while correcting: tool, region, size. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from monet_app.stage.protocol import Tool

SMALLEST_MM, LARGEST_MM = 1.0, 40.0
TOOLS: tuple[tuple[Tool, str, str, str], ...] = (
    ("paint", "Paint", "mdi6.brush", "Paint the region with the brush"),
    ("erase", "Erase", "mdi6.eraser", "Take voxels back to background"),
    ("fill", "Fill", "mdi6.format-color-fill", "Give the connected area that you click the region"),
    ("pick", "Pick", "mdi6.eyedropper", "Click a region in the views to paint it next"),
)
"""Key, word, icon and tip of each tool."""


@dataclass(frozen=True)
class Brush:
    """`tool` None: the mouse only looks. `region` is an atlas's index, `size_mm` a diameter."""

    tool: Tool | None = None
    region: int = 0
    size_mm: float = 4.0
    three_d: bool = False
