"""Tables of scans: a TSV that lists a dataset, and the `split` column of participants.tsv."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

from monet_core.datasets import names
from monet_core.datasets.dataset import Split, Subject, split_named
from monet_core.errors import DatasetError

_NONE = frozenset({"", "n/a", "na", "none"})


def subjects_of_table(path: Path, protocol: str | None) -> list[Subject]:
    """The rows of a TSV with a column scan and, if wanted, labels, protocol, split and name.

    Paths are relative to the TSV. Rows whose protocol is another than `protocol` are left out.
    Raises DatasetError for a table without scans, or a split that is none.
    """
    rows = _rows(path)
    if not rows or "scan" not in rows[0]:
        found = ", ".join(rows[0]) if rows else "no rows"
        raise DatasetError(
            "table-without-scans",
            f"the table needs a column scan and at least one row (found: {found})",
            remedy="Add a header line, tab-separated: scan, labels, protocol, split.",
            file=path,
        )
    subjects = [_subject(path, number, row) for number, row in enumerate(rows, 2) if row["scan"]]
    subjects = _told_apart(subjects)
    wanted = [s for s in subjects if _is_of(s, protocol)]
    if not wanted:
        others = ", ".join(sorted({s.protocol or "" for s in subjects}))
        raise DatasetError(
            "no-scans",
            f"no row of the table is of protocol {protocol} (found: {others or 'no scans'})",
            remedy="Check the column protocol, or name another protocol.",
            file=path,
        )
    return wanted


def read_splits(participants: Path) -> dict[str, Split]:
    """Split of each person ("sub-01") from a participants.tsv; empty where it tells none."""
    if not participants.is_file():
        return {}
    rows = _rows(participants)
    splits = {row.get("participant_id", ""): split_named(row.get("split", "")) for row in rows}
    return {name: split for name, split in splits.items() if name and split}


def _told_apart(subjects: list[Subject]) -> list[Subject]:
    """Different files of one name (01/T1.nii.gz, 02/T1.nii.gz) are named by their folders too."""
    scans: dict[str, set[Path]] = {}
    for subject in subjects:
        scans.setdefault(subject.name, set()).add(subject.scan)
    return [
        replace(s, name=f"{s.scan.parent.name}_{s.name}") if len(scans[s.name]) > 1 else s
        for s in subjects
    ]


def _is_of(subject: Subject, protocol: str | None) -> bool:
    if protocol is None or subject.protocol is None:
        return True
    return names.same_protocol(subject.protocol, protocol)


def _subject(table: Path, line: int, row: dict[str, str]) -> Subject:
    split = split_named(row.get("split", ""))
    if row.get("split") and split is None:
        raise DatasetError(
            "unknown-split",
            f"line {line}: {row['split']!r} is not a split",
            remedy="Use train, validation or test.",
            file=table,
        )
    scan = table.parent / row["scan"]
    name = row.get("name") or names.scan_stem(scan) or scan.name.split(".")[0]
    labels = table.parent / row["labels"] if row.get("labels") else None
    return Subject(name, scan, labels, row.get("protocol") or None, split)


def _rows(path: Path) -> list[dict[str, str]]:
    """Rows by column name, in lower case; "n/a" and missing cells are ""."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    lines = [
        [cell.strip() for cell in row]
        for row in csv.reader(io.StringIO(text, newline=""), delimiter="\t")
        if any(cell.strip() for cell in row)
    ]
    if not lines:
        return []
    header = [cell.lower() for cell in lines[0]]
    filled = [row + [""] * (len(header) - len(row)) for row in lines[1:]]
    return [
        {key: "" if cell.lower() in _NONE else cell for key, cell in zip(header, row, strict=False)}
        for row in filled
    ]
