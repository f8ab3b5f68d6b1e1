"""Help texts: the keys, the methods paragraph, the command line of what was done. No Qt."""

from __future__ import annotations

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


def latest_record(session: Session) -> dict[str, Any] | None:
    """The record of what the user last saw made: of the current scan first, else of the study."""
    if session.study is None:
        return None
    entries = session.study.all_segmentations()
    current = session.current.id if session.current else None
    made = [each for each in entries if each.source == "model"]
    mine = [each for each in made if each.scan_id == current] or made
    for entry in reversed(mine):
        record = _record_beside(entry.path)
        if record is not None:
            return record
    return None


def methods_of(record: dict[str, Any]) -> str:
    """The methods paragraph of a record."""
    from monet_core.reports import methods_paragraph

    return methods_paragraph(record)


def command_of(record: dict[str, Any]) -> str:
    """The command line of a record."""
    from monet_core.reports import command_line

    return command_line(record)


def _record_beside(labels: Path) -> dict[str, Any] | None:
    path = labels.with_name(labels.name.removesuffix(".nii.gz") + ".json")
    try:
        record = read_json(path)
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None
