"""Training the methods of an experiment and letting their models segment the scans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from monet_core.datasets import Dataset, Subject
from monet_core.errors import MonetError
from monet_core.experiments.definitions import PRETRAINING, Method
from monet_core.experiments.request import RUN, ExperimentRequest
from monet_core.experiments.scans import extracted_partial, write_scans
from monet_core.experiments.scoring import Segmentations
from monet_core.jobs import EVENTS, Cancel, Done, Event, Message, Phase, Reporter
from monet_core.models import load_model
from monet_core.protocols import load_protocol
from monet_core.segmenting import SegmentSettings, segment
from monet_core.segmenting.outputs import files_of
from monet_core.training import FULL, TrainingRequest, TrainingSettings, train
from monet_core.training.checkpoints import CURRENT, PREVIOUS

SCANS = "scans.tsv"


def run_folder(out: Path, recipe: str, key: str) -> Path:
    """Where a recipe's method (or pre-training) trains."""
    return out / recipe / key / RUN


def train_methods(
    request: ExperimentRequest, data: Dataset, recipe: str, report: Reporter, cancel: Cancel
) -> None:
    """Stage 1 where a method needs it, then every method: finished ones are left as they are."""
    stages = request.stages[recipe]
    # A table of the fully annotated scans alone, so that no method sees a scan more.
    table = write_scans(request.out / SCANS, data.subjects, request.experiment.protocol)
    if any(method.pretrained for method in request.plan):
        _pretrain(request, data, recipe, report, cancel)
    for method in request.plan:
        protocols = {name: stages.finetune.protocols[name] for name in method.decoders}
        settings = stages.finetune.model_copy(update={"protocols": protocols})
        start = run_folder(request.out, recipe, PRETRAINING) if method.pretrained else None
        job = _job(request, recipe, method.key, table, settings)
        _train(replace(job, start=start), f"{method.name}, recipe {recipe}", report, cancel)


def _pretrain(
    request: ExperimentRequest, data: Dataset, recipe: str, report: Reporter, cancel: Cancel
) -> None:
    if _finished(run_folder(request.out, recipe, PRETRAINING)):
        return
    partial = request.partial or extracted_partial(request, data, recipe, report, cancel)
    job = _job(request, recipe, PRETRAINING, partial, request.stages[recipe].pretrain)
    labels = request.partial_labels if request.partial else None
    _train(replace(job, labels=labels), f"Pre-training, recipe {recipe}", report, cancel)


def _job(
    request: ExperimentRequest, recipe: str, key: str, data: Path, settings: TrainingSettings
) -> TrainingRequest:
    return TrainingRequest(
        data=data,
        out=run_folder(request.out, recipe, key),
        settings=settings,
        decisions=request.decisions,
        unknown=request.unknown,
        missing=request.missing,
        cache=request.cache,
    )


def _train(job: TrainingRequest, title: str, report: Reporter, cancel: Cancel) -> None:
    """Begin the run, go on with it, or leave it where it is finished."""
    cancel.check()
    if _finished(job.out):
        report(Message(f"{title}: trained before"))
        return
    report(Message(f"{title}: training"))
    begun = any((job.out / name).exists() for name in (CURRENT, PREVIOUS))

    def within(event: Event) -> None:
        if not isinstance(event, Done):  # one training is done, not the experiment
            report(event)

    train(replace(job, resume=begun), within, cancel)


def _finished(run: Path) -> bool:
    """A run's last event tells that it came to its end."""
    events = run / EVENTS
    return events.exists() and '"event": "Done"' in events.read_text(encoding="utf-8")


def segment_scans(
    request: ExperimentRequest,
    recipe: str,
    method: Method,
    subjects: Sequence[Subject],
    report: Reporter,
    cancel: Cancel,
) -> Segmentations:
    """Let a trained method segment the scans; those that are segmented already are left."""
    stage = request.stages[recipe].finetune
    model = load_model(run_folder(request.out, recipe, method.key))
    folder = request.out / recipe / method.key
    out = folder / "segmentations"
    settings = SegmentSettings(
        mirror=recipe == "best", device=stage.device, precision=stage.precision
    )
    files, failed = {}, {}
    for number, subject in enumerate(subjects, start=1):
        cancel.check()
        files[subject.name] = files_of(out, subject.name, model, settings.entropy)
        if all(each.record.exists() for each in files[subject.name].values()):
            continue
        report(Phase(f"{method.name}, recipe {recipe}: scan {number} of {len(subjects)}"))
        decided = (request.decisions, report, cancel)
        try:
            segment(subject.scan, model, out, settings, *decided, stem=subject.name)
        except MonetError as error:
            report(Message(str(error), "error"))
            failed[subject.name] = error.problem
    protocols = {decoder: load_protocol(stage.protocols[decoder]) for decoder in method.decoders}
    labels = {
        protocol.name: {name: of[decoder].labels for name, of in files.items()}
        for decoder, protocol in protocols.items()
    }
    return Segmentations(
        method.name, recipe, folder / "evaluation", protocols[FULL], labels, failed
    )
