"""The integrity report of training data, as a job."""

from __future__ import annotations

from typing import Any

from monet_core.datasets import check_dataset, find_dataset
from monet_core.jobs.control import Control
from monet_core.jobs.events import Phase, Reporter
from monet_core.protocols import load_protocol
from monet_core.worker.requests import CheckRequest


def check(request: CheckRequest, report: Reporter, control: Control) -> dict[str, Any]:
    """Check the data; see `CheckRequest`."""
    report(Phase("Checking data"))
    found = check_dataset(
        find_dataset(request.data, request.protocol, request.labels),
        load_protocol(request.protocol),
        unknown=request.unknown,
        missing=request.missing,
        decisions=request.decisions,
        report=report,
        cancel=control,
    )
    if request.out is not None:
        found.to_tsv(request.out)
    return {**found.as_dict(), "ok": found.ok, "summary": found.summary(), "text": found.text()}
