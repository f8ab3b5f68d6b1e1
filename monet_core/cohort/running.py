"""Segmenting a cohort."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from monet_core.cohort.settings import Scheduler
from monet_core.jobs.events import Cancel, Reporter, silent
from monet_core.models import ModelEntry, load_model
from monet_core.scans import Decisions
from monet_core.segmenting import Failure, SegmentResult, SegmentSettings
from monet_core.segmenting.many import Finished, Item, Started, segment_items
from monet_core.segmenting.single import DEFAULTS, NO_DECISIONS

After = Callable[[SegmentResult, ModelEntry, Decisions], object]
"""Called where a scan was segmented (so by a worker, for all but those that were finished before),
with its result, what is known about the model, and the answers that held for it."""


def segment_cohort(
    items: Sequence[Item],
    model: Path,
    out: Path,
    settings: SegmentSettings = DEFAULTS,
    decisions: Decisions = NO_DECISIONS,
    scheduler: Scheduler = Scheduler(),  # noqa: B008 - frozen
    report: Reporter = silent,
    cancel: Cancel | None = None,
    *,
    started: Started = lambda *_: None,
    finished: Finished = lambda *_: None,
    after: After | None = None,
) -> list[SegmentResult | Failure]:
    """Segment `items` into `out` with the model at the path `model`, in the order of items."""
    del scheduler, after
    loaded = load_model(model)
    return segment_items(
        items, loaded, out, settings, decisions, report, cancel, started=started, finished=finished
    )
