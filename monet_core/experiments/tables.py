"""The tables of an experiment: scores beside the paper's, paired comparisons, regions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pandas as pd

from monet_core.evaluation import summarise, write_tsv
from monet_core.evaluation.summary import regions_table
from monet_core.experiments.definitions import ResultTable, paper_figures, printed_name
from monet_core.experiments.paired import compare_methods, holm
from monet_core.experiments.scoring import Scored

EXTREMES = 5


@dataclass(frozen=True)
class TableResult:
    """All that is told about one table.

    `scores`: a row per method or tool, then those that only the paper has. `comparisons`: a row
    per pair of methods, a - b. `regions`: a row per region, mean Dice per method. `failed`:
    why a scan of a method has no score.
    """

    table: ResultTable
    scores: pd.DataFrame
    comparisons: pd.DataFrame
    regions: pd.DataFrame
    failed: Mapping[str, Mapping[str, str]]

    def write(self, folder: Path) -> None:
        """Write KEY.tsv, KEY-comparisons.tsv and KEY-regions.tsv; OutputError."""
        write_tsv(self.scores, folder / f"{self.table.key}.tsv")
        write_tsv(self.comparisons, folder / f"{self.table.key}-comparisons.tsv")
        write_tsv(self.regions, folder / f"{self.table.key}-regions.tsv")

    def extremes(self, title: str) -> tuple[list[str], list[str]]:
        """The regions of the lowest and of the highest mean Dice of a method, "name .812"."""
        ranked = self.regions.dropna(subset=[title]).sort_values(title, kind="stable")
        pairs = zip(ranked["name"], ranked[title], strict=True)
        texts = [f"{name} {dice:.3f}" for name, dice in pairs]
        return texts[:EXTREMES], texts[: -EXTREMES - 1 : -1]


def tabulate(table: ResultTable, scored: Sequence[Scored]) -> TableResult:
    """The table's results from the scores of its methods and tools."""
    return TableResult(
        table=table,
        scores=_scores(table, scored),
        comparisons=_comparisons(scored),
        regions=_regions(scored),
        failed={each.by.title: each.failed for each in scored if each.failed},
    )


def _scores(table: ResultTable, scored: Sequence[Scored]) -> pd.DataFrame:
    printed = paper_figures(table)
    names = [printed_name(each.by.name, printed) for each in scored]
    rows = [
        _score_row(each, printed[name] if name else None)
        for each, name in zip(scored, names, strict=True)
    ]
    rows += [
        {"method": name, "recipe": None, "paper_dice": text}
        for name, text in printed.items()
        if name not in names
    ]
    return pd.DataFrame(rows)


def _score_row(scored: Scored, printed: str | None) -> dict[str, object]:
    dice, distance = scored.dice, summarise(scored.rows, "hd95_mm")
    return {
        "method": scored.by.name,
        "recipe": scored.by.recipe,
        "scans": dice.n,
        "failed": len(scored.failed),
        "regions": scored.covered,
        "of_regions": scored.regions,
        "dice_mean": dice.mean,
        "dice_std": dice.std,
        "hd95_mm_mean": distance.mean,
        "hd95_mm_std": distance.std,
        "dice": dice.paper(),
        "hd95_mm": distance.paper(2),
        "paper_dice": printed,
    }


def _comparisons(scored: Sequence[Scored]) -> pd.DataFrame:
    """Every pair of one recipe, and every method with every tool; the p-values of both kinds
    adjusted by Holm's method over the pairs of this table."""
    rows = [
        {"a": a.by.title, "b": b.by.title, **compare_methods(a.rows, b.rows)}
        for a, b in _pairs(scored)
    ]
    table = pd.DataFrame(rows)
    for column in ("p", "p_scans") if rows else ():
        table[f"{column}_holm"] = holm(table[column].to_list())
    return table


def _pairs(scored: Sequence[Scored]) -> Iterator[tuple[Scored, Scored]]:
    """Pairs with the method that comes later in the paper's order first: MO-Net - U-Net."""
    for b, a in combinations(scored, 2):
        if a.by.recipe is None:
            yield b, a
        elif a.by.recipe == b.by.recipe:
            yield a, b


def _regions(scored: Sequence[Scored]) -> pd.DataFrame:
    columns = {
        each.by.title: regions_table(each.rows).set_index("index")["dice_mean"] for each in scored
    }
    names = pd.concat([each.rows for each in scored]).drop_duplicates("index").set_index("index")
    table = names[["name", "hemisphere"]].join(pd.DataFrame(columns))
    return table.sort_index().reset_index()
