"""The group level's table of quality: a row per scan with what is unusual, or what went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from monet_core.bids.layout import BidsScan
from monet_core.bids.results import Group, Last, Result
from monet_core.bids.volumes import IDS, LABELLED
from monet_core.protocols import Protocol
from monet_core.quality import Reference, outliers, rank, shipped_reference, systematic
from monet_core.quality.outliers import ENOUGH_SCANS, FEWEST_SCANS
from monet_core.quality.uncertainty import WHOLE
from monet_core.workspace.counting import Counts, Owner, volume_tables

DONE, WARNINGS, FAILED, MISSING = "done", "warnings", "failed", "not segmented"

BAR = " | "
"""Between sentences, which have semicolons of their own."""
COLUMNS = {
    "outcome": "done, warnings (look at the result), failed, or not segmented so far",
    "score": "How unusual the volumes are: 1 and above is worth a look",
    "reason": "Why",
    "outlier_regions": "Number of regions of unusual size or asymmetry: a robust z of 4 and more",
    "outliers": "Their names, with z of size or, where it says so, of asymmetry (left more: +), "
    "separated by semicolons",
    "missing_regions": "Number of regions that are missing though others have them",
    "missing": "Their names, separated by semicolons",
    LABELLED: "Volume of all regions of the largest atlas together, in ml",
    "asymmetry_percent": "Median over pairs of regions of |L - R| / mean, in per cent",
    "entropy": "Mean entropy of the posterior over the labelled voxels, in nats",
    "warnings": "What was noticed while segmenting, separated by vertical bars",
    "failure": "Why there is no result, or why the last run failed",
    "failure_code": "The same as one word",
    "model": "Model that made the results",
}


@dataclass(frozen=True, eq=False)
class Checked:
    """One atlas's volumes against what is usual: tables of `outliers`, `rank` and `systematic`;
    `reference` says in words what they were compared with."""

    group: Group
    found: pd.DataFrame
    ranking: pd.DataFrame
    systematic: pd.DataFrame
    reference: str


def check(group: Group) -> Checked:
    """Compare the volumes of one atlas's results with each other, or the shipped reference.

    Of the regions that the atlas evaluates: others, such as vessels, are not found in everybody.
    """
    counted: list[tuple[Owner, Protocol, Counts]] = [
        ({"scan": each.stem}, group.protocol, each.counts) for each in group.results
    ]
    volumes = volume_tables(counted, ["scan"])
    volumes = volumes[volumes["index"].isin(_judged(group.protocol))]
    reference = shipped_reference(group.protocol)
    found = outliers(volumes, reference)
    ranking = rank(found, _entropies(group.results))
    return Checked(group, found, ranking, systematic(found), _against(group, reference))


def never_found(one: Checked) -> list[str]:
    """Names of the regions that should be found, and are in no scan."""
    voxels = one.found.groupby("name", sort=False)["voxels"].sum()
    return [str(name) for name in voxels.index[voxels == 0]]


def _judged(protocol: Protocol) -> tuple[int, ...]:
    return protocol.subsets.get("evaluated", protocol.indices)


def _against(group: Group, reference: Reference | None) -> str:
    count = len(group.results)
    if reference is not None and count < ENOUGH_SCANS:
        return reference.source
    if count < FEWEST_SCANS:
        return f"nothing: {count} scans are too few, and no reference of this atlas ships"
    return f"the {count} scans themselves"


def quality_table(
    scans: Sequence[BidsScan], checked: Sequence[Checked], last: Mapping[str, Last]
) -> pd.DataFrame:
    """A row per scan: results worth a look, the most first, failed scans, not segmented ones, rest.

    `checked`: per atlas, the largest first; `last` by the scans' file names. Columns:
    participant_id, session_id, scan and those of `COLUMNS`.
    """
    known = {scan.stem: scan for scan in scans}
    results: dict[str, list[Result]] = {stem: [] for stem in known}
    for one in checked:
        for result in one.group.results:
            results.setdefault(result.stem, []).append(result)
    figures = _figures(checked)
    rows = [
        _row(stem, known.get(stem), found, figures.get(stem, {}), last)
        for stem, found in results.items()
    ]
    table = pd.DataFrame(rows, columns=[*IDS, *COLUMNS])
    group = table["outcome"].map({FAILED: 1, MISSING: 2}).fillna(3).mask(is_notable(table), 0)
    attention = table["score"].fillna(0) + (table["outcome"] == WARNINGS)
    order = np.lexsort((-attention.to_numpy(float), group.to_numpy(float)))
    return table.iloc[order].reset_index(drop=True)


def is_notable(table: pd.DataFrame) -> pd.Series:
    """Which rows of `quality_table` have a result that is worth a look."""
    unusual = (table["outcome"] == DONE) & (table["score"].fillna(0) >= 1)
    return (table["outcome"] == WARNINGS) | unusual


def quality_sidecar() -> dict[str, Any]:
    """What the columns mean, for the JSON beside the table."""
    return {name: {"Description": text} for name, text in COLUMNS.items()}


def _entropies(results: Sequence[Result]) -> pd.DataFrame | None:
    rows = [
        {"scan": each.stem, "index": WHOLE, "entropy": each.entropy}
        for each in results
        if each.entropy is not None
    ]
    return pd.DataFrame(rows) if rows else None


def _figures(checked: Sequence[Checked]) -> dict[str, dict[str, Any]]:
    """Per scan the columns of `COLUMNS` that come from volumes."""
    figures: dict[str, dict[str, Any]] = {}
    for number, one in enumerate(checked):
        unusual, missing = _named(one.found, f" ({one.group.atlas})" if number else "")
        for row in one.ranking.to_dict("records"):
            scan = row["scan"]
            own = figures.setdefault(scan, {"score": -1.0, "outliers": [], "missing": []})
            own["outliers"] += unusual.get(scan, [])
            own["missing"] += missing.get(scan, [])
            if row["score"] > own["score"]:
                own |= {"score": round(row["score"], 2), "reason": row["reason"]}
    for one in checked[:1]:
        size = one.found["asymmetry_percent"].abs().groupby(one.found["scan"]).median()
        for scan, percent in size.items():
            figures[str(scan)]["asymmetry_percent"] = percent
    return figures


def _named(found: pd.DataFrame, tag: str) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Per scan: regions of unusual volume with z, the farthest first; and missing ones."""
    gone = found[found["missing"]]
    unusual = found[found["flagged"] & ~found["missing"]]
    unusual = unusual.sort_values("z", key=np.abs, ascending=False, kind="stable")
    # Asymmetry is one figure of both sides: without the word either would seem too large.
    lopsided = (unusual["z"] == unusual["z_asymmetry"]).map({True: " asymmetry", False: ""})
    texts = unusual["name"] + lopsided + unusual["z"].map(" {:+.1f}".format) + tag
    return _by_scan(unusual["scan"], texts), _by_scan(gone["scan"], gone["name"] + tag)


def _by_scan(scans: pd.Series, texts: pd.Series) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for scan, text in zip(scans, texts, strict=True):
        found.setdefault(scan, []).append(text)
    return found


def _row(
    stem: str,
    scan: BidsScan | None,
    results: Sequence[Result],
    figures: Mapping[str, Any],
    last: Mapping[str, Last],
) -> dict[str, Any]:
    subject, session = (scan.subject, scan.session) if scan else _owner(results[0])
    run = last.get(scan.path.name if scan else results[0].scan)
    failed = run if run is not None and run.outcome == FAILED else None
    warnings = list(dict.fromkeys(text for each in results for text in each.warnings))
    unusual, missing = figures.get("outliers", []), figures.get("missing", [])
    return {
        "participant_id": subject,
        "session_id": session or None,
        "scan": stem,
        "outcome": _outcome(results, bool(warnings), failed),
        **figures,
        "outlier_regions": len(unusual) if results else np.nan,
        "outliers": "; ".join(unusual) or None,
        "missing_regions": len(missing) if results else np.nan,
        "missing": "; ".join(missing) or None,
        LABELLED: _labelled_ml(results[0]) if results else np.nan,
        "entropy": results[0].entropy if results else None,
        "warnings": BAR.join(warnings) or None,
        "failure": failed.reason if failed else None,
        "failure_code": failed.code if failed else None,
        "model": ", ".join(dict.fromkeys(each.model for each in results)) or None,
    }


def _owner(result: Result) -> tuple[str, str]:
    return result.subject, result.session


def _outcome(results: Sequence[Result], doubtful: bool, failed: Last | None) -> str:
    if not results:
        return FAILED if failed else MISSING
    return WARNINGS if doubtful or failed else DONE


def _labelled_ml(result: Result) -> float:
    counts = result.counts
    return sum(counts.voxels.values()) * counts.voxel_ml if counts.voxels else np.nan
