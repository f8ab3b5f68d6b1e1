"""From the rows of any table to a sound `Protocol`: what is missing is made, and said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monet_core.errors import Note, ProtocolError, Verdict
from monet_core.protocols.colors import distinct_color
from monet_core.protocols.protocol import Links, Protocol
from monet_core.protocols.region import Hemisphere, Region
from monet_core.protocols.sides import infer_sides, pairs_by_name


@dataclass(frozen=True)
class Draft:
    """One row as found in a table's `line`; None stands for what it does not say."""

    line: int
    index: int
    name: str
    abbreviation: str = ""
    color: str | None = None
    hemisphere: Hemisphere | None = None
    tissue: str = ""
    pair: int | None = None
    group: str = ""
    path: tuple[str, ...] = ()


def assemble(
    name: str,
    drafts: Sequence[Draft],
    file: str,
    *,
    notes: Sequence[Note] = (),
    pairs_stated: bool = False,
    subsets: Mapping[str, tuple[int, ...]] | None = None,
    links: Links | None = None,
    relations: Mapping[str, Mapping[int, str]] | None = None,
) -> Protocol:
    """The protocol of `drafts`, with colours, sides and pairs made where the table has none.

    Raises ProtocolError naming the lines of duplicates and nameless rows.
    """
    drafts = [draft for draft in drafts if draft.index != 0]  # background has no region
    _refuse_unusable(drafts, file)
    colors, color_notes = _colors(drafts, file)
    sides, pairs, side_notes = _sides(drafts, file, pairs_stated)
    regions = tuple(
        Region(
            index=draft.index,
            name=draft.name,
            abbreviation=draft.abbreviation or draft.name,
            color=colors[draft.index],
            hemisphere=sides[draft.index],
            tissue=draft.tissue,
            pair=pairs[draft.index],
            group=draft.group,
            path=draft.path,
        )
        for draft in drafts
    )
    try:
        return Protocol(
            name,
            regions,
            subsets=dict(subsets or {}),
            links=dict(links or {}),
            relations=dict(relations or {}),
            notes=(*notes, *color_notes, *side_notes),
        )
    except ProtocolError as error:
        raise ProtocolError(error.code, error.problem, remedy=error.remedy, file=file) from error


def _refuse_unusable(drafts: Sequence[Draft], file: str) -> None:
    if not drafts:
        remedy = "A label table has a row per region, with index and name."
        raise ProtocolError("empty-table", "no region was found", remedy=remedy, file=file)
    nameless = [draft.line for draft in drafts if not draft.name]
    if nameless:
        problem = f"lines {_listed(nameless)} have no name"
        raise ProtocolError("no-name", problem, remedy="Give every region a name.", file=file)
    for what, values in (
        ("index", [str(draft.index) for draft in drafts]),
        ("name", [draft.name for draft in drafts]),
    ):
        lines: dict[str, list[int]] = defaultdict(list)
        for draft, value in zip(drafts, values, strict=True):
            lines[value].append(draft.line)
        twice = [f"{v!r} in lines {_listed(where)}" for v, where in lines.items() if len(where) > 1]
        if twice:
            problem = f"the same {what} occurs more than once: {'; '.join(twice[:5])}"
            remedy = f"Give every region an own {what}."
            raise ProtocolError(f"duplicate-{what}", problem, remedy=remedy, file=file)


def _colors(drafts: Sequence[Draft], file: str) -> tuple[dict[int, str], list[Note]]:
    colors = {draft.index: draft.color for draft in drafts if draft.color is not None}
    used = set(colors.values())
    missing = [draft for draft in drafts if draft.color is None]
    for number, draft in enumerate(missing):
        colors[draft.index] = distinct_color(number, used)
        used.add(colors[draft.index])
    if not missing:
        return colors, []
    rows = f"lines {_listed([draft.line for draft in missing])} have no usable colour"
    note = Note(Verdict.FIXED, "odd-colors", f"{rows}; distinct ones were made", file)
    return colors, [note]


def _sides(
    drafts: Sequence[Draft], file: str, pairs_stated: bool
) -> tuple[dict[int, Hemisphere], dict[int, int | None], list[Note]]:
    names = {draft.index: draft.name for draft in drafts}
    read = infer_sides(names)
    sides = {draft.index: draft.hemisphere or read[draft.index][0] for draft in drafts}
    notes = []
    inferred = [draft.index for draft in drafts if draft.hemisphere is None]
    if inferred:
        known = sum(sides[index] != "M" for index in inferred)
        message = (
            f"the sides of {len(inferred)} regions were read off their names: "
            f"{known} are left or right, {len(inferred) - known} have no side"
        )
        notes.append(Note(Verdict.FIXED, "sides-from-names", message, file))
    if pairs_stated:
        pairs = {draft.index: draft.pair for draft in drafts}
    else:
        pairs = pairs_by_name(names, sides)
    alone = [index for index, side in sides.items() if side != "M" and pairs[index] is None]
    if alone:
        message = (
            f"regions {_listed(alone)} are left or right but have no partner on the other side; "
            "mirrored training scans keep their label there"
        )
        notes.append(Note(Verdict.WARNING, "no-partner", message, file))
    return sides, pairs, notes


def _listed(numbers: Sequence[int], limit: int = 10) -> str:
    shown = ", ".join(str(number) for number in numbers[:limit])
    return f"{shown} and {len(numbers) - limit} more" if len(numbers) > limit else shown
