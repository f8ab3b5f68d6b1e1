"""How long work reads in the dock: one line a job. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from monet_core.jobs.process import Job, JobState

_WORDS = {
    JobState.QUEUED: "waiting",
    JobState.PREPARING: "starting",
    JobState.RUNNING: "running",
    JobState.PAUSED: "paused",
    JobState.CANCELLING: "cancelling…",
    JobState.DONE: "done",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
    JobState.INTERRUPTED: "interrupted",
}
ACTIVE = {
    JobState.QUEUED,
    JobState.PREPARING,
    JobState.RUNNING,
    JobState.PAUSED,
    JobState.CANCELLING,
}


@dataclass(frozen=True)
class JobLine:
    """What the dock shows of a job: `share` 0 to 1, or None where it is not known."""

    title: str
    state: str
    doing: str
    remaining: str
    share: float | None
    error: str
    can_cancel: bool
    can_pause: bool
    can_go_on: bool
    can_forget: bool


def line_of(job: Job) -> JobLine:
    """A job in words."""
    progress = job.progress
    known = progress is not None and progress.total > 0
    running = job.state in ACTIVE
    share = progress.done / progress.total if progress is not None and known else None
    text = f" · {progress.text}" if progress is not None and progress.text else ""
    return JobLine(
        title=job.title,
        state=_WORDS[job.state],
        doing=f"{job.phase}{text}" if running else "",
        remaining=_remaining(progress.remaining_s if progress and running else None),
        share=1.0 if job.state is JobState.DONE else share,
        error=job.error,
        can_cancel=running and job.state is not JobState.CANCELLING,
        can_pause=job.state is JobState.RUNNING,
        can_go_on=job.state in (JobState.PAUSED, JobState.INTERRUPTED, JobState.FAILED,
                                JobState.CANCELLED),
        can_forget=not running,
    )  # fmt: skip


def _remaining(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"about {hours} h {minutes:02d} min left"
    return f"about {minutes} min {rest:02d} s left" if minutes else f"about {rest} s left"
