"""`monet experiment`: the paper's comparison of methods, from data to tables and figures."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from monet_core.cli import options, train
from monet_core.cli.console import reporting

if TYPE_CHECKING:
    from monet_core.experiments import ExperimentRequest, Stages

Data = Annotated[
    Path,
    typer.Option(
        "--data",
        help="Fully annotated scans with splits train, validation and, where there are, test: a "
        "folder of *_T1w and *_dseg files, a BIDS tree or a TSV (scan, labels, protocol, split).",
    ),
]
Partial = Annotated[
    Path | None,
    typer.Option(
        "--partial",
        help="Scans for pre-training, with labels in protocol first; default: the scans of --data, "
        "with partial labels extracted from their full ones.",
    ),
]
PartialLabels = Annotated[
    Path | None,
    typer.Option("--partial-labels", help="Folder of label maps of the scans in --partial."),
]
Recipe = Annotated[Literal["both", "paper", "best"], typer.Option(help="Recipes to train by.")]
Methods = Annotated[
    str, typer.Option(help="Among fs (from scratch), ft (fine-tuned), monet; by commas.")
]
PretrainEpochs = Annotated[
    int | None, typer.Option("--pretrain-epochs", help="Passes over the scans of stage 1.")
]
Epochs = Annotated[int | None, typer.Option(help="Passes over the training scans in stage 2.")]
Tools = Annotated[
    list[str] | None,
    typer.Option(
        "--tool",
        metavar="NAME=FOLDER[:PROTOCOL]",
        help="Segmentations of another program (NAME_dseg files) as a row of the tables, e.g. "
        "SLANT=out/slant; SLANT, QuickNAT, FIRST, FreeSurfer, SynthSeg bring their protocol.",
    ),
]
NoDistances = Annotated[bool, typer.Option("--no-distances", help="Leave HD95 out (faster).")]


def experiment(
    name: Annotated[
        Literal["malc", "haa"], typer.Argument(help="malc: 138 regions; haa: Hammers' 67.")
    ],
    data: Data,
    out: options.Out,
    partial: Partial = None,
    partial_labels: PartialLabels = None,
    recipe: Recipe = "both",
    methods: Methods = "fs,ft,monet",
    spacing: train.Spacing = None,
    patch: train.Patch = None,
    width: train.Width = None,
    epochs: Epochs = None,
    pretrain_epochs: PretrainEpochs = None,
    patches_per_scan: train.PerScan = None,
    settings: train.Set = None,
    workers: train.Workers = None,
    device: options.Device = "auto",
    seed: train.Seed = None,
    cache: train.Cache = None,
    tools: Tools = None,
    no_distances: NoDistances = False,
    unknown_labels: options.UnknownLabels = "ask",
    missing_regions: options.MissingRegions = "ask",
    use_form: options.UseForm = None,
    assume_orientation: options.AssumeOrientation = None,
) -> None:
    """Train and compare U-Net (FS), U-Net (FT) and MO-Net; tables, tests and figures in --out.

    The same command goes on where it was interrupted.
    """
    from monet_core.experiments import run_experiment

    request = _request(locals())
    with reporting() as (report, cancel):
        written = run_experiment(request, report, cancel)
    typer.echo(f"Report: {written}")


def _request(given: dict[str, Any]) -> ExperimentRequest:
    from monet_core.experiments import EXPERIMENTS, ExperimentRequest, parse_tool

    chosen = EXPERIMENTS[given["name"]]
    recipes = ("paper", "best") if given["recipe"] == "both" else (given["recipe"],)
    return ExperimentRequest(
        experiment=chosen,
        data=given["data"],
        out=given["out"],
        stages={recipe: _stages(recipe, chosen.protocol, given) for recipe in recipes},
        methods=tuple(part.strip() for part in given["methods"].split(",") if part.strip()),
        partial=given["partial"],
        partial_labels=given["partial_labels"],
        tools=tuple(parse_tool(text) for text in given["tools"] or ()),
        decisions=options.decisions(given["use_form"], given["assume_orientation"]),
        unknown=given["unknown_labels"],
        missing=given["missing_regions"],
        cache=given["cache"],
        distances=not given["no_distances"],
    )


def _stages(recipe: str, protocol: str, given: dict[str, Any]) -> Stages:
    """Both stages' settings: the recipe, then the options, then every --set (in both stages)."""
    from monet_core.experiments import Stages
    from monet_core.experiments.definitions import PARTIAL_PROTOCOL

    both = {"full": protocol, "partial": PARTIAL_PROTOCOL}
    every = {**dict.fromkeys(inspect.signature(train._shared).parameters), **given}
    first = {**every, "recipe": recipe, "epochs": given["pretrain_epochs"]}
    second = {**every, "recipe": recipe}
    return Stages(
        pretrain=train.build_settings("pretrain", {"partial": PARTIAL_PROTOCOL}, None, first),
        finetune=train.build_settings("finetune", both, None, second),
    )
