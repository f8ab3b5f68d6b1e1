"""The integrity check before a training: run by a worker, its findings, the decisions. No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from monet_app.train.setup import Setup
from monet_app.words import count, in_words, listed
from monet_core.errors import Verdict
from monet_core.jobs import Cancel, CancelledError, Event, Progress
from monet_core.jobs.asking import ask
from monet_core.worker.requests import CheckRequest

if TYPE_CHECKING:
    from monet_app.session import Session

CHOICES = {
    "background": ("Read as background", "Those voxels count as no region"),
    "refuse": ("Leave these scans out", "They are not trained on"),
    "absent": ("Absent in these people", "The model learns that the region can be missing"),
    "unannotated": ("Not annotated there", "The model is not told anything about them there"),
    "sform": ("Believe the sform", "One of the two orientations in the file's header"),
    "qform": ("Believe the qform", "One of the two orientations in the file's header"),
}
_ORDER = {verdict.value: place for place, verdict in
          enumerate((Verdict.ASK, Verdict.REFUSED, Verdict.WARNING, Verdict.FIXED))}  # fmt: skip
WORDS = {"ask": "Decide", "refused": "Left out", "warning": "Look at", "fixed": "Mended"}


@dataclass(frozen=True)
class FindingLine:
    """Equal findings of one or more scans; `choices` where the user decides by `option`."""

    verdict: str
    text: str
    scans: tuple[str, ...]
    option: str = ""
    choices: tuple[str, ...] = ()

    @property
    def who(self) -> str:
        """The scans it is about; "" for the whole data set."""
        return listed([name for name in self.scans if name])


@dataclass(frozen=True)
class CheckResult:
    """What the worker answered: `ok` where training may begin."""

    ok: bool
    summary: str
    lines: tuple[FindingLine, ...]

    @property
    def questions(self) -> tuple[FindingLine, ...]:
        """What only the user can decide."""
        return tuple(line for line in self.lines if line.verdict == Verdict.ASK.value)


class Checking:
    """The check of one setup; `changed` when it began, went on or ended."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        self.session = session
        self.running = False
        self.result: CheckResult | None = None
        self.error: Exception | None = None
        self.doing = ""
        self._cancel: Cancel | None = None
        self._checked: object = None

    def is_of(self, setup: Setup) -> bool:
        """Whether the result is of these data and decisions."""
        return self.result is not None and self._checked == _subject(setup)

    def start(self, setup: Setup, data: Path, done: Any = None) -> None:
        """Check; then `done(result)`."""
        self.cancel()
        cancel = self._cancel = Cancel()
        self.running, self.result, self.error, self.doing = True, None, None, "starting…"
        self._checked = _subject(setup)
        self.changed.emit()

        def finished(answer: dict[str, Any]) -> None:
            if cancel is self._cancel:
                self._ended(result=result_of(answer))
                if done is not None:
                    done(self.result)

        def failed(error: Exception) -> None:
            if cancel is self._cancel:
                self._ended(error=None if isinstance(error, CancelledError) else error)

        request = check_request(setup, data).model_dump(mode="json")
        self.session.run(ask, "check", request, self._hear, cancel, done=finished, failed=failed)

    def cancel(self) -> None:
        """Give up a running check."""
        if self._cancel is not None and self.running:
            self._cancel.set()
            self._cancel = None
            self._ended()

    def forget(self) -> None:
        """The data are others now: no result."""
        self.cancel()
        self.result, self.error = None, None
        self.changed.emit()

    def _ended(self, result: CheckResult | None = None, error: Exception | None = None) -> None:
        self.running, self.result, self.error, self.doing = False, result, error, ""
        self.changed.emit()

    def _hear(self, event: Event) -> None:
        """On a background thread: the panel's timer looks at `doing`."""
        if isinstance(event, Progress) and event.total:
            self.doing = f"{event.done} of {event.total} scans {event.text}".strip()

    @property
    def problem(self) -> str:
        """What went wrong with the check itself, in words."""
        return "" if self.error is None else in_words(self.error)


def check_request(setup: Setup, data: Path) -> CheckRequest:
    """What the worker is asked."""
    return CheckRequest(
        data=data,
        protocol=setup.protocol,
        labels=setup.labels if setup.source == "folder" else None,
        decisions=setup.decisions,
        unknown=setup.unknown,
        missing=setup.missing,
    )


def result_of(answer: dict[str, Any]) -> CheckResult:
    """The worker's answer in lines, the gravest first; equal findings share a line."""
    lines = tuple(_lines(answer.get("findings", ())))
    return CheckResult(bool(answer.get("ok")), _summary(answer, lines), lines)


def _summary(answer: dict[str, Any], lines: tuple[FindingLine, ...]) -> str:
    subjects = answer.get("subjects", {}).values()
    parts = []
    for split, words in (("train", "to train on"), ("validation", "to validate with")):
        mine = [each for each in subjects if (each.get("split") or "train") == split]
        usable = sum(bool(each.get("usable")) for each in mine)
        if mine:
            parts.append(f"{usable} of {count(len(mine), 'scan')} {words}")
    found = count(len(lines), "finding") if lines else "nothing found amiss"
    return f"Usable: {', '.join(parts) or 'no scan'}; {found}."


def _lines(findings: Iterable[dict[str, Any]]) -> list[FindingLine]:
    grouped: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
    for each in findings:
        key = tuple(str(each.get(name, "")) for name in ("verdict", "code", "message", "remedy"))
        grouped.setdefault(key, []).append(each)  # type: ignore[arg-type]
    lines = []
    for (verdict, _, message, remedy), alike in grouped.items():
        asked = verdict == Verdict.ASK.value
        text = message.rstrip(".") + "." + ("" if asked or not remedy else f" {remedy}")
        names = tuple(dict.fromkeys(str(each.get("subject", "")) for each in alike))
        option = str(alike[0].get("option", ""))
        choices = tuple(map(str, alike[0].get("choices", ())))
        lines.append(FindingLine(verdict, text, names, option, choices))
    return sorted(lines, key=lambda line: _ORDER.get(line.verdict, len(_ORDER)))


def _subject(setup: Setup) -> object:
    return (setup.source, setup.folder, setup.labels, setup.protocol, setup.decisions,
            setup.unknown, setup.missing)  # fmt: skip
