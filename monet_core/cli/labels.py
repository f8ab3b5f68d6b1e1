"""Commands on label maps and data sets: evaluate, compare, convert, check, import."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import typer

from monet_core.cli import options
from monet_core.cli.console import console, reporting
from monet_core.errors import MonetError, Note, Verdict

NoDistances = Annotated[
    bool, typer.Option("--no-distances", help="Leave HD95 and ASSD out (faster).")
]


def evaluate(
    pred: Annotated[Path, typer.Argument(help="Segmentations: a file or a folder.")],
    truth: Annotated[Path, typer.Argument(help="Reference labels: a file or a folder.")],
    out: options.Out,
    protocol: Annotated[str, typer.Option(help="Protocol of both: a name or a table.")] = "malc",
    regions: Annotated[
        str,
        typer.Option(
            help="Which regions count: evaluated, all, first, quicknat27, quicknat25 …, "
            "or indices separated by commas."
        ),
    ] = "evaluated",
    no_distances: NoDistances = False,
    use_form: options.UseForm = None,
    assume_orientation: options.AssumeOrientation = None,
) -> None:
    """Dice, HD95 (mm), ASSD (mm) and volume error (%) per region and scan; tables and a plot."""
    from monet_core.evaluation import evaluate_folders
    from monet_core.protocols import load_protocol

    with reporting() as (report, cancel):
        result = evaluate_folders(
            pred,
            truth,
            load_protocol(protocol),
            regions,
            out,
            report=report,
            cancel=cancel,
            distances=not no_distances,
            decisions=options.decisions(use_form, assume_orientation),
        )
    typer.echo(f"Dice {result.summary.paper()} over {result.summary.n} scans; tables in {out}")
    _fail_if_left_out(result.notes)


def compare(
    segmentations: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=FILE:PROTOCOL...",
            help="Segmentations of one scan, e.g. manual=m.nii.gz:malc fsl=f.nii.gz:first",
        ),
    ],
    out: options.Out,
    to: Annotated[str, typer.Option(help="Protocol to compare in.")] = "first",
    reference: Annotated[
        str | None, typer.Option(help="NAME that all others are compared with; else every pair.")
    ] = None,
    no_distances: NoDistances = False,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILE",
            help="Your own mapping of one of them to --to: a TSV with columns source and target "
            "(repeatable).",
        ),
    ] = None,
    use_form: options.UseForm = None,
    assume_orientation: options.AssumeOrientation = None,
) -> None:
    """Compare segmentations of one scan by any tools, mapped to a common protocol."""
    from monet_core.evaluation import compare_files

    named = dict(_named(text) for text in segmentations)
    result = compare_files(
        named,
        to,
        out,
        reference,
        not no_distances,
        options.decisions(use_form, assume_orientation),
        _mappings(mapping or [], named),
    )
    _tell(result.notes)
    for pair in result.pairs.to_dict("records"):
        typer.echo(
            f"{pair['a']} - {pair['b']}: mean Dice {pair['dice']:.3f} over "
            f"{len(result.regions)} regions"
        )
    typer.echo(f"Tables in {out}")
    _fail_if_left_out(result.notes)


def convert(
    labels: Annotated[Path, typer.Argument(help="A label map, or a folder of *_dseg files.")],
    out: Annotated[Path, typer.Argument(help="The file or folder to write.")],
    source: Annotated[str, typer.Option("--from", help="Protocol of the labels.")],
    target: Annotated[str, typer.Option("--to", help="Protocol to write.")],
    variant: Annotated[
        Literal["default", "core"],
        typer.Option(help="core: FIRST's brain stem without the 4th ventricle."),
    ] = "default",
    mapping: Annotated[
        Path | None, typer.Option(help="Your own mapping: a TSV with columns source and target.")
    ] = None,
    unknown_labels: options.UnknownLabels = "ask",
    use_form: options.UseForm = None,
    assume_orientation: options.AssumeOrientation = None,
) -> None:
    """Convert label maps between protocols, e.g. extract partial labels from full ones."""
    from monet_core.protocols import convert_labels, find_mapping, load_mapping, load_protocol

    before, after = load_protocol(source), load_protocol(target)
    _tell((*before.notes, *after.notes))
    table = (
        load_mapping(mapping, before, after) if mapping else find_mapping(before, after, variant)
    )
    decided = options.decisions(use_form, assume_orientation)
    results = convert_labels(labels, out, table, decided, unknown_labels)
    failed = [result for result in results if result.error is not None]
    for result in results:
        _tell(result.notes)
        if result.error is not None:
            console.print(f"monet: {result.error}", style="red", markup=False)
    typer.echo(f"{len(results) - len(failed)} of {len(results)} label maps converted to {out}")
    if failed:
        raise typer.Exit(1)


def check(
    data: Annotated[Path, typer.Argument(help="Scans with labels, as for training.")],
    protocol: Annotated[str, typer.Option(help="Protocol of the labels.")] = "malc",
    labels: options.Labels = None,
    out: Annotated[Path | None, typer.Option(help="Also write the report to this TSV.")] = None,
    unknown_labels: options.UnknownLabels = "ask",
    missing_regions: options.MissingRegions = "ask",
    use_form: options.UseForm = None,
    assume_orientation: options.AssumeOrientation = None,
    accept_labels_as_scan: options.AcceptLabels = False,
) -> None:
    """The integrity report that runs before every training; status 1 where one cannot start."""
    from monet_core.datasets import check_dataset, find_dataset
    from monet_core.protocols import load_protocol

    with reporting() as (reporter, cancel):
        report = check_dataset(
            find_dataset(data, protocol, labels),
            load_protocol(protocol),
            unknown=unknown_labels,
            missing=missing_regions,
            decisions=options.decisions(use_form, assume_orientation, accept_labels_as_scan),
            report=reporter,
            cancel=cancel,
        )
    if out is not None:
        report.to_tsv(out)
    typer.echo(report.text())
    if not report.ok:
        raise typer.Exit(1)


def import_series(
    folder: Annotated[Path, typer.Argument(help="Folder of one or more DICOM series.")],
    out: Annotated[Path, typer.Argument(help="Folder to write the NIfTI scan to.")],
    series: options.Series = None,
) -> None:
    """Convert a DICOM series to NIfTI (dcm2niix)."""
    from monet_core.scans import import_dicom

    typer.echo(import_dicom(folder, out, options.decisions(None, None, series=series)))


def _named(text: str) -> tuple[str, tuple[Path, str]]:
    name, separator, rest = text.partition("=")
    path, colon, protocol = rest.rpartition(":")
    if not (separator and colon and name and path and protocol):
        raise MonetError(
            "bad-argument",
            f"{text!r} does not read NAME=FILE:PROTOCOL",
            remedy="Write for example manual=sub-01_dseg.nii.gz:malc",
        )
    return name, (Path(path), protocol)


def _mappings(texts: Iterable[str], names: Iterable[str]) -> dict[str, Path]:
    found = {}
    for text in texts:
        name, separator, path = text.partition("=")
        if not (separator and path and name in names):
            raise MonetError(
                "bad-argument",
                f"--mapping {text!r} does not read NAME=FILE",
                remedy=f"NAME is one of: {', '.join(names)}.",
            )
        found[name] = Path(path)
    return found


def _fail_if_left_out(notes: Iterable[Note]) -> None:
    """Status 1 where a file was refused or asks a question, though the others were done."""
    if any(note.verdict in (Verdict.REFUSED, Verdict.ASK) for note in notes):
        raise typer.Exit(1)


def _tell(notes: Iterable[Note]) -> None:
    for note in notes:
        console.print(f"{note.verdict.value}: {note}", style="yellow", markup=False)
