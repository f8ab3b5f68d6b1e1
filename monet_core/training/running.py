"""One training from data folder to model: check, prepare, train, keep; in a run folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from pydantic import JsonValue

from monet_core.datasets import CheckReport, Dataset, check_dataset, find_dataset
from monet_core.errors import DatasetError, Note, TrainingError, Verdict
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
from monet_core.networks import MONet, transfer, widened, widens
from monet_core.protocols import Protocol, Unknown
from monet_core.scans import Decisions
from monet_core.training.cache import PreparedCache, head_of
from monet_core.training.config import (
    Missing,
    RunConfig,
    begin,
    check_inputs,
    relative_start,
    require_seen,
    resume,
)
from monet_core.training.history import read_metrics
from monet_core.training.memory import fitted
from monet_core.training.patches import PreparedSubject
from monet_core.training.previews import Previews
from monet_core.training.settings import FULL, PARTIAL, TrainingSettings
from monet_core.training.subjects import (
    TrainingData,
    load_protocols,
    prepare_data,
    run_cache,
    with_own_mapping,
)
from monet_core.training.team import Team, make_fabric, processes
from monet_core.training.trainer import Trainer

log = logging.getLogger(__name__)

MODEL, CURVES, PREVIEW = "model", "curves.png", "preview"
CHECK = {FULL: "check.tsv", PARTIAL: "check-partial.tsv"}

LICENCE = "as the training data allow (labels of MALC: non-commercial)"


@dataclass(frozen=True)
class TrainingRequest:
    """What to train on and where: `data` and `labels` as `find_dataset` takes them, `start` the
    run or model whose weights stage 2 begins with, `out` the run folder. After each validation the
    segmentations of so many scans are written to `out`/preview, to be looked at. `devices`: so many
    processes on this machine, whatever the settings (or the run that is resumed) say."""

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
    devices: int | None = None


def train(request: TrainingRequest, report: Reporter, cancel: Cancel) -> Path:
    """Run (or resume) a training; returns the folder of its model. Ends with Done: "best_epoch",
    "best_dice", and "stopped" where `cancel` asked to stop and keep what there was.

    On `resume` the settings, start and decisions stored in the run folder count, so that the
    result is that of an uninterrupted run. Under torchrun, or with several devices, all processes
    call this alike and return the same; only the main one reports and writes.
    Raises MonetError in words a user can act on.
    """
    config, notes = (resume(request.out), []) if request.resume else _requested(request)
    team = _launched(config, request.devices)
    with ExitStack() as held:
        held.enter_context(team.ending())
        config = team.fabric.broadcast(config)  # what fits may look different to every process
        folder = _run_folder(request, config, notes, report) if team.main else nullcontext(silent)
        reporter = team.together(lambda: held.enter_context(folder))
        team.together(partial(require_seen, request.out))
        return _train(request, config, team, team.telling(reporter), cancel)


def _launched(config: RunConfig, devices: int | None) -> Team:
    """All processes of the training. Raises TrainingError where a step has too few patches."""
    here, machines = processes(config.settings, devices)
    if here * machines > config.step_patches:
        raise TrainingError(
            "too-many-processes",
            f"a step of this run takes {config.step_patches} patches, which {here * machines} "
            "processes cannot share",
            remedy="Go on with fewer processes, or begin a new run.",
        )
    fabric = make_fabric(config.settings, devices)
    fabric.launch()
    return Team(fabric)


@contextmanager
def _run_folder(
    request: TrainingRequest, config: RunConfig, notes: list[Note], report: Reporter
) -> Iterator[Reporter]:
    """Hold the run folder, begun where it is new; events go there, too."""
    with locked(request.out), log_to(request.out):
        if not request.resume:
            begin(request.out, config)
        reporter = JsonlReporter(request.out, report)
        for note in notes:
            reporter(Message(str(note), "warning"))
        yield reporter


def _train(
    request: TrainingRequest, config: RunConfig, team: Team, report: Reporter, cancel: Cancel
) -> Path:
    data = _prepared(request, config, team, report, cancel)
    report(Phase("Building the network"))
    start = request.out / config.start if config.start else None
    network = build_network(config.settings, data.protocols, start, report)

    def keep(trained: MONet, scores: dict[str, float]) -> None:
        manifest = _manifest(request.out, config, data, trained, scores)
        save_model(request.out / MODEL, Model(manifest, trained))

    previews = _previews(request, config, data, report)
    trainer = Trainer(team, config, data, network, request.out, keep, report, cancel, previews)
    state = trainer.run()
    if team.main:
        learning_curves(read_metrics(request.out), request.out / CURVES, request.out.name)
    best = {"best_epoch": state.best_epoch, "best_dice": state.best_dice}
    report(Done({**best, "stopped": trainer.stopped}))
    return request.out / MODEL


def _prepared(
    request: TrainingRequest, config: RunConfig, team: Team, report: Reporter, cancel: Cancel
) -> TrainingData:
    """The data of the training, checked and prepared by all processes together."""
    protocols = load_protocols(config.settings)
    cache = team.together(partial(run_cache, request.cache))
    checked = _check(request, config, protocols, team, report, cancel)
    data = prepare_data(
        checked,
        config.settings,
        protocols,
        cache,
        config.decisions,
        config.unknown,
        report,
        cancel,
        team.each,
    )
    subjects = [*data.train, *data.validation]
    team.together(partial(_require_shared, cache, subjects))
    team.on_main(lambda: check_inputs(request.out, subjects))
    return data


def _require_shared(cache: PreparedCache, subjects: list[PreparedSubject]) -> None:
    """Raise TrainingError where scans that other processes prepared are not seen by this one."""
    missing = [subject.name for subject in subjects if not subject.folder.exists()]
    if missing:
        raise TrainingError(
            "cache-not-shared",
            f"{len(missing)} scans that other processes prepared are not here",
            remedy="Give --cache a folder that all machines share.",
            file=cache.folder,
        )


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
    encoder and every decoder; heads stay fresh where class counts differ. A start model that is
    narrower than the settings ask for is widened first."""
    torch.manual_seed(settings.seed)
    network = MONet(settings.network, {name: p.n_classes for name, p in protocols.items()})
    if start is not None:
        source = load_model(start)
        trained = source.network
        if widens(trained.settings, settings.network):
            trained = widened(trained, settings.network)
            report(Message(f"{source.manifest.name} was widened; it computes what it did"))
        moved = transfer(network, trained.state_dict())
        fresh = f"; fresh: {', '.join(moved.fresh)}" if moved.fresh else ""
        report(Message(f"{len(moved.loaded)} tensors from {source.manifest.name}{fresh}"))
    return network


def _requested(request: TrainingRequest) -> tuple[RunConfig, list[Note]]:
    """The configuration of a new run, made to fit the memory there is, and what that changed."""
    protocols = load_protocols(request.settings)
    settled, mapping_notes = with_own_mapping(request.settings, protocols)
    here, machines = processes(settled, request.devices)
    classes = {name: p.n_classes for name, p in protocols.items()}
    settings, notes = fitted(settled, classes, sharing=here)
    config = RunConfig(
        settings=settings,
        processes=here * machines,
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
    team: Team,
    report: Reporter,
    cancel: Cancel,
) -> dict[str, CheckReport]:
    """The integrity report per decoder, told, stored in the run folder, and obeyed.

    One for the scans annotated in the main decoder's protocol and, in a joint training, one for
    those annotated in the partial protocol alone.
    """
    report(Phase("Checking data"))
    settings = config.settings
    datasets = team.together(partial(_datasets, request, settings, protocols))
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
            each=team.each,
        )
        team.on_main(partial(checked.to_tsv, request.out / CHECK[name]))
        for finding in checked.findings:
            level = "info" if finding.verdict is Verdict.FIXED else "warning"
            report(Message(str(finding), level))
        checked.raise_if_blocking()
        reports[name] = checked
    for name in protocols.keys() - reports.keys():
        for note in protocols[name].notes:
            report(Message(str(note)))
    return reports


def _datasets(
    request: TrainingRequest, settings: TrainingSettings, protocols: dict[str, Protocol]
) -> dict[str, Dataset]:
    main = settings.main_decoder
    datasets = {main: find_dataset(request.data, settings.protocols[main], request.labels)}
    if main == FULL and PARTIAL in protocols:
        datasets[PARTIAL] = _partial_only(request, settings, datasets[main])
    return datasets


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
