"""Loss and Dice of a run as a picture, drawn by matplotlib. No Qt: called on a background thread.

Drawing takes 50 ms and more, and loading matplotlib half a second, which the window must not wait
for. A fixed layout and lines that are kept spare most of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from monet_app.theme import Theme
    from monet_app.train.history import Curve, RunFigures

_FONT = 8
_DPI = 100
_LEFT, _RIGHT, _TOP, _BOTTOM = 38, 8, 18, 42
"""Margins in pixels."""


COLORS = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#C9B400", "#D55E00", "#88CCEE",
          "#44AA99", "#AA4499", "#999933", "#CC6677", "#7A8FD0")  # fmt: skip
"""Okabe and Ito's, then Tol's, which colour-blind readers can tell apart."""


def curve_colors(groups: Mapping[str, Curve]) -> dict[str, str]:
    """In which colour each group of regions is drawn."""
    return {name: COLORS[place % len(COLORS)] for place, name in enumerate(groups)}


class Drawing:
    """Two plots under each other; one call draws at a time."""

    def __init__(self) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self._figure = Figure(dpi=_DPI)
        self._canvas = FigureCanvasAgg(self._figure)
        self._loss, self._dice = self._figure.subplots(2, 1, sharex=True, height_ratios=(2, 3))
        self._lines: dict[str, Line2D] = {}
        self._look: Theme | None = None
        self._lock = Lock()

    def picture(
        self, figures: RunFigures, look: Theme, width: int, height: int, ratio: float = 1.0
    ) -> NDArray[np.uint8]:
        """The figures in `width` x `height` pixels, `ratio` times as fine: (H, W, 4), RGBA."""
        with self._lock:
            self._figure.set_dpi(_DPI * ratio)
            self._figure.set_size_inches(width / _DPI, height / _DPI)
            self._place(width, height)
            self._update(figures, look)
            self._canvas.draw()
            return np.array(self._canvas.buffer_rgba())

    def _update(self, figures: RunFigures, look: Theme) -> None:
        names = ["loss", *figures.groups, *figures.dice, "best"]
        if list(self._lines) != names or look is not self._look:
            self._begin(figures, look)
        curves = {"loss": figures.loss, **figures.groups, **figures.dice}
        for name, curve in curves.items():
            _set(self._lines[name], curve)
        best = [figures.best_epoch] * 2 if figures.best_epoch else []
        self._lines["best"].set_data(best, [0, 1] if best else [])
        last = max(2, *(curve[-1][0] for curve in curves.values() if curve), figures.epoch)
        self._dice.set_xlim(1 - 0.02 * last, 1.02 * last)  # room for the marks at the ends
        self._loss.relim()
        self._loss.autoscale_view(scalex=False)

    def _begin(self, figures: RunFigures, look: Theme) -> None:
        """New lines: another run, or another theme."""
        from matplotlib.ticker import MaxNLocator

        self._look = look
        self._figure.set_facecolor(look.window)
        for axes, title in ((self._loss, "Training loss"), (self._dice, "Validation Dice")):
            axes.clear()
            _dress(axes, title, look)
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        self._loss.yaxis.set_major_locator(MaxNLocator(4))
        self._lines = {"loss": _line(self._loss, color=look.accent, linewidth=1.4)}
        for name, color in curve_colors(figures.groups).items():
            self._lines[name] = _line(self._dice, color=color, linewidth=0.8)
        for style, name in zip(("-", "--", ":"), figures.dice, strict=False):
            self._lines[name] = _line(
                self._dice, color=look.text, linewidth=1.6, linestyle=style, label=name
            )
        self._lines["best"] = _line(self._dice, color=look.good, linewidth=0.8, linestyle=":")
        self._dice.set_ylim(0, 1)
        self._dice.set_xlabel("epoch (dotted: the best)", fontsize=_FONT, color=look.faint)
        if figures.dice:
            legend = self._dice.legend(fontsize=_FONT, frameon=False, loc="lower right")
            for text in legend.get_texts():
                text.set_color(look.text)

    def _place(self, width: int, height: int) -> None:
        """Margins as wide as the text beside the plots."""
        self._figure.subplots_adjust(
            left=min(0.4, _LEFT / width),
            right=max(0.6, 1 - _RIGHT / width),
            top=max(0.6, 1 - _TOP / height),
            bottom=min(0.3, _BOTTOM / height),
            hspace=0.25,
        )


def _line(axes: Axes, **style: Any) -> Line2D:
    return axes.plot([], [], markersize=3, **style)[0]


def _set(line: Line2D, curve: Curve) -> None:
    line.set_data([epoch for epoch, _ in curve], [value for _, value in curve])
    line.set_marker("o" if len(curve) < 3 else "")  # a line of one point would not be seen


def _dress(axes: Axes, title: str, look: Theme) -> None:
    axes.set_facecolor(look.field)
    axes.set_title(title, fontsize=_FONT, color=look.faint, loc="left", pad=4)
    axes.tick_params(labelsize=_FONT, colors=look.faint, length=2)
    axes.grid(True, color=look.line, linewidth=0.4)
    for spine in axes.spines.values():
        spine.set_color(look.line)
