"""`monet sample`: the main job on the scan that ships, with no data of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from monet_core.cli import options
from monet_core.cli.console import console, reporting

if TYPE_CHECKING:
    from monet_core.jobs import Cancel, Reporter
    from monet_core.training import TrainingSettings

_PHANTOM_SAYS = (
    "No trained model ships yet. A small one is trained now on six phantoms (ellipsoids at about "
    "the right places): the result shows that every step works; it is no anatomy."
)
_SPACING_MM = 4.0
_PATCH = 48
_MODEL = "sample-model"


def sample(out: options.Out = Path("sample-out")) -> None:
    """Segment the sample scan (Colin27, a whole head); results go to --out."""
    from monet_resources import SAMPLE

    from monet_core.models import list_models, load_model
    from monet_core.segmenting import SegmentSettings, segment

    with reporting() as (report, cancel):
        shipped = list_models()
        if shipped:
            folder = shipped[0].path
        else:
            console.print(_PHANTOM_SAYS, markup=False)
            folder = train_on_phantoms(out, report, cancel)
        settings = SegmentSettings()
        result = segment(SAMPLE, load_model(folder), out, settings, report=report, cancel=cancel)
    for path in result.files:
        typer.echo(path)


def train_on_phantoms(out: Path, report: Reporter, cancel: Cancel) -> Path:
    """Both stages of the paper in miniature; returns the run of the second."""
    from monet_core.datasets.phantom import write_phantoms
    from monet_core.protocols import load_protocol
    from monet_core.training import TrainingRequest, train

    malc = load_protocol("malc")
    sides = {side: [r.index for r in malc.regions if r.index >= 100 and r.hemisphere == side]
             for side in "LR"}  # fmt: skip
    work = out / "phantom-training"
    data = write_phantoms(work / "phantoms", (sides["L"], sides["R"]), train=6)
    start = None
    for stage in ("pretrain", "finetune"):
        run = work / stage if stage == "pretrain" else work / _MODEL
        # Both stages read the same label files: stage 1 what FIRST's structures are in them.
        request = TrainingRequest(
            data=data if stage == "finetune" else _partial(data, work),
            out=run,
            settings=_settings(stage),
            start=start,
            resume=(run / "config.json").exists(),
            missing="absent",
            cache=work / "prepared",
        )
        train(request, report, cancel)
        start = run
    return run


def _partial(data: Path, work: Path) -> Path:
    """A table of the phantoms with their partial labels, extracted from the full ones."""
    from monet_core.files import write_text
    from monet_core.protocols import convert_labels, find_mapping, load_protocol

    mapping = find_mapping(load_protocol("malc"), load_protocol("first"))
    rows = ["scan\tlabels\tprotocol\tsplit"]
    for result in convert_labels(data, work / "partial", mapping):
        if result.error is not None:
            raise result.error
        scan = result.source.with_name(result.source.name.replace("_dseg", "_T1w"))
        rows.append(f"{scan.resolve()}\t{result.target}\tfirst\t{result.source.parent.name}")
    write_text(work / "partial.tsv", "\n".join(rows) + "\n")
    return work / "partial.tsv"


def _settings(stage: str) -> TrainingSettings:
    from monet_core.networks import NetworkSettings
    from monet_core.preprocessing import PreprocessingSettings
    from monet_core.training import TrainingSettings, recipe_settings

    pretraining = stage == "pretrain"
    values = recipe_settings("paper", "pretrain" if pretraining else "finetune")
    protocols = {"partial": "first"} if pretraining else {"full": "malc", "partial": "first"}
    return TrainingSettings(
        **{
            **values,
            "protocols": protocols,
            "epochs": 10 if pretraining else 40,
            "learning_rate": 5e-3,
            "patch": _PATCH,
            "network": NetworkSettings(width=12, levels=3),
            "preprocessing": PreprocessingSettings(spacing_mm=_SPACING_MM),
            "validate_every": 10,
        }
    )
