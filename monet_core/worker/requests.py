"""What a worker can be asked to do, as JSON in the job's folder. Loads without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from monet_core.cohort.settings import Scheduler
from monet_core.errors import MonetError
from monet_core.protocols import Unknown
from monet_core.scans import Decisions
from monet_core.segmenting.settings import SegmentSettings

Missing = Literal["ask", "absent", "unannotated"]


class Request(BaseModel):
    """What all requests have: `threads` to compute with (None: all cores but one), and `resume`,
    which is set by the queue where a job goes on after an interruption."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threads: PositiveInt | None = None
    resume: bool = False


class ScanToSegment(BaseModel):
    """One scan (or a folder of them). `stem` begins its files' names; `decisions` are the user's
    answers about this scan, the request's own where None."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    stem: str | None = None
    decisions: Decisions | None = None


class SegmentRequest(Request):
    """Segment scans into the folder `out` with a model (name or path; None: the shipped one).

    `picture`: draw each result over its scan, too. `scheduler`: where the work is done, None: in
    the worker itself; elsewhere, scans that are finished already are never done again.
    Tells Result("scan", {"scan", "stem", "files": {decoder: {"labels", "table", "volumes",
    "record", "entropy"}}, "protocols": {decoder: name}, "warnings": [text], "seconds", "number",
    "total", "skipped"}) for each finished scan and Result("scan", {"scan", "error", "code",
    "verdict", "number", "total"}) for each that failed.
    Ends with Done({"files": [paths of records], "failed": [{"scan", "error"}], "out"}).
    """

    scans: Annotated[list[ScanToSegment], Field(min_length=1)]
    out: Path
    model: str | None = None
    settings: SegmentSettings = SegmentSettings()
    decisions: Decisions = Decisions()
    picture: bool = False
    scheduler: Scheduler | None = None


class TrainRequest(Request):
    """Train (`data` and `labels` as `find_dataset` takes them) into the run folder `out`.

    `settings` are laid over the recipe's and the start model's, nested ones in part or whole; of
    them "protocols" must be given. `start` is a run or model by name or path. `previews` is the
    number of validation scans whose current segmentation is written after each validation.
    Tells Result("preview", {"scan", "decoder", "path", "source", "epoch", "dice"}) and
    Result("regions", {"decoder", "epoch", "dice": {index: mean}}) after each validation.
    Ends with Done({"model", "best_epoch", "best_dice", "stopped"}).
    """

    stage: Literal["pretrain", "finetune"]
    data: Path
    out: Path
    recipe: Literal["paper", "best"] = "best"
    settings: dict[str, Any]
    labels: Path | None = None
    start: str | None = None
    decisions: Decisions = Decisions()
    unknown: Unknown = "ask"
    missing: Missing = "ask"
    cache: Path | None = None
    previews: Annotated[int, Field(ge=0)] = 1


class CheckRequest(Request):
    """The integrity report of training data; also written to the TSV `out` where given.

    Ends with Done({"ok", "summary", "text", "findings": [Finding.as_dict()], "subjects",
    "excluded_regions", "protocol"}).
    """

    data: Path
    protocol: str
    labels: Path | None = None
    out: Path | None = None
    decisions: Decisions = Decisions()
    unknown: Unknown = "ask"
    missing: Missing = "ask"


class DevicesRequest(Request):
    """What can be computed with.

    Ends with Done({"devices": [{"name", "title", "free_bytes", "total_bytes", "usable",
    "reason"}]}); "name" is what settings call it, free and total None where not known.
    """


class EstimateTrainingRequest(Request):
    """What a training would take; fields as in `TrainRequest`, `scans` its training scans.

    Ends with Done({"needed_bytes", "free_bytes", "fits", "patch", "batch", "notes": [text],
    "seconds_per_step", "steps", "seconds", "device", "precision", "devices"}). Times are None
    where they were not measured (`measure` false, or it does not fit), and are of the steps
    alone, without preparing scans and validating.
    """

    stage: Literal["pretrain", "finetune"]
    recipe: Literal["paper", "best"] = "best"
    settings: dict[str, Any]
    start: str | None = None
    scans: PositiveInt = 1
    measure: bool = True


class EstimateSegmentingRequest(Request):
    """What segmenting scans of a grid would take, with a model by name or path.

    `shape` in voxels and `spacing` in mm of the largest scan. Ends with Done({"needed_bytes",
    "free_bytes", "fits", "patch", "notes", "device", "precision", "devices"}).
    """

    shape: tuple[PositiveInt, PositiveInt, PositiveInt]
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    model: str | None = None
    settings: SegmentSettings = SegmentSettings()


REQUESTS: dict[str, type[Request]] = {
    "segment": SegmentRequest,
    "train": TrainRequest,
    "check": CheckRequest,
    "devices": DevicesRequest,
    "estimate-training": EstimateTrainingRequest,
    "estimate-segmenting": EstimateSegmentingRequest,
}
"""The kinds of jobs and what each is asked with."""


def parse_request(kind: str, values: dict[str, Any]) -> Request:
    """The request of a job. Raises MonetError where kind or values are not as expected."""
    model = REQUESTS.get(kind)
    if model is None:
        raise MonetError(
            "unknown-job", f"there is no job of kind {kind!r}", remedy="Update this program."
        )
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise MonetError(
            "bad-request", f"{where}: {first['msg']} (got {first['input']!r})"
        ) from error
