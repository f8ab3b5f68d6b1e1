"""A comparison as files: a picture (PNG) and a report to print (PDF). No Qt, no display."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import monet_core
from monet_app.atlases import atlas_title
from monet_app.compare.result import Result, Segmented, note_lines, summary_lines
from monet_app.scan_grid import labels_on
from monet_app.words import dice
from monet_core.evaluation import overlay_picture
from monet_core.files import atomic_path
from monet_core.protocols import Protocol, Region
from monet_core.scans import Scan

if TYPE_CHECKING:
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

A4 = (8.27, 11.69)
ROWS_PER_PAGE = 54
COLUMNS = 108
_HEAT = ("#fde725", "#f89441", "#e34234", "#b5367a", "#7b2382", "#4b0f6b")
_TABLE = (("Region", 0.08), ("Pair", 0.37), ("Dice", 0.62), ("HD95 mm", 0.68), ("ASSD mm", 0.77),
          ("Volumes ml", 0.86))  # fmt: skip


def save_picture(
    result: Result, scan: Scan, path: Path, at_mm: Sequence[float] | None = None
) -> None:
    """A PNG: the scan, a row per segmentation, and where they differ, through one world point.

    Without a point, through the middle of the first segmentation. Raises OutputError where
    `path` cannot be written.
    """
    rows = {f"{name}: {atlas_title(one[1])}": one for name, one in result.segmented.items()}
    rows["where they differ"] = _difference(result)
    on_scan = {name: (labels_on(scan, labels), atlas) for name, (labels, atlas) in rows.items()}
    overlay_picture(scan, on_scan, path, at_mm=at_mm)


def save_report(
    result: Result,
    scan: Scan,
    name: str,
    path: Path,
    at_mm: Sequence[float] | None = None,
    boxes: Path | None = None,
) -> None:
    """A PDF: what was compared, the pictures, the table, and the study's box plots if drawn.

    `name` is the scan's. Raises OutputError where `path` cannot be written.
    """
    from matplotlib.backends.backend_pdf import PdfPages

    with tempfile.TemporaryDirectory() as folder, atomic_path(path) as temporary:
        picture = Path(folder) / "picture.png"
        save_picture(result, scan, picture, at_mm)
        with PdfPages(temporary) as pages:
            _first_page(pages, result, name, picture)
            for start in range(0, len(result.table), ROWS_PER_PAGE):
                _table_page(pages, result.table.iloc[start : start + ROWS_PER_PAGE])
            if boxes is not None and boxes.is_file():
                _boxes_page(pages, boxes)


def _first_page(pages: PdfPages, result: Result, name: str, picture: Path) -> None:
    figure = _page()
    figure.text(0.08, 0.95, f"Comparison of segmentations: {name}", fontsize=15, weight="bold")
    now = datetime.now().astimezone()
    figure.text(0.08, 0.935, f"{now:%Y-%m-%d %H:%M}, MO-Net Studio {monet_core.__version__}. "
                "Research use only.", fontsize=8, color="#555555")  # fmt: skip
    y = _lines(figure, 0.91, _first_lines(result))
    _image(figure, picture, (0.08, 0.04, 0.84, y - 0.06))
    pages.savefig(figure)


def _first_lines(result: Result) -> list[str]:
    lines = [
        f"{name}: {atlas_title(atlas)}, {entry.path.name}"
        for entry, (name, (_, atlas)) in zip(result.entries, result.segmented.items(), strict=True)
    ]
    lines += [f"Compared in {atlas_title(result.target)}: {len(result.comparison.regions)} regions "
              f"that all can have; {_against(result)}."]  # fmt: skip
    return [*lines, "", *summary_lines(result), "", *note_lines(result)]


def _against(result: Result) -> str:
    return f"each with {result.reference}" if result.reference else "each with each"


def _lines(figure: Figure, y: float, lines: Sequence[str]) -> float:
    for line in lines:
        for part in wrap(line, COLUMNS) or [""]:
            figure.text(0.08, y, part, fontsize=8.5, va="top")
            y -= 0.0135
    return y


def _table_page(pages: PdfPages, rows: pd.DataFrame) -> None:
    figure = _page()
    for title, x in _TABLE:
        figure.text(x, 0.95, title, fontsize=8.5, weight="bold")
    for number, row in enumerate(rows.itertuples(index=False)):
        y = 0.935 - 0.0165 * number
        cells = (str(row.name)[:48], f"{row.a} – {row.b}"[:40], dice(row.dice),
                 millimetres(row.hd95_mm, 1), millimetres(row.assd_mm, 2),
                 f"{row.volume_a_ml:.2f} / {row.volume_b_ml:.2f}")  # fmt: skip
        for (_, x), text in zip(_TABLE, cells, strict=True):
            figure.text(x, y, text, fontsize=7.5, va="center")
    pages.savefig(figure)


def millimetres(value: float, digits: int) -> str:
    """A distance; "∞" where only one of the two has the region, "–" where unknown."""
    if np.isinf(value):
        return "∞"
    return "–" if np.isnan(value) else f"{value:.{digits}f}"


def _boxes_page(pages: PdfPages, boxes: Path) -> None:
    figure = _page()
    figure.text(0.08, 0.95, "Over the study", fontsize=13, weight="bold")
    _image(figure, boxes, (0.06, 0.3, 0.88, 0.62))
    pages.savefig(figure)


def _page() -> Figure:
    # A Figure of its own, not pyplot's: no global state, so worker threads may draw.
    from matplotlib.figure import Figure

    return Figure(figsize=A4)


def _image(figure: Figure, file: Path, box: tuple[float, float, float, float]) -> None:
    from matplotlib.image import imread

    axes = figure.add_axes(box)
    axes.imshow(imread(file))
    axes.set_anchor("N")
    axes.axis("off")


def _difference(result: Result) -> Segmented:
    """The map of differences, as labels: how many pairs differ in a voxel."""
    found = result.comparison
    most = max(1, int(found.disagreement.max(initial=0)))
    regions = tuple(
        Region(count, f"{count} pairs differ", color=_HEAT[min(count, len(_HEAT)) - 1])
        for count in range(1, most + 1)
    )
    return replace(found.like, data=found.disagreement), Protocol("differences", regions)
