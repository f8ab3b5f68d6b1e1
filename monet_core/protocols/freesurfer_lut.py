"""Protocols from FreeSurfer colour tables (`No. Name R G B A`) and ITK-SNAP label files."""

from __future__ import annotations

import logging
import re

from monet_core.errors import Note, Verdict
from monet_core.protocols.assemble import Draft, assemble
from monet_core.protocols.colors import rgb_color
from monet_core.protocols.protocol import Protocol
from monet_core.protocols.tables import decode_text

_log = logging.getLogger(__name__)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def protocol_from_lut(data: bytes, file: str, name: str) -> Protocol:
    """The protocol of a FreeSurfer LUT or ITK-SNAP label file; alpha is ignored (0 is opaque).

    Comments and further columns are allowed. Lines that are no region are skipped and noted by
    number. Raises ProtocolError on duplicate indices or names, and where no line is usable.
    """
    text, notes = decode_text(data, file)
    drafts, skipped = [], []
    for line, content in enumerate(text.splitlines(), start=1):
        content = content.split("#", 1)[0].strip()
        if not content:
            continue
        draft = _draft(line, content.split())
        if draft is None:
            skipped.append(line)
        else:
            drafts.append(draft)
    if skipped and drafts:
        shown = ", ".join(map(str, skipped[:10])) + (", ..." if len(skipped) > 10 else "")
        note = Note(
            Verdict.FIXED,
            "lut-rows-skipped",
            f"lines {shown} are no regions and were skipped",
            file,
        )
        _log.warning("%s", note)
        notes.append(note)
    return assemble(name, drafts, file, notes=notes)


def looks_like_lut(text: str) -> bool:
    """Whether a line of the text is a region of a FreeSurfer LUT."""
    lines = (line.split("#", 1)[0].split() for line in text.splitlines())
    return any(_draft(0, cells) is not None for cells in lines if cells)


def _draft(line: int, cells: list[str]) -> Draft | None:
    """A region from `No. Name R G B [A [more]]`; a name may have spaces if A ends the line."""
    if len(cells) < 5 or not (cells[0].isascii() and cells[0].isdigit()):
        return None
    name, colors = cells[1:2], cells[2:5]
    if len(cells) > 7 and cells[7].startswith('"'):  # ITK-SNAP: No. R G B A VIS MSH "Name"
        name, colors = " ".join(cells[7:]).strip('"').split(), cells[1:4]
    elif not all(_NUMBER.fullmatch(cell) for cell in colors):
        name, colors = cells[1:-4], cells[-4:-1]
    if "".join(name).isdigit() or not name or not all(_NUMBER.fullmatch(cell) for cell in colors):
        return None
    red, green, blue = (round(float(cell)) for cell in colors)
    return Draft(line, int(cells[0]), " ".join(name), color=rgb_color(red, green, blue))
