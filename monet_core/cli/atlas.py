"""`monet map` and `monet atlas`: a lab's own atlas, and which of its regions is which elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monet_core.cli import options
from monet_core.cli.console import console
from monet_core.errors import MonetError

if TYPE_CHECKING:
    from monet_core.protocols.overlap import Pair


def map_atlases(
    source: Annotated[str, typer.Argument(help="The atlas to map: a name or a table.")],
    out: Annotated[Path, typer.Option("--out", help="The mapping to write, a TSV to look over.")],
    target: Annotated[str, typer.Option("--to", help="The atlas to map to.")] = "first",
    pair: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE=FILE",
            help="Label maps of one scan in the first and in the second atlas (repeatable).",
        ),
    ] = None,
) -> None:
    """Suggest which region of one atlas is which of another, by names and by overlap."""
    from monet_core.protocols import load_protocol, mapping_from, suggest_mapping

    ours, theirs = load_protocol(source), load_protocol(target)
    found = suggest_mapping(ours, theirs, [_pair(text) for text in pair or []])
    mapping = mapping_from(ours, theirs, found)
    mapping.to_tsv(out)
    for each in found:
        if each.target is not None:
            unsure = "" if each.likely else "  (not sure, left out)"
            names = f"{ours.region(each.source).name} -> {theirs.region(each.target).name}"
            console.print(f"{names}: {each.confidence:.2f} by {each.by}{unsure}", markup=False)
    typer.echo(f"{len(mapping.table)} of {len(found)} regions mapped in {out}: look it over")


def import_atlas(
    path: Annotated[
        Path,
        typer.Argument(
            help="A label table (BIDS, FreeSurfer, ITK-SNAP, Slicer, XML, a list) or a label map."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder to write NAME.tsv to.")],
    name: Annotated[str, typer.Option(help="What to call it; default: the file's name.")] = "",
    maps: Annotated[
        list[Path] | None,
        typer.Option("--map", help="A label map that tells the sides (repeatable)."),
    ] = None,
    use_form: options.UseForm = None,
    assume_orientation: options.AssumeOrientation = None,
) -> None:
    """Make an atlas table out of what a lab has, with sides and pairs."""
    from monet_core.protocols import import_protocol, save_protocol

    decisions = options.decisions(use_form, assume_orientation)
    protocol = import_protocol(path, name, maps or [], decisions)
    for note in protocol.notes:
        console.print(f"{note.verdict.value}: {note}", style="yellow", markup=False)
    saved = save_protocol(protocol, out)
    typer.echo(f"{len(saved.regions)} regions in {saved.file}")


def _pair(text: str) -> Pair:
    from monet_core.scans import read_labels
    from monet_core.scans.grids import grid_difference, onto_grid

    one, separator, other = text.partition("=")
    if not (separator and one and other):
        remedy = "Write for example --pair own_dseg.nii.gz=first_dseg.nii.gz"
        raise MonetError("bad-argument", f"{text!r} does not read FILE=FILE", remedy=remedy)
    ours, theirs = read_labels(Path(one)), read_labels(Path(other))
    moved = onto_grid(theirs.data, theirs.geometry, ours.geometry)
    if moved is None:
        difference = grid_difference(theirs.geometry, ours.geometry)
        problem = f"the label maps of a pair are not on one grid ({difference})"
        raise MonetError("grids-differ", problem, remedy="Give two of one scan.", file=other)
    return ours.data, moved
