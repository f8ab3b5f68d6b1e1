"""Help texts: the keys, the methods paragraph, the command line of what was done. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monet_app.actions import ACTIVITIES, MENUS
from monet_core.files import read_json

if TYPE_CHECKING:
    from monet_app.session import Session

STAGE_KEYS = {
    "S": "show or hide the segmentations",
    "A / D": "overlay fainter / stronger",
    "O": "outline or fill",
    ", / .": "previous / next region",
    "I": "only the region under the cross-hair",
    "Shift + move": "the cross-hair follows the mouse",
    "arrows, PgUp, PgDn": "voxel by voxel, slice by slice",
    "double click": "one view large, and back",
    "N / Shift+N": "next / previous scan",
    "R": "reset the views",
    "Ctrl+Z / Ctrl+Shift+Z": "undo / redo while painting",
    "P / F / E, N": "in Review: pass, fail, to edit, next",
}


def keys_text() -> str:
    """A table of keys, as rich text."""
    named = {info.keys: info.text for menu in MENUS.values() for info in menu if info and info.keys}
    named |= {activity.keys: activity.text for activity in ACTIVITIES}
    rows = {**STAGE_KEYS, **{keys: text.replace("&", "") for keys, text in named.items()}}
    cells = (f"<tr><td><b>{keys}</b>&nbsp;&nbsp;</td><td>{what}</td></tr>"
             for keys, what in rows.items())  # fmt: skip
    return f"<table>{''.join(cells)}</table>"


@dataclass(frozen=True)
class Made:
    """The record of something a model made, and of which scan."""

    record: dict[str, Any]
    scan: Path
    out: Path


def latest_made(session: Session) -> Made | None:
    """What the user last saw made: of the current scan first, else of the study."""
    study = session.study
    if study is None:
        return None
    current = session.current.id if session.current else None
    made = [each for each in study.all_segmentations() if each.source == "model"]
    for entry in reversed([each for each in made if each.scan_id == current] or made):
        record = _record_beside(entry.path)
        if record is not None:
            return Made(record, study.scan(entry.scan_id).path, entry.path.parent)
    return None


def methods_of(made: Made) -> str:
    """The paragraph for a paper."""
    from monet_core.reports import methods_paragraph

    return methods_paragraph(made.record)


def command_of(made: Made) -> str:
    """The command line that does the same."""
    from monet_core.reports import command_line

    return command_line(made.record, scans=[made.scan], out=made.out)


def _record_beside(labels: Path) -> dict[str, Any] | None:
    path = labels.with_name(labels.name.removesuffix(".nii.gz") + ".json")
    try:
        record = read_json(path)
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None
