"""Two minutes of redraws: does the window live on, and does it stop growing?

    python benchmarks/soak.py [--seconds 120]

Moves the cross-hair through everything, switches what can be switched, and watches memory and the
reference counts of None, True and False. (PySide6 6.12.0 on Python 3.11 loses a reference to None
with every call that returns nothing, and ends the program after about a minute.) Exits with 1
where the counts sink or memory grows by more than a tenth in the second half.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from itertools import count

import psutil
from scrubbing import HEIGHT, WIDTH, atlas, head

from monet_core.scans import Geometry, LabelMap, Scan, forms_from_affine

SINGLETONS = (None, True, False)
GROWTH = 1.1
LOST = 200


def main() -> None:
    """Draw until the time is over, then tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--size", type=int, default=128)
    chosen = parser.parse_args()
    os.environ.setdefault("QT_API", "pyside6")
    from monet_app.start import application

    app = application()
    sys.exit(soak(app, chosen.size, chosen.seconds))


def soak(app: object, size: int, seconds: float) -> int:
    """Redraw for `seconds`; 0 where nothing was lost and nothing grew."""
    import numpy as np

    from monet_app.views.ortho import OrthoStage
    from monet_app.views.strip import CursorStrip
    from monet_app.views.toolbar import StageToolbar

    image, regions = head(size, 138)
    geometry = Geometry(image.shape, np.eye(4))
    forms = forms_from_affine(geometry.affine)
    stage = OrthoStage()
    stage.widget.add_above(StageToolbar(stage))
    stage.widget.add_below(CursorStrip(stage))
    stage.widget.resize(WIDTH, HEIGHT)
    stage.widget.show()
    stage.show_scan(Scan(image, geometry, forms), "soak")
    stage.show_segmentation("a", LabelMap(regions, geometry, forms), atlas(138))
    process, start = psutil.Process(), time.monotonic()
    memory, counts = [], [sys.getrefcount(each) for each in SINGLETONS]
    for frame in count():
        busy(stage, frame, size)
        app.processEvents()  # type: ignore[attr-defined]
        memory.append(process.memory_info().rss)
        if time.monotonic() - start > seconds:
            break
    lost = [sys.getrefcount(each) - before for each, before in zip(SINGLETONS, counts, strict=True)]
    half = max(memory[len(memory) // 2 - 10 : len(memory) // 2 + 10])
    grown = max(memory[-10:]) / half
    print(f"{frame} frames in {seconds:.0f} s; None, True, False changed by {lost}")
    print(f"memory {memory[10] / 1e6:.0f} -> {half / 1e6:.0f} -> {memory[-1] / 1e6:.0f} MB")
    stage.close()
    return int(min(lost) < -LOST or grown > GROWTH)


def busy(stage: object, frame: int, size: int) -> None:
    """One more frame: a move, and now and then something else."""
    at = 20 + frame % (size - 40)
    stage.go_to((at, size - at, (at * 7) % size))  # type: ignore[attr-defined]
    if frame % 25 == 0:
        stage.set_hidden("a", range(1, 1 + frame % 100))  # type: ignore[attr-defined]
    if frame % 40 == 0:
        stage.set_outline((frame // 40) % 3)  # type: ignore[attr-defined]
    if frame % 60 == 0:
        stage.set_opacity(0.3 + (frame % 5) / 10)  # type: ignore[attr-defined]
    if frame % 150 == 0:
        layouts = ("four", "axial", "side-by-side", "coronal")
        stage.set_layout(layouts[(frame // 150) % 4])  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
