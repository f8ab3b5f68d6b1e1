"""Figures as PNG: box plots of Dice, and learning curves. Drawn without any window or display."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monet_core.files import atomic_path
from monet_core.protocols import Protocol

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which colour-blind readers can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
DPI = 150
# From here on, the groups' names stand upright and the boxes closer together.
MANY_GROUPS = 20
Groups = Mapping[str, Sequence[int]]


def groups_of(protocol: Protocol, indices: Sequence[int]) -> dict[str, list[int]]:
    """The indices by their top group in the hierarchy, in the order of first appearance."""
    groups: dict[str, list[int]] = {}
    for index in indices:
        region = protocol.region(index)
        name = (region.path[0] if region.path else region.group) or "regions"
        groups.setdefault(name.replace("_", " "), []).append(index)
    return groups


def box_plot(
    table: pd.DataFrame | Mapping[str, pd.DataFrame],
    path: Path,
    groups: Groups | None = None,
    title: str = "",
    measure: str = "dice",
) -> None:
    """Draw a PNG with a box per group of regions: median, quartiles, whiskers of 1.5 box lengths.

    `table` has rows per scan and region (columns index, the measure); a mapping of several, by
    method, is drawn side by side. `groups` gives region indices by the text on the axis; one box
    pools all their values in all scans (nan and inf left out). Default: every region on its own.
    Raises OutputError where `path` cannot be written.
    """
    tables = dict(table) if isinstance(table, Mapping) else {"": table}
    groups = groups or _single_regions(tables)
    figure = _figure(_width(len(groups), len(tables)), height=4.6)
    axes = figure.add_subplot()
    for number, (method, rows) in enumerate(tables.items()):
        colour = COLOURS[number % len(COLOURS)]
        values = [_values(rows, indices, measure) for indices in groups.values()]
        _boxes(axes, values, number, len(tables), colour)
        if method:
            axes.fill_between([], [], color=colour, alpha=0.6, label=method)
    _label_groups(axes, groups)
    axes.set_ylabel("Dice" if measure == "dice" else measure.replace("_", " "))
    if measure == "dice":
        axes.set_ylim(-0.02, 1.02)
    if any(tables):
        figure.legend(loc="outside upper right", ncols=len(tables), frameon=False)
    _save(figure, axes, path, title)


def learning_curves(rows: Sequence[Mapping[str, Any]], path: Path, title: str = "") -> None:
    """Draw a PNG of training loss (left) and validation Dice (right) against the epoch.

    `rows` are the lines of a run's metrics.jsonl: "epoch", "train/loss", "train/loss/<decoder>",
    "validation/dice/<decoder>"; a row need not have all of them. Several rows of one epoch are
    averaged. Raises OutputError where `path` cannot be written.
    """
    table = pd.DataFrame(list(rows), columns=None if rows else ["epoch"])
    means = table.groupby("epoch").mean(numeric_only=True)
    figure = _figure(width=9.0, height=3.8)
    left, right = figure.subplots(1, 2)
    losses = _by_decoder(means, "train/loss", "total")
    dices = _by_decoder(means, "validation/dice", "mean")
    decoders = dict.fromkeys([*losses, *dices])
    colours = {name: COLOURS[n % len(COLOURS)] for n, name in enumerate(decoders)}
    _curves(left, losses, colours, "Training loss")
    _curves(right, dices, colours, "Validation Dice")
    right.set_ylim(0, 1)
    _save(figure, left, path, title)


def _width(groups: int, methods: int) -> float:
    """Inches in which the boxes are legible."""
    each = 0.2 * methods if groups > MANY_GROUPS else 0.25 + 0.25 * methods
    return max(5.0, 2.0 + groups * each)


def _figure(width: float, height: float) -> Figure:
    # A Figure of its own, not pyplot's: no global state, so worker threads may draw as well.
    from matplotlib.figure import Figure

    return Figure(figsize=(min(width, 60.0), height), dpi=DPI, layout="constrained")


def _save(figure: Figure, axes: Axes, path: Path, title: str) -> None:
    if title:
        axes.set_title(title, loc="left", fontsize=11)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI)


def _single_regions(tables: Mapping[str, pd.DataFrame]) -> dict[str, list[int]]:
    rows = pd.concat(list(tables.values())).drop_duplicates("index")
    names, indices = rows["abbreviation"].tolist(), rows["index"].tolist()
    return {str(name): [int(index)] for name, index in zip(names, indices, strict=True)}


def _values(rows: pd.DataFrame, indices: Sequence[int], measure: str) -> np.ndarray:
    values = rows.loc[rows["index"].isin(indices), measure].to_numpy(dtype=float)
    return values[np.isfinite(values)]


def _boxes(axes: Axes, values: list[np.ndarray], number: int, of: int, colour: str) -> None:
    """One method's boxes, moved sideways so that `of` methods fit beside each other."""
    width = 0.75 / of
    positions = np.arange(len(values)) + (number - (of - 1) / 2) * width
    axes.boxplot(
        values,
        positions=positions,
        widths=0.85 * width,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": colour, "alpha": 0.6, "edgecolor": colour},
        medianprops={"color": "black", "linewidth": 1.2},
        whiskerprops={"color": colour},
        capprops={"color": colour},
        flierprops={"marker": ".", "markersize": 3, "markeredgecolor": colour, "alpha": 0.7},
    )


def _label_groups(axes: Axes, groups: Groups) -> None:
    axes.set_xticks(range(len(groups)))
    texts = [f"{name} ({len(of)})" if len(of) > 1 else name for name, of in groups.items()]
    slant = 90 if len(groups) > MANY_GROUPS else 40
    axes.set_xticklabels(texts, rotation=slant, ha="right", va="center_baseline", fontsize=9)
    for label in axes.get_xticklabels():
        label.set_rotation_mode("anchor")
    axes.set_xlim(-0.6, len(groups) - 0.4)
    axes.yaxis.grid(True, color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _by_decoder(means: pd.DataFrame, prefix: str, overall: str) -> dict[str, pd.Series]:
    """The columns "prefix" (named `overall`) and "prefix/<decoder>", without missing values."""
    found = {}
    for column in means.columns:
        if column == prefix or column.startswith(f"{prefix}/"):
            name = column.removeprefix(prefix).removeprefix("/") or overall
            found[name] = means[column].dropna()
    return found


def _curves(
    axes: Axes, curves: Mapping[str, pd.Series], colours: Mapping[str, str], label: str
) -> None:
    for name, values in curves.items():
        marker = "o" if len(values) < 30 else ""
        axes.plot(
            values.index, values, color=colours[name], marker=marker, markersize=3, label=name
        )
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    axes.grid(True, color="#dddddd", linewidth=0.7)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if curves:
        axes.legend(frameon=False, fontsize=9)
