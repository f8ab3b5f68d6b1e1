"""Long work: typed events, control, run folders; `jobs.process` runs it in its own process."""

from monet_core.jobs.control import Control
from monet_core.jobs.events import (
    Cancel,
    Cancelled,
    CancelledError,
    Done,
    Event,
    Failed,
    Message,
    Metrics,
    Paused,
    Phase,
    Progress,
    Reporter,
    Result,
    event_line,
    parse_event,
    silent,
)
from monet_core.jobs.folder import EVENTS, JsonlReporter, locked, log_to, versions

__all__ = [
    "EVENTS",
    "Cancel",
    "Cancelled",
    "CancelledError",
    "Control",
    "Done",
    "Event",
    "Failed",
    "JsonlReporter",
    "Message",
    "Metrics",
    "Paused",
    "Phase",
    "Progress",
    "Reporter",
    "Result",
    "event_line",
    "locked",
    "log_to",
    "parse_event",
    "silent",
    "versions",
]
