"""Long work: typed events, cancellation, run folders."""

from monet_core.jobs.events import (
    Cancel,
    CancelledError,
    Done,
    Event,
    Failed,
    Message,
    Metrics,
    Phase,
    Progress,
    Reporter,
    silent,
)
from monet_core.jobs.folder import EVENTS, JsonlReporter, locked, log_to, versions

__all__ = [
    "EVENTS",
    "Cancel",
    "CancelledError",
    "Done",
    "Event",
    "Failed",
    "JsonlReporter",
    "Message",
    "Metrics",
    "Phase",
    "Progress",
    "Reporter",
    "locked",
    "log_to",
    "silent",
    "versions",
]
