"""The group level's report: one HTML file that needs neither network nor other files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from monet_core import __version__
from monet_core.bids.quality import BAR, DONE, FAILED, MISSING, WARNINGS, Checked, is_notable
from monet_core.bids.volumes import LABELLED, region_columns
from monet_core.files import write_text

MOST_ROWS = 5_000
"""Rows of the table of scans; beyond, browsers slow down, and nobody reads on."""
MOST_NAMED = 200
"""Scans of one reason for failing whose names are listed."""
LEAST_FOR_HISTOGRAM = 20


@dataclass(frozen=True)
class Card:
    """A scan to look at: its row of the table of quality; `picture` a data URI, or "" and `why`."""

    row: Mapping[str, Any]
    picture: str
    why: str = ""


@dataclass(frozen=True, eq=False)
class Report:
    """All that is shown.

    `table` as of `quality_table`, `volumes` per atlas as of `volumes_table`. `notices` are
    sentences to read before all else; `methods` a paragraph for a paper, "" where there is none.
    """

    title: str
    table: pd.DataFrame
    checked: Sequence[Checked]
    volumes: Mapping[str, pd.DataFrame]
    cards: Sequence[Card]
    notices: Sequence[str]
    methods: str


def write_report(report: Report, path: Path) -> None:
    """Write the HTML file; OutputError where `path` cannot be written."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).with_name("templates"))
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    own = {"number": _number, "short": _short, "sentences": _sentences, "kind": _kind}
    environment.filters |= own
    write_text(path, environment.get_template("report.html").render(_context(report)))


def _context(report: Report) -> dict[str, Any]:
    table = report.table
    return {
        "title": report.title,
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "version": __version__,
        "models": sorted({m for text in table["model"].dropna() for m in text.split(", ")}),
        "tiles": _tiles(table),
        "notices": report.notices,
        "failures": _failures(table),
        "missing": int((table["outcome"] == MISSING).sum()),
        "cards": report.cards,
        "notable": int(is_notable(table).sum()),
        "pictured": {card.row["scan"] for card in report.cards},
        "rows": _records(table.head(MOST_ROWS)),
        "total": len(table),
        "with_entropy": bool(table["entropy"].notna().any()),
        "atlases": [_atlas(one, report.volumes[one.group.atlas]) for one in report.checked],
        "methods": report.methods,
        "most_named": MOST_NAMED,
    }


def _tiles(table: pd.DataFrame) -> list[tuple[str, int, str]]:
    """Text, count and kind of each figure at the top."""
    counts = table["outcome"].value_counts().to_dict()
    segmented = counts.get(DONE, 0) + counts.get(WARNINGS, 0)
    unusual = int((table["score"].fillna(0) >= 1).sum())
    return [
        ("scans", len(table), ""),
        ("segmented", segmented, "good" if segmented == len(table) else ""),
        ("with warnings", counts.get(WARNINGS, 0), "warn"),
        ("of unusual volumes", unusual, "warn"),
        ("failed", counts.get(FAILED, 0), "bad"),
        ("not segmented so far", counts.get(MISSING, 0), "bad"),
    ]


def _failures(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Failed scans by the kind of reason, the most frequent first."""
    failed = table[table["outcome"] == FAILED]
    groups = [
        {
            "count": len(rows),
            "same": rows["failure"].nunique() == 1,
            "rows": _records(rows.head(MOST_NAMED)),
        }
        for _, rows in failed.groupby(failed["failure_code"].fillna(""), sort=False)
    ]
    return sorted(groups, key=lambda group: -group["count"])


def _atlas(one: Checked, volumes: pd.DataFrame) -> dict[str, Any]:
    columns = region_columns(one.group.protocol)
    flagged = one.found.groupby("index")["flagged"].sum()
    rows = [
        {
            "name": region.name,
            "scans": int(volumes[column].notna().sum()),
            "mean": volumes[column].mean(),
            "sd": volumes[column].std(),
            "least": volumes[column].min(),
            "most": volumes[column].max(),
            "missing": int(volumes[column].isna().sum()),
            "flagged": int(flagged.get(region.index, 0)),
        }
        for region, column in zip(one.group.protocol.regions, columns, strict=True)
    ]
    return {
        "name": one.group.atlas,
        "scans": len(volumes),
        "reference": one.reference,
        "regions": rows,
        "bars": _histogram(volumes[LABELLED]),
    }


def _histogram(values: pd.Series) -> list[dict[str, Any]]:
    """Bars of the labelled volume: from and to in ml, how many, height from 0 to 1."""
    known = values.dropna().to_numpy(float)
    if len(known) < LEAST_FOR_HISTOGRAM:
        return []
    counts, edges = np.histogram(known, bins=min(40, int(np.sqrt(len(known)) * 2)))
    return [
        {"from": low, "to": high, "count": int(count), "height": float(count / counts.max())}
        for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True)
    ]


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as mappings, None for what is missing."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def _kind(row: Mapping[str, Any]) -> str:
    """The outcome of a row, "unusual" where only its volumes are."""
    return "unusual" if row["outcome"] == DONE and (row["score"] or 0) >= 1 else row["outcome"]


def _number(value: float | None, digits: int = 1) -> str:
    """A number for a table, "" where there is none."""
    return "" if value is None or not np.isfinite(value) else f"{value:.{digits}f}"


def _sentences(text: str | None) -> list[str]:
    """What is joined by bars, each beginning as sentences do; notes follow a file's name."""
    return [part[0].upper() + part[1:] for part in (text or "").split(BAR) if part]


def _short(text: str | None, most: int) -> str:
    """The first few of what is listed with semicolons, and how many more there are."""
    parts = (text or "").split("; ")
    more = f"; and {len(parts) - most} more" if len(parts) > most else ""
    return "; ".join(parts[:most]) + more
