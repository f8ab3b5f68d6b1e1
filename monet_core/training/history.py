"""Reading what a training wrote down so far. Loads without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

METRICS, REGIONS = "metrics.jsonl", "regions.jsonl"


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The rows of a run's metrics so far, oldest first; a line cut by a crash is left out."""
    return read_rows(folder / METRICS)


def read_regions(folder: Path) -> list[dict[str, Any]]:
    """The rows {"epoch", "step", "scan", "decoder", "dice": {index: Dice or None}} of a run's
    validations so far, oldest first."""
    return read_rows(folder / REGIONS)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines; what is cut short is left out."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows
