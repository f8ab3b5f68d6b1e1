"""One training from data folder to model: check, prepare, train, keep; in a run folder."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

import torch
from lightning_fabric import Fabric
from pydantic import JsonValue

from monet_core.datasets import CheckReport, Dataset, check_dataset, find_dataset
from monet_core.errors import DatasetError, Note, Verdict
from monet_core.evaluation import learning_curves
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
from monet_core.models import DecoderEntry, Manifest, Model, load_model, read_manifest, save_model
from monet_core.networks import MONet, transfer
from monet_core.protocols import Protocol, Unknown
from monet_core.scans import Decisions
from monet_core.training.cache import head_of
from monet_core.training.config import (
    Missing,
    RunConfig,
    begin,
    check_inputs,
    relative_start,
    resume,
)
from monet_core.training.history import read_metrics
from monet_core.training.memory import fitted
from monet_core.training.previews import Previews
from monet_core.training.settings import FULL, PARTIAL, TrainingSettings
from monet_core.training.subjects import (
    TrainingData,
    load_protocols,
    prepare_data,
    run_cache,
    with_own_mapping,
)
from monet_core.training.trainer import Trainer, make_fabric

log = logging.getLogger(__name__)

MODEL, CURVES, PREVIEW = "model", "curves.png", "preview"
CHECK = {FULL: "check.tsv", PARTIAL: "check-partial.tsv"}

LICENCE = "as the training data allow (labels of MALC: non-commercial)"


@dataclass(frozen=True)
class TrainingRequest:
    """What to train on and where: `data` and `labels` as `find_dataset` takes them, `start` the
    run or model whose weights stage 2 begins with, `out` the run folder. After each validation the
    segmentations of so many scans are written to `out`/preview, to be looked at."""

    data: Path
    out: Path
    settings: TrainingSettings
    labels: Path | None = None
    start: Path | None = None
    resume: bool = False
    decisions: Decisions = field(default_factory=Decisions)
    unknown: Unknown = "ask"
    missing: Missing = "ask"
    cache: Path | None = None
    previews: int = 0


def train(request: TrainingRequest, report: Reporter, cancel: Cancel) -> Path:
    """Run (or resume) a training; returns the folder of its model. Ends with Done: "best_epoch",
    "best_dice", and "stopped" where `cancel` asked to stop and keep what there was.

    On `resume` the settings, start and decisions stored in the run folder count, so that the
    result is that of an uninterrupted run. Raises MonetError in words a user can act on.
    """
    config, notes = (resume(request.out), []) if request.resume else _requested(request)
    fabric = make_fabric(config.settings)
    fabric.launch()
    config = fabric.broadcast(config)  # what fits may look different to every process
    if not fabric.is_global_zero:
        return _train(request, config, fabric, silent, cancel)
    with locked(request.out), log_to(request.out):
        if not request.resume:
            begin(request.out, config)
        reporter = JsonlReporter(request.out, report)
        for note in notes:
            reporter(Message(str(note), "warning"))
        return _train(request, config, fabric, reporter, cancel)


def _train(
    request: TrainingRequest, config: RunConfig, fabric: Fabric, report: Reporter, cancel: Cancel
) -> Path:
    settings = config.settings
    protocols = load_protocols(settings)
    cache = run_cache(request.cache)
    checked = _check(request, config, protocols, report, cancel)
    data = prepare_data(
        checked, settings, protocols, cache, config.decisions, config.unknown, report, cancel
    )
    if fabric.is_global_zero:
        check_inputs(request.out, [*data.train, *data.validation])
    report(Phase("Building the network"))
    start = request.out / config.start if config.start else None
    network = build_network(settings, protocols, start, report)

    def keep(trained: MONet, scores: dict[str, float]) -> None:
        manifest = _manifest(request.out, config, data, trained, scores)
        save_model(request.out / MODEL, Model(manifest, trained))

    previews = _previews(request, config, data, report)
    trainer = Trainer(fabric, settings, data, network, request.out, keep, report, cancel, previews)
    state = trainer.run()
    if fabric.is_global_zero:
        learning_curves(read_metrics(request.out), request.out / CURVES, request.out.name)
    best = {"best_epoch": state.best_epoch, "best_dice": state.best_dice}
    report(Done({**best, "stopped": trainer.stopped}))
    return request.out / MODEL


def _previews(
    request: TrainingRequest, config: RunConfig, data: TrainingData, report: Reporter
) -> Previews | None:
    if not request.previews:
        return None
    return Previews(request.out / PREVIEW, data, config.decisions, report, request.previews)


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


def _requested(request: TrainingRequest) -> tuple[RunConfig, list[Note]]:
    """The configuration of a new run, made to fit the memory there is, and what that changed."""
    protocols = load_protocols(request.settings)
    settled, mapping_notes = with_own_mapping(request.settings, protocols)
    settings, notes = fitted(settled, {name: p.n_classes for name, p in protocols.items()})
    config = RunConfig(
        settings=settings,
        start=relative_start(request.start, request.out),
        decisions=request.decisions,
        unknown=request.unknown,
        missing=request.missing,
        versions=versions(),
    )
    return config, [*mapping_notes, *notes]


def _check(
    request: TrainingRequest,
    config: RunConfig,
    protocols: dict[str, Protocol],
    report: Reporter,
    cancel: Cancel,
) -> dict[str, CheckReport]:
    """The integrity report per decoder, told, stored in the run folder, and obeyed.

    One for the scans annotated in the main decoder's protocol and, in a joint training, one for
    those annotated in the partial protocol alone.
    """
    report(Phase("Checking data"))
    settings = config.settings
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
            unknown=config.unknown,
            missing=config.missing,
            # Manual labels are trusted: with few scans a rare anatomy looks like an outlier.
            automatic=name == PARTIAL,
            decisions=config.decisions,
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
    out: Path,
    config: RunConfig,
    data: TrainingData,
    network: MONet,
    scores: dict[str, float],
) -> Manifest:
    settings = config.settings
    names = {decoder: protocol.name for decoder, protocol in data.protocols.items()}
    training: dict[str, JsonValue] = {
        "settings": settings.model_copy(update={"protocols": names}).model_dump(mode="json"),
        "scans": list[JsonValue](sorted(subject.name for subject in data.train)),
        "start": read_manifest(out / config.start).name if config.start else None,
        "versions": dict[str, JsonValue](versions()),
    }
    # A network that never saw a scalp would find regions in it.
    stripped = all(head_of(subject) == "stripped" for subject in data.train)
    preprocessing = settings.preprocessing.model_dump(mode="json")
    preprocessing["brain_only"] = settings.preprocessing.brain_only or stripped
    return Manifest(
        name=out.resolve().name,
        network=network.settings,
        decoders=[DecoderEntry(name=n, protocol=p.as_dict()) for n, p in data.protocols.items()],
        preprocessing=preprocessing,
        patch=settings.patch,
        training=training,
        scores={name: value for name, value in scores.items() if name.startswith("validation/")},
        licence=LICENCE,
    )


__all__ = ["TrainingData", "TrainingRequest", "build_network", "train"]
