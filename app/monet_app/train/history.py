"""Curves and regions of a run, from what it wrote down so far. No Qt, no torch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monet_app.segment.cards import group_title, part_name
from monet_core.errors import MonetError
from monet_core.evaluation.figures import groups_of
from monet_core.evaluation.folders import region_set
from monet_core.protocols import Protocol, load_protocol
from monet_core.training.history import read_metrics, read_regions
from monet_core.training.settings import FULL, PARTIAL

Curve = list[tuple[int, float]]
"""(epoch, value)."""
PATIENCE = 5
"""So many validations without a better one, and it is said."""


@dataclass(frozen=True)
class RegionScore:
    """The last mean Dice of a region of the main decoder."""

    index: int
    name: str
    dice: float


@dataclass(frozen=True)
class RunFigures:
    """What the live page shows. `dice` has the mean over regions by decoder, `groups` the mean of
    each group of the main decoder's regions; `worst` its regions, the worst first."""

    epoch: int = 0
    loss: Curve = field(default_factory=list)
    dice: Mapping[str, Curve] = field(default_factory=dict)
    groups: Mapping[str, Curve] = field(default_factory=dict)
    worst: Sequence[RegionScore] = ()
    best_epoch: int = 0
    best_dice: float | None = None
    stale: int = 0
    validations_since: int = 0

    @property
    def hint(self) -> str:
        """That it has not improved for a while; "" where it has."""
        if self.validations_since < PATIENCE or self.best_dice is None:
            return ""
        return (
            f"Validation has not improved for {self.stale} epochs (best at epoch "
            f"{self.best_epoch}). It may still rise; if it does not, stop and keep."
        )


def run_figures(folder: Path, protocols: Mapping[str, str]) -> RunFigures:
    """The figures of the run in `folder`, whose decoders have these protocols."""
    main = FULL if FULL in protocols else PARTIAL
    metrics = read_metrics(folder)
    known = _known(protocols)
    curves = {
        part_name(name, known[name]) if name in known else name: _curve(
            metrics, f"validation/dice/{name}"
        )
        for name in protocols
    }
    groups, worst = {}, []
    if main in known:
        rows = [row for row in read_regions(folder) if row.get("decoder") == main]
        groups, worst = _by_group(rows, known[main]), _worst(rows, known[main])
    best_epoch, best, stale, since = _best(metrics, f"validation/dice/{main}")
    return RunFigures(
        epoch=int(metrics[-1]["epoch"]) if metrics else 0,
        loss=_curve(metrics, "train/loss"),
        dice=curves,
        groups=groups,
        worst=worst,
        best_epoch=best_epoch,
        best_dice=best,
        stale=stale,
        validations_since=since,
    )


def _known(protocols: Mapping[str, str]) -> dict[str, Protocol]:
    found = {}
    for name, protocol in protocols.items():
        try:
            found[name] = load_protocol(protocol)
        except (MonetError, OSError):  # the own atlas was moved: curves without groups
            continue
    return found


def _curve(metrics: Iterable[Mapping[str, Any]], name: str) -> Curve:
    return [(int(row["epoch"]), float(row[name])) for row in metrics if _finite(row.get(name))]


def _best(metrics: Iterable[Mapping[str, Any]], name: str) -> tuple[int, float | None, int, int]:
    """Epoch and Dice of the best validation; epochs and validations since then."""
    curve = _curve(metrics, name)
    if not curve:
        return 0, None, 0, 0
    place = max(range(len(curve)), key=lambda k: curve[k][1])
    epoch, best = curve[place]
    return epoch, best, curve[-1][0] - epoch, len(curve) - 1 - place


def _by_group(rows: Sequence[Mapping[str, Any]], protocol: Protocol) -> dict[str, Curve]:
    group_of = {
        str(index): group_title(name)
        for name, indices in groups_of(protocol, region_set(protocol)).items()
        for index in indices
    }
    sums: dict[tuple[str, int], list[float]] = {}
    for row in rows:
        for index, value in row["dice"].items():
            if _finite(value) and index in group_of:
                sums.setdefault((group_of[index], int(row["epoch"])), []).append(value)
    curves: dict[str, Curve] = {}
    for (group, epoch), values in sorted(sums.items(), key=lambda item: item[0][1]):
        curves.setdefault(group, []).append((epoch, sum(values) / len(values)))
    return curves


def _worst(rows: Sequence[Mapping[str, Any]], protocol: Protocol) -> list[RegionScore]:
    """Of the last validation, mean over its scans."""
    if not rows:
        return []
    last = rows[-1]["epoch"]
    values: dict[int, list[float]] = {}
    for row in rows:
        if row["epoch"] == last:
            for index, value in row["dice"].items():
                if _finite(value):
                    values.setdefault(int(index), []).append(value)
    known = set(protocol.indices)
    scores = [
        RegionScore(index, protocol.region(index).name, sum(each) / len(each))
        for index, each in values.items()
        if index in known
    ]
    return sorted(scores, key=lambda score: score.dice)


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
