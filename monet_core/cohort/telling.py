"""What is said while a cohort is segmented: how far it is, and how long the rest will take."""

from __future__ import annotations

import time
from dataclasses import replace

from monet_core.datasets.collecting import Failure
from monet_core.jobs.events import Event, Message, Phase, Progress, Reporter
from monet_core.segmenting.many import Item
from monet_core.segmenting.single import SegmentResult


class Pace:
    """Counts scans that are done, `at_once` of `total` being in work together."""

    def __init__(self, total: int, at_once: int = 1) -> None:
        self._total, self._at_once = total, at_once
        self.done = self._failed = 0
        self._began = time.monotonic()

    def step(self, outcome: SegmentResult | Failure) -> Progress:
        """One more is done."""
        self.done += 1
        self._failed += isinstance(outcome, Failure)
        scans = f"{self.done} of {self._total} scans"
        text = f"{scans}, {self._failed} failed" if self._failed else scans
        return Progress(self.done, self._total, self.remaining_s(), text)

    def remaining_s(self) -> float | None:
        """Seconds for those that are left; None before each worker has ended one."""
        if self.done < min(self._at_once, self._total):
            return None
        return (time.monotonic() - self._began) / self.done * (self._total - self.done)


class PerScan:
    """A reporter for scans one after another: says which, and what time all of them will take."""

    def __init__(self, report: Reporter, total: int) -> None:
        self._report, self._total, self._pace = report, total, Pace(total)
        self._title = ""

    def begin(self, item: Item) -> None:
        """What follows is about `item`."""
        self._title = f"Scan {self._pace.done + 1} of {self._total}, {item.stem}"

    def end(self, outcome: SegmentResult | Failure) -> None:
        """The scan is done."""
        self._pace.step(outcome)

    def __call__(self, event: Event) -> None:
        """Pass `event` on."""
        if isinstance(event, Phase) and self._total > 1:
            event = replace(event, name=f"{self._title}: {event.name}")
        elif isinstance(event, Progress) and self._pace.done:
            event = replace(event, remaining_s=self._pace.remaining_s())
        self._report(event)


def tell_warnings(result: SegmentResult, report: Reporter) -> None:
    """Say what to look at in a result that came from elsewhere."""
    for note in result.warnings:
        report(Message(str(note), "warning"))
