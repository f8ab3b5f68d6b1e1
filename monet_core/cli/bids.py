"""`monet bids`: whole BIDS data sets, as a BIDS-App."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperCommand

from monet_core.cli import options
from monet_core.cli.console import reporting

_SETTINGS = "How scans are segmented (participant level)"
_LEVELS = ("participant", "group")
_LABELS = {"--participant-label", "--participant_label", "--session-label", "--session_label"}


class BidsCommand(TyperCommand):
    """Takes several labels after one option, as BIDS-Apps do: `--participant-label 01 02`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As usual, with each of several labels under an option of its own."""
        return super().parse_args(ctx, one_label_each(args))


def one_label_each(words: Sequence[str]) -> list[str]:
    """`words` with the option before every label; only of those after the level, so that labels in
    front of the two folders do not take these for labels."""
    level = next((n for n, word in enumerate(words) if word in _LEVELS), len(words))
    result, option = list(words[:level]), ""
    for word in words[level:]:
        follows = option and not word.startswith("-")
        if follows and result[-1] != option:
            result.append(option)
        option = word if word in _LABELS else option if follows else ""
        result.append(word)
    return result


def bids(
    dataset: Annotated[
        Path, typer.Argument(metavar="BIDS_DIR", help="The data set: the folder that holds sub-*.")
    ],
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="Folder of the derivatives, such as BIDS_DIR/derivatives/monet."
        ),
    ],
    level: Annotated[
        Literal["participant", "group"],
        typer.Argument(
            metavar="LEVEL", help="participant: segment scans; group: tables and a report of them."
        ),
    ],
    participant_label: Annotated[
        list[str] | None,
        typer.Option(
            "--participant-label",
            "--participant_label",
            help="Only these participants, with or without sub-; several may follow.",
        ),
    ] = None,
    session_label: Annotated[
        list[str] | None,
        typer.Option(
            "--session-label",
            "--session_label",
            help="Only these sessions, with or without ses-; several may follow.",
        ),
    ] = None,
    where: options.Where = "local",
    workers: options.Workers = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="A model's name, folder or zip, or a run; default: the one that ships.",
            rich_help_panel=_SETTINGS,
        ),
    ] = None,
    overlap: Annotated[
        float,
        typer.Option(
            min=0,
            max=0.9,
            help="Overlap of neighbouring tiles, a share.",
            rich_help_panel=_SETTINGS,
        ),
    ] = 0.5,
    mirror: Annotated[
        bool,
        typer.Option(
            help="Average with the mirrored scan (twice the time).", rich_help_panel=_SETTINGS
        ),
    ] = True,
    entropy: Annotated[
        bool,
        typer.Option(
            "--entropy",
            help="Also write maps of the posterior entropy.",
            rich_help_panel=_SETTINGS,
        ),
    ] = False,
    patch: Annotated[
        int | None,
        typer.Option(
            min=16,
            max=512,
            help="Side of the tiles, in voxels; default: the model's.",
            rich_help_panel=_SETTINGS,
        ),
    ] = None,
    device: options.Device = "auto",
    precision: options.Precision = "auto",
    use_form: options.UseForm = None,
    assume_orientation: options.AssumeOrientation = None,
    accept_labels_as_scan: options.AcceptLabels = False,
    skip_validator: Annotated[
        bool,
        typer.Option(
            "--skip-bids-validator",
            "--skip_bids_validator",
            hidden=True,
            help="Accepted, as of every BIDS-App; the data set is not validated.",
        ),
    ] = False,
) -> None:
    """Segment a BIDS data set into derivatives, then sum them up in tables and one report.

    Run it again to go on: what is finished is not done twice.
    """
    from monet_core.segmenting import SegmentSettings

    del skip_validator
    decided = options.decisions(use_form, assume_orientation, accept_labels_as_scan)
    labels = {"participants": participant_label or (), "sessions": session_label or ()}
    if level == "group":
        _group(dataset, out, {**labels, "decisions": decided})
        return
    settings = SegmentSettings(
        overlap=overlap,
        mirror=mirror,
        entropy=entropy,
        patch=patch,
        device=device,
        precision=precision,
    )
    scheduler = options.scheduler(where, workers)
    chosen = {**labels, "settings": settings, "decisions": decided, "scheduler": scheduler}
    _participant(dataset, out, model, chosen)


def _participant(dataset: Path, out: Path, model: str | None, chosen: dict[str, Any]) -> None:
    from monet_core.bids import segment_participants
    from monet_core.models import resolve_model, shipped_model
    from monet_core.segmenting import Failure

    with reporting() as (report, cancel):
        path = resolve_model(model) if model else shipped_model()
        outcomes = segment_participants(dataset, out, path, **chosen, report=report, cancel=cancel)
    failed = sum(isinstance(outcome, Failure) for outcome in outcomes)
    typer.echo(f"{len(outcomes) - failed} of {len(outcomes)} scans segmented into {out}")
    if failed:
        raise typer.Exit(1)


def _group(dataset: Path, out: Path, chosen: dict[str, Any]) -> None:
    from monet_core.bids import summarise_group

    with reporting() as (report, cancel):
        summary = summarise_group(dataset, out, **chosen, report=report, cancel=cancel)
    counts = {
        "failed": summary.failed,
        "not segmented so far": summary.missing,
        "worth a look": summary.notable,
    }
    told = [f"{count} {what}" for what, count in counts.items() if count]
    typer.echo(", ".join([f"{summary.scans} scans", *told]))
    for path in (*summary.tables, summary.report):
        typer.echo(str(path))
