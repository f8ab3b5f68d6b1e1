"""Frames per second of scrolling through slices: our four views beside a plain napari viewer.

    python benchmarks/scrubbing.py [--size 256] [--frames 100] [--labels 138]

Every frame moves one slice on and draws; both windows hold the same scan and regions and have the
same size. "through" turns the wheel in one plane, "cross-hair" drags it diagonally, so that every
plane changes. On a machine without a graphics card this measures software OpenGL, where our views
are painted by Qt; with one, they are on napari canvases. Both are measured here.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monet_core.protocols import Protocol, Region
from monet_core.protocols.colors import distinct_color
from monet_core.scans import Geometry, LabelMap, Scan, forms_from_affine

if TYPE_CHECKING:
    from monet_app.views.canvas import Kind

WIDTH, HEIGHT = 1100, 860
FIRST, SLICES = 0.3, 0.4


def head(size: int, count: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """A noisy ball of `count` regions, each the voxels nearest to a random point."""
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(0)
    coarse = size // 4
    grid = np.stack(np.meshgrid(*[np.arange(coarse)] * 3, indexing="ij"), axis=-1) * 4 + 2
    centre = np.full(3, size / 2)
    seeds = centre + rng.normal(0, size / 6, (count, 3))
    region = cKDTree(seeds).query(grid.reshape(-1, 3))[1].reshape((coarse,) * 3) + 1
    region[((grid - centre) ** 2).sum(axis=-1) > (0.42 * size) ** 2] = 0
    labels = region.astype(np.int32).repeat(4, 0).repeat(4, 1).repeat(4, 2)
    image = 100 + 3 * labels + rng.normal(0, 20, labels.shape)
    return image.astype(np.float32), labels


def atlas(count: int) -> Protocol:
    """A protocol of `count` regions."""
    regions = tuple(Region(n, f"Region {n}", color=distinct_color(n)) for n in range(1, count + 1))
    return Protocol("bench", regions)


def timed(move: Callable[[int], None], draw: Callable[[], None], frames: int) -> str:
    """How many frames go into a second; median and worst milliseconds, and those of work.

    Work is the processor time of all threads, which other programs on the machine hardly change.
    """
    took, worked = [], []
    for frame in range(-5, frames):
        start, busy = time.perf_counter(), time.process_time()
        move(frame)
        draw()
        if frame >= 0:
            took.append(1000 * (time.perf_counter() - start))
            worked.append(1000 * (time.process_time() - busy))
    median, work = float(np.median(took)), float(np.median(worked))
    return (
        f"{1000 / median:6.1f} frames/s   median {median:6.1f} ms   worst {max(took):6.1f} ms"
        f"   work {work:6.1f} ms"
    )


def measure_stage(
    scan: Scan, labels: LabelMap, protocol: Protocol, frames: int, canvas: Kind
) -> None:
    """Our stage: axial scrolling, then the cross-hair dragged; `canvas` draws the planes."""
    from qtpy.QtWidgets import QApplication

    from monet_app.views.ortho import OrthoStage

    stage = OrthoStage(canvas)
    stage.widget.resize(WIDTH, HEIGHT)
    stage.widget.show()
    stage.show_scan(scan, "bench")
    stage.show_segmentation("a", labels, protocol)
    size = scan.data.shape[0]
    low, span = round(FIRST * size), round(SLICES * size)
    middle = scan.geometry.centre

    def draw() -> None:
        for _ in range(3):
            QApplication.processEvents()

    def through(frame: int) -> None:
        stage.go_to((middle[0], middle[1], low + frame % span))

    def across(frame: int) -> None:
        stage.go_to([low + frame % span] * 3)

    draw()
    for name, move in (("through axial", through), ("cross-hair", across)):
        print(f"four, {canvas:12s} {name:14s} {timed(move, draw, frames)}", flush=True)
    stage.set_outline(1)
    print(f"four, {canvas:12s} {'axial outlines':14s} {timed(through, draw, frames)}", flush=True)
    stage.set_outline(0)
    stage.set_layout("axial")
    draw()
    print(f"one, {canvas:12s}  {'through axial':14s} {timed(through, draw, frames)}", flush=True)
    stage.close()
    stage.widget.close()


def measure_napari(scan: Scan, labels: LabelMap, protocol: Protocol, frames: int) -> None:
    """A plain viewer: one canvas, sliders and layer list as napari has them."""
    import napari
    from napari.utils.colormaps import DirectLabelColormap
    from qtpy.QtWidgets import QApplication

    viewer = napari.Viewer()
    viewer.window.resize(WIDTH, HEIGHT)
    viewer.add_image(scan.data.transpose(2, 1, 0))
    colors = {None: "magenta", 0: "transparent"}
    colors |= {region.index: region.color for region in protocol.regions}
    viewer.add_labels(
        labels.data.transpose(2, 1, 0).astype(np.uint8),
        colormap=DirectLabelColormap(color_dict=colors),
        opacity=0.5,
    )
    size = scan.data.shape[0]
    low, span = round(FIRST * size), round(SLICES * size)

    def draw() -> None:
        for _ in range(3):
            QApplication.processEvents()

    def through(frame: int) -> None:
        viewer.dims.set_point(0, low + frame % span)

    draw()
    print(f"napari.Viewer      {'through axial':14s} {timed(through, draw, frames)}", flush=True)
    viewer.close()


def main() -> None:
    """Measure both, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--labels", type=int, default=138)
    parser.add_argument("--frames", type=int, default=100)
    chosen = parser.parse_args()
    os.environ.setdefault("QT_API", "pyside6")
    from monet_app.start import application

    app = application()
    image, regions = head(chosen.size, chosen.labels)
    affine = np.eye(4)
    geometry, forms = Geometry(image.shape, affine), forms_from_affine(affine)
    scan, labels = Scan(image, geometry, forms), LabelMap(regions, geometry, forms)
    protocol = atlas(chosen.labels)
    print(f"{chosen.size}^3 voxels, {chosen.labels} regions, window {WIDTH} x {HEIGHT}")
    for canvas in ("painted", "napari"):
        measure_stage(scan, labels, protocol, chosen.frames, canvas)
    measure_napari(scan, labels, protocol, chosen.frames)
    app.quit()


if __name__ == "__main__":
    main()
