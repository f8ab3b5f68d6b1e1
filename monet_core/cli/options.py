"""Options that several commands share, each defined once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from monet_core.errors import MonetError

if TYPE_CHECKING:
    from monet_core.cohort import Scheduler
    from monet_core.scans import Decisions

_DECISIONS = "What only you can decide"
_COHORTS = "Many scans"

UseForm = Annotated[
    Literal["sform", "qform"] | None,
    typer.Option(
        "--use-form",
        help="The orientation to believe where a file's qform and sform contradict.",
        rich_help_panel=_DECISIONS,
    ),
]
AssumeOrientation = Annotated[
    str | None,
    typer.Option(
        "--assume-orientation",
        metavar="CODES",
        help="Axis codes (e.g. RAS, LAS) of files that state no orientation.",
        rich_help_panel=_DECISIONS,
    ),
]
AcceptLabels = Annotated[
    bool,
    typer.Option(
        "--accept-labels-as-scan",
        help="Take a file that looks like a label map as a scan.",
        rich_help_panel=_DECISIONS,
    ),
]
Series = Annotated[
    int | None,
    typer.Option(
        "--series",
        metavar="NUMBER",
        help="Which DICOM series to take, where a folder holds several.",
        rich_help_panel=_DECISIONS,
    ),
]
UnknownLabels = Annotated[
    Literal["ask", "background", "refuse"],
    typer.Option(
        "--unknown-labels",
        help="Label values outside the protocol: stop and ask, read as background, or refuse.",
        rich_help_panel=_DECISIONS,
    ),
]
MissingRegions = Annotated[
    Literal["ask", "absent", "unannotated"],
    typer.Option(
        "--missing-regions",
        help="Regions without a voxel in some scans: truly absent, or not annotated there.",
        rich_help_panel=_DECISIONS,
    ),
]
Out = Annotated[Path, typer.Option("--out", help="Folder to write to; made where missing.")]
Labels = Annotated[
    Path | None,
    typer.Option("--labels", help="Folder of label maps, matched to the scans by subject name."),
]
Device = Annotated[
    str, typer.Option("--device", help="auto, cpu, cuda or cuda:N; auto takes a GPU if any.")
]
Precision = Annotated[
    Literal["auto", "32", "bf16"],
    typer.Option("--precision", help="Arithmetic of the network; auto: bf16 where it is fast."),
]
Where = Annotated[
    str,
    typer.Option(
        "--scheduler",
        help="local, slurm, or the address of a Dask scheduler (tcp://HOST:PORT).",
        rich_help_panel=_COHORTS,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        help="Scans at a time; default: what cores, free memory and scans are good for.",
        rich_help_panel=_COHORTS,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        help="Threads for each scan, which change last bits; default: 1 with workers, else all.",
        rich_help_panel=_COHORTS,
    ),
]


def scheduler(where: str, workers: int | None, threads: int | None = None) -> Scheduler:
    """The options as the engine's `Scheduler`."""
    from monet_core.cohort import Scheduler

    return Scheduler(where=where, workers=workers, threads=threads)


def decisions(
    use_form: Literal["sform", "qform"] | None,
    assume_orientation: str | None,
    accept_labels_as_scan: bool = False,
    series: int | None = None,
) -> Decisions:
    """The options as the engine's `Decisions`."""
    from monet_core.scans import Decisions

    codes = assume_orientation.upper() if assume_orientation else None
    if codes is not None and sorted(_AXES.get(code, "?") for code in codes) != ["x", "y", "z"]:
        raise MonetError(
            "bad-orientation",
            f"--assume-orientation {codes} is not three axis codes",
            remedy="Give one of R or L, one of A or P, one of S or I, e.g. LAS.",
        )
    return Decisions(use_form, codes, accept_labels_as_scan, series)


_AXES = {"R": "x", "L": "x", "A": "y", "P": "y", "S": "z", "I": "z"}
