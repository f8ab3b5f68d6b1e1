"""What the integrity check found, scan by scan, and what may be trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from monet_core.datasets.dataset import Dataset, Split, Subject
from monet_core.errors import DatasetError, DecisionNeeded, MonetError, Note, Verdict
from monet_core.files import write_text

_ORDER = (Verdict.REFUSED, Verdict.ASK, Verdict.WARNING, Verdict.FIXED)
_MOST_NAMED = 5


@dataclass(frozen=True)
class Finding:
    """One verdict about one subject, or about the dataset where `subject` is "".

    `message` says what was found (and done), `remedy` what the user can do. `region` is the
    protocol's index where one region is meant. `option` and `choices` say how to decide what is
    asked (verdict ASK).
    """

    verdict: Verdict
    code: str
    subject: str
    message: str
    remedy: str = ""
    region: int | None = None
    file: str = ""
    option: str = ""
    choices: tuple[str, ...] = ()

    @classmethod
    def of_error(cls, error: MonetError, subject: str) -> Finding:
        """The finding that an error of reading one scan stands for."""
        return cls(
            error.verdict,
            error.code,
            subject,
            error.problem,
            error.remedy,
            file=error.file,
            option=getattr(error, "option", ""),
            choices=getattr(error, "choices", ()),
        )

    @classmethod
    def of_note(cls, note: Note, subject: str) -> Finding:
        """The finding that a note of the input gate stands for."""
        return cls(note.verdict, note.code, subject, note.message, file=note.file)

    @property
    def text(self) -> str:
        """Message and remedy as sentences, without subject and file."""
        return f"{self.message.rstrip('.')}. {self.remedy}".strip()

    def __str__(self) -> str:
        return f"{self.verdict.value}: {self.where}{self.text}"

    @property
    def where(self) -> str:
        """Subject and file name for a line, e.g. "sub-01 (sub-01_dseg.nii.gz): "."""
        if not self.subject:
            return ""
        file = f" ({Path(self.file).name})" if self.file else ""
        return f"{self.subject}{file}: "

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready form; the file by its name only (paths stay private)."""
        values = {**asdict(self), "verdict": self.verdict.value, "file": Path(self.file).name}
        return {**values, "choices": list(self.choices)}


@dataclass(frozen=True)
class CheckReport:
    """The integrity report of a dataset for one protocol.

    `left_out` names the subjects not to train on; `excluded_regions` maps a subject's name to the
    indices that count as not annotated in it.
    """

    dataset: Dataset
    protocol: str
    findings: tuple[Finding, ...] = ()
    left_out: frozenset[str] = frozenset()
    excluded_regions: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def usable(self, split: Split) -> list[Subject]:
        """The subjects of `split` that can be used; those of no stated split are for training."""
        return [s for s in self.dataset.of(split) if s.name not in self.left_out]

    @property
    def ok(self) -> bool:
        """Whether training may begin: nothing left to decide, and a scan to train on."""
        return self._blocking() is None

    def raise_if_blocking(self) -> None:
        """Raise the first DecisionNeeded, or DatasetError where no training scan is usable."""
        error = self._blocking()
        if error is not None:
            raise error

    def text(self) -> str:
        """Readable lines, the gravest first; equal findings of several scans share a line."""
        grouped: dict[tuple[int, str, str], list[Finding]] = {}
        for finding in self.findings:
            key = (_ORDER.index(finding.verdict), finding.code, finding.text)
            grouped.setdefault(key, []).append(finding)
        lines = [_line(grouped[key]) for key in sorted(grouped)]
        return "\n".join([*lines, self.summary()])

    def summary(self) -> str:
        """One line: how many scans are usable for what, and how many findings of each kind."""
        splits: tuple[Split, ...] = ("train", "validation", "test")
        usable = ", ".join(
            f"{len(self.usable(s))} of {len(self.dataset.of(s))} {s}" for s in splits
        )
        counts = Counter(finding.verdict for finding in self.findings)
        kinds = ", ".join(f"{counts[v]} {v.value}" for v in _ORDER if counts[v])
        return f"Usable: {usable} scans. Findings: {kinds or 'none'}."

    def to_tsv(self, path: Path) -> None:
        """Write the findings as a UTF-8 TSV, atomically. Raises OutputError."""
        columns = ("verdict", "code", "subject", "region", "file", "message", "remedy")
        lines = ["\t".join(columns)]
        for finding in self.findings:
            values = finding.as_dict()
            lines.append("\t".join(_cell(values[column]) for column in columns))
        write_text(path, "\n".join(lines) + "\n")

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready form for run records; scans by name, without their paths."""
        return {
            "protocol": self.protocol,
            "subjects": {
                s.name: {"split": s.split, "usable": s.name not in self.left_out}
                for s in self.dataset.subjects
            },
            "excluded_regions": {k: list(v) for k, v in self.excluded_regions.items()},
            "findings": [finding.as_dict() for finding in self.findings],
        }

    def _blocking(self) -> MonetError | None:
        asked = [finding for finding in self.findings if finding.verdict is Verdict.ASK]
        if asked:
            return _question(asked)
        if not self.usable("train"):
            return self._nothing_to_train_on()
        return None

    def _nothing_to_train_on(self) -> DatasetError:
        refused = [f for f in self.findings if f.subject in self.left_out]
        first = f"; {refused[0].where}{refused[0].message}" if refused else ""
        return DatasetError(
            "no-training-scans",
            f"none of the {len(self.dataset.of('train'))} training scans can be used{first}",
            remedy="Mend the scans that the check names, or check the paths and the protocol.",
            file=self.dataset.root,
        )


def _question(asked: list[Finding]) -> DecisionNeeded:
    first = asked[0]
    alike = len({f.subject for f in asked if f.code == first.code} - {first.subject})
    more = f" ({alike} more scan{'s' * (alike > 1)} alike)" if alike else ""
    return DecisionNeeded(
        first.code,
        f"{first.message.rstrip('.')}{more}",
        option=first.option,
        choices=first.choices,
        remedy=first.remedy,
        file=first.file or None,
    )


def _line(alike: list[Finding]) -> str:
    names = list(dict.fromkeys(finding.subject for finding in alike))
    if len(names) == 1:
        return str(alike[0])
    listed = ", ".join(names[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")
    return f"{alike[0].verdict.value}: {alike[0].text} ({len(names)} scans: {listed})"


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return " ".join(text.split()) or "n/a"
