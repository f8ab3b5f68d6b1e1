"""The logic of a new training: choices, what they mean, the check, the start. No Qt, no torch."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from psygnal import Signal

from monet_app.devices import Devices
from monet_app.segment.cards import ModelCard, card_of
from monet_app.session import Session
from monet_app.train.checking import Checking, CheckResult, FindingLine
from monet_app.train.data import DataSummary, annotated_protocols, set_aside, survey_data
from monet_app.train.estimating import Estimating
from monet_app.train.form import problem
from monet_app.train.kinds import FINETUNE, JOINT, SCRATCH, Kind
from monet_app.train.presets import Preset, Values
from monet_app.train.runs import DATA, JOB
from monet_app.train.setup import Setup, Source, Variant, train_request
from monet_app.words import count, in_words
from monet_core.errors import MonetError
from monet_core.jobs.process import Job
from monet_core.protocols import find_mapping, load_protocol, shipped_protocols
from monet_core.workspace import Question, Study


class TrainModel:
    """State and actions of the page "New training"."""

    changed = Signal()
    """What can be chosen, or is chosen, is another."""
    values_changed = Signal()
    """Settings under Advanced are others (the preset, the start model, or one of them)."""
    started = Signal(object)
    """(job)."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.devices = Devices(session)
        self.checking = Checking(session)
        self.estimating = Estimating(session)
        self.setup = Setup(device=session.settings.device)
        self.data: DataSummary | None = None
        self.data_problem = ""
        self.mapping_text, self.mapping_problem = "", ""
        self.values: Values = {}
        self.values_problem = ""
        self.annotated: dict[str, int] = {}
        self._named = False
        session.study_changed.connect(self._study_changed)
        session.scans_changed.connect(self.look)
        session.segmentations_changed.connect(self.look)
        session.models_changed.connect(self._models_changed)
        self._study_changed()

    # -- what there is to choose from -------------------------------------------------------

    @property
    def starts(self) -> list[ModelCard]:
        """Models that a training can begin with."""
        study = self.session.study
        runs = study.runs if study else None
        return [card_of(entry, runs) for entry in self.session.model_entries]

    @property
    def atlases(self) -> list[str]:
        """Shipped protocols and the study's own tables, by name or path."""
        study = self.session.study
        folder = study.atlases if study else None
        own = sorted(folder.glob("*.tsv")) if folder is not None and folder.is_dir() else []
        return list(dict.fromkeys([*shipped_protocols(), *map(str, own), self.setup.protocol]))

    # -- choosing ---------------------------------------------------------------------------

    def choose_kind(self, kind: Kind) -> None:
        """Another kind of training: atlas and start model follow."""
        if kind.key == self.setup.kind.key:
            return
        start = self.setup.start
        if kind.start == "none":
            start = None
        elif start is None and kind.start == "needed" and self.starts:
            start = self.starts[0].path
        self._set(kind=kind, start=start, protocol=self._likely_protocol(kind), name="")

    def take_up(self, protocol: str, start: Path | None) -> None:
        """Fill in what a correction asks for: the study's scans, its atlas, the model behind it.

        Only a large atlas is trained together with the sub-cortical one.
        """
        kind = self.setup.kind
        if _is_small(protocol):
            kind = FINETUNE if start is not None else SCRATCH
        elif kind.stage == "pretrain":
            kind = JOINT
        chosen = None if kind.start == "none" else start
        self._set(kind=kind, source="study", protocol=protocol, start=chosen, name="")

    def choose_preset(self, preset: Preset) -> None:
        """Another recipe; the user's own changes go."""
        self._set(preset=preset, changes={})

    def choose_source(self, source: Source, folder: Path | None = None) -> None:
        """The study's scans, or a folder or table."""
        self._set(source=source, folder=folder or self.setup.folder)

    def choose_labels(self, folder: Path | None) -> None:
        """Where the labels lie, if not beside the scans."""
        self._set(labels=folder)

    def choose_protocol(self, protocol: str) -> None:
        """The atlas of the scans' labels."""
        self._set(protocol=protocol)

    def choose_partial(self, protocol: str, variant: Variant | None = None) -> None:
        """The sub-cortical atlas of a joint training, and how it is extracted."""
        self._set(partial=protocol, variant=variant or self.setup.variant)

    def choose_start(self, model: Path | None) -> None:
        """The model to begin with; its network and spacing are taken over."""
        self._set(start=model)

    def choose_device(self, name: str) -> None:
        """Compute with this device; remembered."""
        self.session.settings.device = name
        self._set(device=name)

    def choose_name(self, name: str) -> None:
        """What the run and its model are called."""
        self._named = bool(name.strip())
        self.setup = replace(self.setup, name=name.strip())
        self.changed.emit()

    def change(self, path: str, value: object) -> None:
        """Another value of a setting under Advanced."""
        try:
            changes = self.setup.changed(path, value)
        except MonetError:
            return
        self._set(changes=changes)

    def reset_changes(self) -> None:
        """Back to the preset."""
        self._set(changes={})

    def decide(self, line: FindingLine, choice: str) -> None:
        """Answer what the check asked; then it is checked again."""
        if line.option == "--unknown-labels":
            self._set(unknown=choice)
        elif line.option == "--missing-regions":
            self._set(missing=choice)
        else:
            asked = Question("", line.text, line.option, line.choices)
            self._set(decisions=asked.answered(self.setup.decisions, choice))
        self.check()

    def _set(self, **changes: Any) -> None:
        before, self.setup = self.setup, replace(self.setup, **changes)
        if not self._named:
            self.setup = replace(self.setup, name=self._free_name(self.setup.kind))
        self.estimating.forget()
        if not self.checking.is_of(self.setup):
            self.checking.forget()
        if _of_data(before) != _of_data(self.setup):
            self.look()
        if _of_mapping(before) != _of_mapping(self.setup):
            self._look_at_mapping()
        self._read_values()
        self.changed.emit()

    # -- what it means ----------------------------------------------------------------------

    def look(self) -> None:
        """Count the scans anew."""
        setup, study = self.setup, self.session.study
        self.session.run(
            survey_data, setup, study, done=self._found, failed=self._not_found, key="train-data"
        )

    def _found(self, data: DataSummary) -> None:
        self.data, self.data_problem = data, ""
        if self.setup.source == "study" and self.setup.decisions != data.decisions:
            self.setup = replace(self.setup, decisions=data.decisions)
        self.changed.emit()

    def _not_found(self, error: Exception) -> None:
        self.data, self.data_problem = None, in_words(error)
        self.changed.emit()

    def _look_at_mapping(self) -> None:
        setup = self.setup
        self.mapping_text = self.mapping_problem = ""
        if not setup.kind.joint:
            return

        def found(text: str) -> None:
            self.mapping_text = text
            self.changed.emit()

        def failed(error: Exception) -> None:
            self.mapping_problem = in_words(error)
            self.changed.emit()

        self.session.run(_mapping_text, setup, done=found, failed=failed, key="train-mapping")

    def _read_values(self) -> None:
        try:
            self.values, self.values_problem = self.setup.values, ""
        except MonetError as error:
            self.values_problem = in_words(error)
            return
        path, wrong = problem(self.values)
        self.values_problem = f"{path}: {wrong}" if wrong else ""
        self.values_changed.emit()

    @property
    def problems(self) -> list[str]:
        """Why it cannot start; nothing where it can."""
        setup, found = self.setup, []
        if self.session.study is None:
            found.append("Open a study first: a run needs a folder.")
        if self.data is None:
            found.append(self.data_problem or "Looking for scans…")
        elif not self.data.number("train"):
            found.append("No scan with labels of this atlas is there to train on.")
        if setup.kind.start == "needed" and setup.start is None:
            found.append("Choose the model to begin with.")
        return [
            *found,
            *filter(None, (self.mapping_problem, self.values_problem, self._name_problem)),
        ]

    @property
    def _name_problem(self) -> str:
        name = self.setup.name
        if not re.fullmatch(r"[\w][\w.+ -]*", name):
            return "Give the run a name of letters and digits."
        if self._taken(name):
            return f"There is a run {name} already; give this one another name."
        return ""

    @property
    def hints(self) -> list[str]:
        """What is allowed, but worth knowing."""
        found = []
        if self.data is not None and not self.data.number("validation"):
            found.append(
                "No scan is set aside for validation: there will be no Dice and no preview, and "
                "the last weights are kept, not the best."
            )
        if self.data is not None and self.data.without:
            number = len(self.data.without)
            found.append(f"{count(number, 'scan')} without labels of this atlas; left out.")
        if self.setup.kind.joint and self.setup.start is None:
            found.append(
                "Without a pre-trained model to begin with, this starts from nothing. A model that "
                "ships learns a new atlas from far fewer scans: choose one under 3."
            )
        return found

    # -- check, estimate, start -------------------------------------------------------------

    def set_aside(self) -> None:
        """Give some of the study's training scans to validation."""
        study = self.session.study
        if study is not None:
            self.session.run(
                set_aside, study, self.setup, doing="Setting scans aside",
                done=lambda _: self.session.scans_changed.emit(),
            )  # fmt: skip

    def check(self, start: bool = False) -> None:
        """Check the data; then, with `start`, begin where nothing is to be decided."""
        if self.data is None:
            return

        def done(result: CheckResult) -> None:
            if start and result.ok:
                self._submit()

        self.checking.start(self.setup, self.data.root, done)

    def estimate(self, measure: bool = False) -> None:
        """Ask what it would take."""
        if self.data is not None and not self.values_problem:
            self.estimating.start(self.setup, self.data.number("train"), measure)

    def start(self) -> None:
        """Check where that was not done yet, then queue the training."""
        if self.problems:
            return
        if self.checking.is_of(self.setup):
            if self.checking.result is not None and self.checking.result.ok:
                self._submit()
        else:
            self.check(start=True)

    def _submit(self) -> None:
        study, setup = self.session.study, self.setup
        if study is None or self.data is None:
            return
        out, root = study.runs / setup.name, self.data.root

        def ready(data: Path) -> None:
            request = train_request(setup, data, out).model_dump(mode="json")
            job = self.session.submit(JOB, f"{setup.kind.text}: {setup.name}", request)
            if job is not None:
                self._started(job)

        self.session.run(_data_of_run, setup, study, root, out, done=ready, doing="Starting")

    def _started(self, job: Job) -> None:
        self._named = False
        self.setup = replace(self.setup, name=self._free_name(self.setup.kind))
        self.started.emit(job)
        self.changed.emit()

    # -- inside -----------------------------------------------------------------------------

    def _study_changed(self, *_: object) -> None:
        study = self.session.study
        self._named = False
        self.annotated = annotated_protocols(study) if study else {}
        source: Source = "study" if self.annotated or self.setup.folder is None else "folder"
        self._set(protocol=self._likely_protocol(self.setup.kind), source=source)
        self.look()
        self._look_at_mapping()

    def _models_changed(self) -> None:
        paths = [card.path for card in self.starts]
        if self.setup.start is not None and self.setup.start not in paths:
            self._set(start=None)
        else:
            self.changed.emit()

    def _likely_protocol(self, kind: Kind) -> str:
        """The atlas that most scans are annotated in, of the size that the kind wants."""
        small = [name for name in self.annotated if _is_small(name)]
        large = [name for name in self.annotated if not _is_small(name)]
        if kind.stage == "pretrain":
            return (small or ["first"])[0]
        return (large or small or ["malc"])[0]

    def _free_name(self, kind: Kind) -> str:
        number = 1
        while self._taken(f"{kind.key}-{number}"):
            number += 1
        return f"{kind.key}-{number}"

    def _taken(self, name: str) -> bool:
        """Whether a run of that name is there, or waits to begin."""
        study, queue = self.session.study, self.session.jobs
        if study is None:
            return False
        folder = study.runs / name
        waiting = (job.request.get("out") for job in queue.jobs if job.kind == JOB) if queue else ()
        return folder.exists() or str(folder) in waiting


def _data_of_run(setup: Setup, study: Study, root: Path, out: Path) -> Path:
    """Where the run finds its scans: a table of its own for a study's, which may change."""
    if setup.source == "folder":
        return root
    out.mkdir(parents=True, exist_ok=True)
    return study.to_table(out / DATA, setup.protocol)


def _mapping_text(setup: Setup) -> str:
    mapping = find_mapping(setup.protocol, setup.partial, setup.variant)
    total = len(mapping.target.indices)
    notes = " ".join(f"{note}." for note in mapping.notes if note.code != "mapping-partial")
    text = f"{len(mapping.covered)} of its {total} regions are taken from your labels."
    return f"{text} {notes}".strip()


def _is_small(protocol: str) -> bool:
    try:
        return len(load_protocol(protocol).regions) <= 20
    except (MonetError, OSError):
        return False


def _of_data(setup: Setup) -> object:
    return setup.source, setup.folder, setup.labels, setup.protocol


def _of_mapping(setup: Setup) -> object:
    return setup.kind.key, setup.protocol, setup.partial, setup.variant
