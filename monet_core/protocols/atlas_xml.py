"""Protocols from the XML files that atlases of FSL and SPM come with."""

from __future__ import annotations

from xml.etree import ElementTree

from monet_core.errors import Note, ProtocolError, Verdict
from monet_core.protocols.assemble import Draft, assemble
from monet_core.protocols.dseg import parse_index
from monet_core.protocols.protocol import Protocol
from monet_core.protocols.tables import decode_text


def protocol_from_xml(data: bytes, file: str, name: str) -> Protocol:
    """The protocol of `<label index="3">Name</label>` (FSL) or `<label><index>`, `<name>` (SPM).

    FSL's probabilistic atlases count from 0, their label maps from 1: 1 is added, and noted.
    Raises ProtocolError where the file is no such XML or names no region.
    """
    root, notes = _parsed(data, file)
    kind = (root.findtext("header/type") or "").strip().lower()
    shift = int(kind.startswith("prob"))
    labels = list(root.iter("label"))
    drafts = [
        _draft(number, label, shift, file)
        for number, label in enumerate(labels, start=1)
        if label.get("index") is not None or label.find("index") is not None
    ]
    if shift and drafts:
        message = "this is a probabilistic atlas: numbers are its indices + 1, as in its label maps"
        notes.append(Note(Verdict.FIXED, "xml-probabilistic", message, file))
    return assemble(name, drafts, file, notes=notes)


def _parsed(data: bytes, file: str) -> tuple[ElementTree.Element, list[Note]]:
    text, notes = decode_text(data, file)
    if "<!doctype" in text.lower() or "<!entity" in text.lower():
        # Entities can blow up to gigabytes; no atlas needs them.
        problem = "the file has a document type, which atlas files do not have"
        raise ProtocolError("not-a-table", problem, remedy="Give another table.", file=file)
    try:
        return ElementTree.fromstring(text), notes
    except ElementTree.ParseError as error:
        remedy = "Give the atlas' XML file as it was downloaded."
        raise ProtocolError(
            "not-a-table", f"this is no valid XML ({error})", remedy=remedy, file=file
        ) from error


def _draft(number: int, label: ElementTree.Element, shift: int, file: str) -> Draft:
    """`number` of the label stands for a line in messages; a plain 0 is background."""
    index = label.get("index") or label.findtext("index") or ""
    name = label.findtext("name") or "".join(label.itertext())
    short = (label.findtext("short_name") or "").strip()
    value = parse_index(index, number, file) + shift
    return Draft(number, value, " ".join(name.split()), abbreviation=short)
