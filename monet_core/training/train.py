"""One training from data folder to model: check, prepare, train, keep; in a run folder."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import JsonValue

from monet_core.datasets import CheckReport, Dataset, check_dataset, find_dataset
from monet_core.errors import DatasetError, TrainingError, Verdict
from monet_core.evaluation import learning_curves
from monet_core.files import read_json, write_json
from monet_core.jobs import (
    Cancel,
    Done,
    JsonlReporter,
    Message,
    Phase,
    Reporter,
    locked,
    log_to,
    silent,
    versions,
)
from monet_core.models import DecoderEntry, Manifest, Model, load_model, save_model
from monet_core.networks import MONet, transfer
from monet_core.protocols import Protocol, Unknown
from monet_core.scans import Decisions
from monet_core.segmenting import preprocessing_of
from monet_core.training.cache import head_of
from monet_core.training.checkpoints import CURRENT, PREVIOUS
from monet_core.training.records import read_metrics
from monet_core.training.settings import FULL, PARTIAL, TrainingSettings
from monet_core.training.subjects import TrainingData, load_protocols, prepare_data, run_cache
from monet_core.training.trainer import Trainer, make_fabric

log = logging.getLogger(__name__)

CONFIG, MODEL, CURVES = "config.json", "model", "curves.png"
CHECK = {FULL: "check.tsv", PARTIAL: "check-partial.tsv"}

LICENCE = "as the training data allow (labels of MALC: non-commercial)"


@dataclass(frozen=True)
class TrainingRequest:
    """What to train on and where: `data` and `labels` as `find_dataset` takes them, `start` the
    run or model whose weights stage 2 begins with, `out` the run folder."""

    data: Path
    out: Path
    settings: TrainingSettings
    labels: Path | None = None
    start: Path | None = None
    resume: bool = False
    decisions: Decisions = field(default_factory=Decisions)
    unknown: Unknown = "ask"
    missing: Literal["ask", "absent", "unannotated"] = "ask"
    cache: Path | None = None


def train(request: TrainingRequest, report: Reporter, cancel: Cancel) -> Path:
    """Run (or resume) a training; returns the folder of its model.

    On `resume` the settings stored in the run folder count, so that the result is the same as
    that of an uninterrupted run. Raises MonetError subclasses in words a user can act on.
    """
    fabric = make_fabric(request.settings)
    fabric.launch()
    if not fabric.is_global_zero:
        return _train(request, fabric, silent, cancel)
    with locked(request.out), log_to(request.out):
        return _train(request, fabric, JsonlReporter(request.out, report), cancel)


def _train(request: TrainingRequest, fabric: Any, report: Reporter, cancel: Cancel) -> Path:
    settings = _settings_of_run(request) if fabric.is_global_zero else request.settings
    settings = fabric.broadcast(settings)
    protocols = load_protocols(settings)
    cache = run_cache(request.cache)
    checked = _check(request, settings, protocols, report, cancel)
    data = prepare_data(
        checked,
        settings,
        protocols,
        cache,
        request.decisions,
        request.unknown,
        report,
        cancel,
    )
    report(Phase("Building the network"))
    network = build_network(settings, protocols, request.start, report)

    def keep(trained: MONet, scores: dict[str, float]) -> None:
        manifest = _manifest(request, settings, data, trained, scores)
        save_model(request.out / MODEL, Model(manifest, trained))

    trainer = Trainer(fabric, settings, data, network, request.out, keep, report, cancel)
    state = trainer.run()
    if fabric.is_global_zero:
        learning_curves(read_metrics(request.out), request.out / CURVES, request.out.name)
    report(Done({"best_epoch": state.best_epoch, "best_dice": state.best_dice}))
    return request.out / MODEL


def build_network(
    settings: TrainingSettings,
    protocols: dict[str, Protocol],
    start: Path | None,
    report: Reporter,
) -> MONet:
    """The network from the settings' seed, with the start model's weights where one is given:
    encoder and every decoder; heads stay fresh where class counts differ."""
    torch.manual_seed(settings.seed)
    network = MONet(settings.network, {name: p.n_classes for name, p in protocols.items()})
    if start is not None:
        source = load_model(start)
        moved = transfer(network, source.network.state_dict())
        fresh = f"; fresh: {', '.join(moved.fresh)}" if moved.fresh else ""
        report(Message(f"{len(moved.loaded)} tensors from {source.manifest.name}{fresh}"))
    return network


def settings_from_start(start: Path | None) -> dict[str, Any]:
    """What a stage-2 training takes over from the model it starts with."""
    if start is None:
        return {}
    manifest = load_model(start).manifest
    return {
        "network": manifest.network,
        "preprocessing": preprocessing_of(manifest),
        "patch": manifest.patch,
    }


def _settings_of_run(request: TrainingRequest) -> TrainingSettings:
    config = request.out / CONFIG
    begun = any((request.out / name).exists() for name in (CURRENT, PREVIOUS))
    if request.resume:
        if not config.exists():
            raise TrainingError(
                "nothing-to-resume",
                "holds no run",
                remedy="Leave --resume away to begin one.",
                file=request.out,
            )
        return _read_settings(config)
    if begun:
        raise TrainingError(
            "run-exists",
            "a run was begun here",
            remedy="Go on with it by --resume, or choose another folder.",
            file=request.out,
        )
    stored = {"settings": request.settings.model_dump(mode="json"), "versions": versions()}
    write_json(config, stored)
    return request.settings


def _read_settings(config: Path) -> TrainingSettings:
    try:
        return TrainingSettings.model_validate(read_json(config)["settings"])
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise TrainingError(
            "config-damaged",
            f"the run's settings cannot be read ({str(error).splitlines()[0]})",
            remedy="Begin the run again in a new folder.",
            file=config,
        ) from error


def _check(
    request: TrainingRequest,
    settings: TrainingSettings,
    protocols: dict[str, Protocol],
    report: Reporter,
    cancel: Cancel,
) -> dict[str, CheckReport]:
    """The integrity report per decoder, told, stored in the run folder, and obeyed.

    One for the scans annotated in the main decoder's protocol and, in a joint training, one for
    those annotated in the partial protocol alone.
    """
    report(Phase("Checking data"))
    main = settings.main_decoder
    datasets = {main: find_dataset(request.data, settings.protocols[main], request.labels)}
    if main == FULL and PARTIAL in protocols:
        datasets[PARTIAL] = _partial_only(request, settings, datasets[main])
    reports = {}
    for name, dataset in datasets.items():
        if not dataset.subjects:
            continue
        checked = check_dataset(
            dataset,
            protocols[name],
            unknown=request.unknown,
            missing=request.missing,
            # Manual labels are trusted: with few scans a rare anatomy looks like an outlier.
            automatic=name == PARTIAL,
            decisions=request.decisions,
            report=report,
            cancel=cancel,
        )
        checked.to_tsv(request.out / CHECK[name])
        for finding in checked.findings:
            level = "info" if finding.verdict is Verdict.FIXED else "warning"
            report(Message(str(finding), level))
        checked.raise_if_blocking()
        reports[name] = checked
    for name in protocols.keys() - reports.keys():
        for note in protocols[name].notes:
            report(Message(str(note)))
    return reports


def _partial_only(request: TrainingRequest, settings: TrainingSettings, full: Dataset) -> Dataset:
    """Scans of a joint training that say they are annotated in the partial protocol."""
    try:
        found = find_dataset(request.data, settings.protocols[PARTIAL], request.labels)
    except DatasetError:  # no row, or no file, of that protocol
        return Dataset(request.data, ())
    taken = {subject.name for subject in full.subjects}
    named = (s for s in found.subjects if s.protocol and s.labels and s.name not in taken)
    return Dataset(found.root, tuple(s for s in named if s.split in (None, "train")))


def _manifest(
    request: TrainingRequest,
    settings: TrainingSettings,
    data: TrainingData,
    network: MONet,
    scores: dict[str, float],
) -> Manifest:
    names = {decoder: protocol.name for decoder, protocol in data.protocols.items()}
    training: dict[str, JsonValue] = {
        "settings": settings.model_copy(update={"protocols": names}).model_dump(mode="json"),
        "scans": list[JsonValue](sorted(subject.name for subject in data.train)),
        "start": request.start.name if request.start else None,
        "versions": dict[str, JsonValue](versions()),
    }
    # A network that never saw a scalp would find regions in it.
    stripped = all(head_of(subject) == "stripped" for subject in data.train)
    preprocessing = settings.preprocessing.model_dump(mode="json")
    preprocessing["brain_only"] = settings.preprocessing.brain_only or stripped
    return Manifest(
        name=request.out.resolve().name,
        network=network.settings,
        decoders=[DecoderEntry(name=n, protocol=p.as_dict()) for n, p in data.protocols.items()],
        preprocessing=preprocessing,
        patch=settings.patch,
        training=training,
        scores={name: value for name, value in scores.items() if name.startswith("validation/")},
        licence=LICENCE,
    )


__all__ = ["TrainingData", "TrainingRequest", "build_network", "settings_from_start", "train"]
