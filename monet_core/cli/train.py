"""`monet pretrain` and `monet finetune`: the two stages of the paper."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from monet_core.cli import options
from monet_core.cli.console import console, reporting
from monet_core.errors import MonetError

if TYPE_CHECKING:
    from monet_core.training import Stage, TrainingSettings

Data = Annotated[
    Path,
    typer.Argument(
        help="Scans with labels: a folder of *_T1w and *_dseg files (sub-folders train/ and "
        "validation/ give the split), a BIDS tree, or a TSV (scan, labels, protocol, split)."
    ),
]
Recipe = Annotated[
    Literal["paper", "best"], typer.Option(help="Settings to begin with; others override them.")
]
Epochs = Annotated[int | None, typer.Option(help="Passes over all training scans.")]
Patch = Annotated[int | None, typer.Option(help="Side of the training patches, in voxels.")]
Spacing = Annotated[float | None, typer.Option(help="Voxel spacing of model space, in mm.")]
Width = Annotated[int | None, typer.Option(help="Channels of the finest level.")]
Levels = Annotated[int | None, typer.Option(help="Resolution levels of the network.")]
Rate = Annotated[float | None, typer.Option("--learning-rate", help="Starting learning rate.")]
Batch = Annotated[
    int | None, typer.Option(help="Patches per optimiser step and process (each device has one).")
]
PerScan = Annotated[
    int | None, typer.Option("--patches-per-scan", help="Patches per scan and epoch.")
]
Every = Annotated[int | None, typer.Option("--validate-every", help="Epochs between validations.")]
Workers = Annotated[int | None, typer.Option(help="Processes that make patches.")]
Devices = Annotated[
    int | None,
    typer.Option(
        help="GPUs (or CPU processes) to use on this machine, with --resume too; under torchrun "
        "its --nproc-per-node counts."
    ),
]
Seed = Annotated[int | None, typer.Option(help="Seed of weights, patches and augmentation.")]
Deterministic = Annotated[
    bool, typer.Option("--deterministic", help="The same bits on every run (slower on a GPU).")
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Any other setting, e.g. augmentation.mirror_probability=0 (repeatable).",
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the run in --out; its own settings count.")
]
Cache = Annotated[
    Path | None, typer.Option("--cache", help="Folder of prepared scans; default: user cache.")
]


def _shared(
    data: Data,
    out: options.Out,
    recipe: Recipe = "paper",
    labels: options.Labels = None,
    epochs: Epochs = None,
    patch: Patch = None,
    spacing: Spacing = None,
    width: Width = None,
    levels: Levels = None,
    learning_rate: Rate = None,
    batch: Batch = None,
    patches_per_scan: PerScan = None,
    validate_every: Every = None,
    workers: Workers = None,
    device: options.Device = "auto",
    devices: Devices = None,
    precision: options.Precision = "auto",
    seed: Seed = None,
    deterministic: Deterministic = False,
    settings: Set = None,
    resume: Resume = False,
    cache: Cache = None,
    unknown_labels: options.UnknownLabels = "ask",
    missing_regions: options.MissingRegions = "ask",
    use_form: options.UseForm = None,
    assume_orientation: options.AssumeOrientation = None,
    accept_labels_as_scan: options.AcceptLabels = False,
) -> None:
    """The options of both stages; only its signature is used."""


def _with_shared_options(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with the options of `_shared` besides its own; it gets them as `given`."""
    own = inspect.signature(command, eval_str=True).parameters.values()
    named = [p for p in own if p.kind is not inspect.Parameter.VAR_KEYWORD]
    shared = inspect.signature(_shared, eval_str=True).parameters.values()
    every = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*named, *shared)]
    command.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    return command


@_with_shared_options
def pretrain(
    protocol: Annotated[
        str, typer.Option(help="Protocol of the partial labels: a name or a table.")
    ] = "first",
    **given: Any,
) -> None:
    """Stage 1: train a U-Net on partial (sub-cortical) annotations."""
    _train("pretrain", {"partial": protocol}, None, given)


@_with_shared_options
def finetune(
    protocol: Annotated[
        str, typer.Option(help="Protocol of the full labels: a name or a table.")
    ] = "malc",
    partial_protocol: Annotated[
        str, typer.Option(help="Protocol that the partial decoder's labels are extracted in.")
    ] = "first",
    start: Annotated[
        str | None,
        typer.Option(
            "--from", help="Run or model to begin with; its network is taken, widened if so set."
        ),
    ] = None,
    decoders: Annotated[
        Literal["full+partial", "full"],
        typer.Option(help="full+partial is MO-Net; full alone is a U-Net."),
    ] = "full+partial",
    mapping: Annotated[
        Path | None,
        typer.Option(
            help="Your own mapping of --protocol to --partial-protocol: a TSV with columns source "
            "and target."
        ),
    ] = None,
    **given: Any,
) -> None:
    """Stage 2: train full and partial decoder jointly on a few full annotations (MO-Net)."""
    protocols = {"full": protocol}
    if decoders == "full+partial":
        protocols["partial"] = partial_protocol
    _train("finetune", protocols, start, {**given, "mapping": mapping})


def _train(
    stage: Stage, protocols: dict[str, str], model: str | None, given: dict[str, Any]
) -> None:
    from monet_core.models import resolve_model
    from monet_core.training import TrainingRequest, train

    start = resolve_model(model) if model else None
    request = TrainingRequest(
        data=given["data"],
        out=given["out"],
        settings=build_settings(stage, protocols, start, given),
        labels=given["labels"],
        start=start,
        resume=given["resume"],
        decisions=options.decisions(
            given["use_form"], given["assume_orientation"], given["accept_labels_as_scan"]
        ),
        unknown=given["unknown_labels"],
        missing=given["missing_regions"],
        cache=given["cache"],
        devices=given["devices"],
    )
    with reporting() as (report, cancel):
        trained = train(request, report, cancel)
    console.print(f"Model: {trained}", markup=False)


_PLAIN = (
    "epochs",
    "patch",
    "learning_rate",
    "batch",
    "patches_per_scan",
    "validate_every",
    "workers",
    "device",
    "devices",
    "precision",
    "seed",
    "deterministic",
)
_NESTED = {
    "spacing": "preprocessing.spacing_mm",
    "width": "network.width",
    "levels": "network.levels",
}


def build_settings(
    stage: Stage, protocols: dict[str, str], start: Path | None, given: dict[str, Any]
) -> TrainingSettings:
    """Recipe, then what the start model brings, then the options, then every --set."""
    from monet_core.training import complete_settings, validated_settings

    base = complete_settings(stage, given["recipe"], start, {"protocols": protocols})
    values = base.model_dump()
    for name in _PLAIN:
        if given[name] is not None:
            values[name] = given[name]
    for name, path in _NESTED.items():
        if given[name] is not None:
            _put(values, path, given[name])
    if given.get("mapping") is not None:
        values["mapping"] = _mapping_table(protocols, given["mapping"])
    for text in given["settings"] or []:
        name, _, value = text.partition("=")
        _put(values, name.strip(), _value(value))
    return validated_settings(values)


def _mapping_table(protocols: dict[str, str], path: Path) -> dict[int, int]:
    from monet_core.protocols import load_mapping, load_protocol

    if "partial" not in protocols:
        problem = "--mapping has no meaning with --decoders full"
        raise MonetError("bad-argument", problem, remedy="Leave one of them away.")
    full, partial = load_protocol(protocols["full"]), load_protocol(protocols["partial"])
    return dict(load_mapping(path, full, partial).table)


def _put(values: dict[str, Any], path: str, value: object) -> None:
    *parents, last = path.split(".")
    place: Any = values
    for parent in parents:
        place = place.get(parent) if isinstance(place, dict) else None
    if not isinstance(place, dict) or last not in place:
        raise MonetError(
            "unknown-setting",
            f"--set {path}: there is no such setting",
            remedy=f"There are: {', '.join(place if isinstance(place, dict) else values)}.",
        )
    place[last] = value


def _value(text: str) -> object:
    """JSON where it parses (numbers, true, null, lists), else the text itself."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
