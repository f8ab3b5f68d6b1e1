"""Loss and Dice of a run, drawn with matplotlib in the theme's colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from qtpy.QtWidgets import QSizePolicy, QWidget

from monet_app import theme
from monet_core.evaluation.figures import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from monet_app.train.history import Curve, RunFigures

HEIGHT = 300
_FONT = 8


class Curves(FigureCanvasQTAgg):
    """Two plots under each other; `highlight` draws one group of regions strongly."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._figure = Figure(layout="constrained")
        super().__init__(self._figure)
        self.setParent(parent)
        self.setMinimumHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Curves of loss and Dice over the epochs")
        self._loss, self._dice = self._figure.subplots(2, 1, sharex=True, height_ratios=(2, 3))
        self.colors: dict[str, str] = {}

    def draw_figures(self, figures: RunFigures) -> None:
        """Show a run's figures."""
        look = theme.current()
        self._figure.set_facecolor(look.window)
        for axes, title in ((self._loss, "Training loss"), (self._dice, "Validation Dice")):
            axes.clear()
            _dress(axes, title, look)
        _line(self._loss, figures.loss, color=look.accent, linewidth=1.6)
        if figures.loss and min(value for _, value in figures.loss) > 0:
            self._loss.set_yscale("log")
            self._loss.yaxis.set_major_locator(MaxNLocator(3))
            self._loss.yaxis.set_major_formatter("{x:g}")
            self._loss.minorticks_off()
        self._draw_dice(figures, look)
        self.draw_idle()

    def _draw_dice(self, figures: RunFigures, look: theme.Theme) -> None:
        self.colors = _colors(figures.groups)
        for name, curve in figures.groups.items():
            _line(self._dice, curve, color=self.colors[name], linewidth=0.9, alpha=0.9)
        for style, (name, curve) in zip(("-", "--", ":"), figures.dice.items(), strict=False):
            self.colors[name] = look.text
            _line(self._dice, curve, color=look.text, linewidth=2, linestyle=style, label=name)
        if figures.best_epoch:
            self._dice.axvline(figures.best_epoch, color=look.good, linewidth=0.8, linestyle=":")
        self._dice.set_ylim(0, 1)
        self._dice.set_xlabel("epoch", fontsize=_FONT, color=look.faint)
        if any(figures.dice.values()):
            legend = self._dice.legend(fontsize=_FONT, frameon=False, loc="lower right")
            for text in legend.get_texts():
                text.set_color(look.text)


def _line(axes: Axes, curve: Curve, **style: Any) -> None:
    epochs, values = [epoch for epoch, _ in curve], [value for _, value in curve]
    marker = "o" if len(curve) < 3 else None  # a line of one point would not be seen
    axes.plot(epochs, values, marker=marker, markersize=3, **style)


def _dress(axes: Axes, title: str, look: theme.Theme) -> None:
    axes.set_facecolor(look.field)
    axes.set_title(title, fontsize=_FONT, color=look.faint, loc="left")
    axes.tick_params(labelsize=_FONT, colors=look.faint, length=2)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(True, color=look.line, linewidth=0.4)
    for spine in axes.spines.values():
        spine.set_color(look.line)


def _colors(groups: Mapping[str, Curve]) -> dict[str, str]:
    return {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(groups)}
