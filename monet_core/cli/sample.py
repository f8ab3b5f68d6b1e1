"""`monet sample`: the main job on the scan that ships, with no data of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from monet_core.cli import options
from monet_core.cli.console import console, reporting
from monet_core.cli.segment import draw

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
    from monet_core.scans import Decisions
    from monet_core.segmenting import segment

    with reporting() as (report, cancel):
        shipped = list_models()
        if shipped:
            folder = shipped[0].path
        else:
            console.print(_PHANTOM_SAYS, markup=False)
            folder = train_on_phantoms(out, report, cancel)
        model = load_model(folder)
        result = segment(SAMPLE, model, out, report=report, cancel=cancel)
        picture = draw(result, model, Decisions())
    for files in result.files.values():
        for path in files.all:
            typer.echo(path)
    typer.echo(picture)


def train_on_phantoms(out: Path, report: Reporter, cancel: Cancel) -> Path:
    """Both stages of the paper in miniature; returns the run of the second."""
    from monet_core.datasets.phantom import write_phantoms
    from monet_core.protocols import convert_labels, find_mapping, load_protocol
    from monet_core.training import TrainingRequest, train

    malc, first = load_protocol("malc"), load_protocol("first")
    left, right = (
        [r.index for r in malc.regions if r.index >= 100 and r.hemisphere == side] for side in "LR"
    )
    work = out / "phantom-training"
    data = write_phantoms(work / "phantoms", (left, right), train=6)
    partial = work / "partial"
    convert_labels(data, partial, find_mapping(malc, first))
    start = None
    for stage, run in (("pretrain", work / "pretrain"), ("finetune", work / _MODEL)):
        request = TrainingRequest(
            data=data,
            out=run,
            settings=_settings(stage),
            labels=partial if stage == "pretrain" else None,
            start=start,
            resume=(run / "config.json").exists(),
            missing="absent",
            cache=work / "prepared",
        )
        train(request, report, cancel)
        start = run
    return run


def _settings(stage: str) -> TrainingSettings:
    from monet_core.losses import LossSettings
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
            "epochs": 5 if pretraining else 20,
            "learning_rate": 5e-3,
            "patch": _PATCH,
            "network": NetworkSettings(width=8, levels=3),
            "preprocessing": PreprocessingSettings(spacing_mm=_SPACING_MM),
            "validate_every": 5,
            "loss": LossSettings(kind="dice_ce"),
        }
    )
