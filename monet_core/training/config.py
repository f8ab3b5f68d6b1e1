"""What a run folder remembers of how it was begun, so that it can be resumed to the same result."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveInt

from monet_core.errors import TrainingError
from monet_core.files import read_json, write_json
from monet_core.protocols import Unknown
from monet_core.scans import Decisions
from monet_core.training.checkpoints import CURRENT, PREVIOUS
from monet_core.training.patches import PreparedSubject
from monet_core.training.settings import TrainingSettings

CONFIG, INPUTS = "config.json", "inputs.json"
Missing = Literal["ask", "absent", "unannotated"]


class RunConfig(BaseModel):
    """All that decides a run's result but the scans themselves.

    `start` is the model it begins with, relative to the run folder; `processes` how many began it
    together (None: as many as the settings have devices).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    settings: TrainingSettings
    processes: PositiveInt | None = None
    start: str | None = None
    decisions: Decisions = Decisions()
    unknown: Unknown = "ask"
    missing: Missing = "ask"
    versions: dict[str, str] = {}

    @property
    def step_patches(self) -> int:
        """Patches of one optimiser step, however many processes share them when it goes on."""
        return self.settings.batch * (self.processes or self.settings.devices)


def relative_start(start: Path | None, out: Path) -> str | None:
    """`start` as it is stored: relative to the run folder, so that no user's folder is named."""
    return None if start is None else os.path.relpath(start, out)


def begin(out: Path, config: RunConfig) -> None:
    """Store the configuration of a new run; TrainingError where one was begun in `out`."""
    if any((out / name).exists() for name in (CURRENT, PREVIOUS)):
        raise TrainingError(
            "run-exists",
            "a run was begun here",
            remedy="Go on with it by --resume, or choose another folder.",
            file=out,
        )
    (out / INPUTS).unlink(missing_ok=True)
    write_json(out / CONFIG, config.model_dump(mode="json"))


def require_seen(out: Path) -> None:
    """Raise TrainingError where the run that the main process began is not seen by this one."""
    if not (out / CONFIG).exists():
        raise TrainingError(
            "folder-not-shared",
            "the run that another machine began is not here",
            remedy="Give --out a folder that all machines share, by the same path.",
            file=out,
        )


def resume(out: Path) -> RunConfig:
    """The stored configuration; TrainingError where there is none or it is damaged."""
    path = out / CONFIG
    if not path.exists():
        raise TrainingError(
            "nothing-to-resume",
            "holds no run",
            remedy="Leave --resume away to begin one.",
            file=out,
        )
    try:
        return RunConfig.model_validate(read_json(path))
    except (ValueError, OSError, TypeError) as error:
        raise TrainingError(
            "config-damaged",
            f"the run's settings cannot be read ({str(error).splitlines()[0]})",
            remedy="Begin the run again in a new folder.",
            file=path,
        ) from error


def check_inputs(out: Path, subjects: Sequence[PreparedSubject]) -> None:
    """Store the content hashes of a new run's subjects, or compare them with the stored ones.

    Raises TrainingError naming the scans that are not what they were when the run began.
    """
    # A subject's folder is named by the hash of all that decides its content.
    found = {subject.name: subject.folder.name for subject in subjects}
    path = out / INPUTS
    if not path.exists():
        write_json(path, found)
        return
    try:
        before = read_json(path)
    except (ValueError, OSError):
        before = {}
    changed = sorted(n for n in found.keys() | before.keys() if found.get(n) != before.get(n))
    if changed:
        raise TrainingError(
            "inputs-changed",
            "since the run began, these scans, their labels or the program changed: "
            + ", ".join(changed[:5])
            + (f" and {len(changed) - 5} more" if len(changed) > 5 else ""),
            remedy="Put them back as they were, or begin a new run.",
            file=out,
        )
