"""What went wrong, in words a user can act on: verdicts, notes and errors.

Every verdict of the input gate is one of four (see `Verdict`). What was fixed or warned about
travels as a `Note` with the object it concerns into the run record; what was refused, or needs a
decision, is raised as a `MonetError`. The same text is shown in the terminal and in the app.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

LONGEST_SHOWN = 400


class Verdict(StrEnum):
    """What was done about an input that is not as expected."""

    FIXED = "fixed"
    WARNING = "warning"
    ASK = "ask"
    REFUSED = "refused"


@dataclass(frozen=True)
class Note:
    """One verdict that does not stop the work.

    `code` is a short stable slug (`"gzip-by-content"`), `message` one readable sentence that
    says what was found and what was done, `file` the file's path or "".
    """

    verdict: Verdict
    code: str
    message: str
    file: str = ""

    def __str__(self) -> str:
        return f"{_where(self.file)}{self.message}"

    def as_dict(self) -> dict[str, str]:
        """A JSON-ready form for run records; the file by its name only (paths stay private)."""
        return {**asdict(self), "verdict": self.verdict.value, "file": Path(self.file).name}


def _where(file: str) -> str:
    """The start of a message; a path too long to read by its beginning only."""
    shown = file if len(file) <= LONGEST_SHOWN else f"{file[:LONGEST_SHOWN]}..."
    return f"{shown}: " if file else ""


class MonetError(Exception):
    """Something the user can mend. Its text names the file, the problem and the remedy."""

    verdict = Verdict.REFUSED

    def __init__(
        self, code: str, problem: str, *, remedy: str = "", file: Path | str | None = None
    ) -> None:
        self.code = code
        self.problem = problem
        self.remedy = remedy
        self.file = str(file) if file is not None else ""
        super().__init__(f"{_where(self.file)}{problem.rstrip('.')}. {remedy}".strip())

    def note(self) -> Note:
        """The same verdict as a note, for reports over many scans."""
        text = f"{self.problem.rstrip('.')}. {self.remedy}".strip()
        return Note(self.verdict, self.code, text, self.file)

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready form that `from_dict` reads; the file with its path (for this machine)."""
        return {
            "verdict": self.verdict.value,
            "code": self.code,
            "problem": self.problem,
            "remedy": self.remedy,
            "file": self.file,
        }

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> MonetError:
        """The error of another process: a DecisionNeeded where it asked, else a MonetError."""
        code, problem = str(values.get("code", "")), str(values.get("problem", ""))
        remedy, file = str(values.get("remedy", "")), str(values.get("file", "")) or None
        if "option" not in values:
            return MonetError(code, problem, remedy=remedy, file=file)
        choices = tuple(str(choice) for choice in values.get("choices", ()))
        option = str(values["option"])
        return DecisionNeeded(
            code, problem, option=option, choices=choices, remedy=remedy, file=file
        )

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.__dict__, self.args))


def _rebuild(kind: type[MonetError], state: dict[str, object], args: tuple[object, ...]) -> object:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ScanError(MonetError):
    """A scan or label file that cannot be used."""


class ProtocolError(MonetError):
    """A label table, or labels that do not fit one."""


class ModelError(MonetError):
    """A model that cannot be loaded or does not fit."""


class DatasetError(MonetError):
    """A folder or table of scans that cannot be trained on."""


class TrainingError(MonetError):
    """A training that cannot start or go on."""


class OutputError(MonetError):
    """A place that cannot be written to."""


class NotEnoughMemoryError(MonetError):
    """Work that does not fit the memory that is free."""


class DecisionNeeded(MonetError):  # noqa: N818 - not an error of the input: a question to the user
    """Only the user can decide. `option` is the command-line option that carries the answer.

    `choices` are the values it may take; the app shows them as buttons.
    """

    verdict = Verdict.ASK

    def __init__(
        self,
        code: str,
        problem: str,
        *,
        option: str,
        choices: tuple[str, ...] = (),
        remedy: str = "",
        file: Path | str | None = None,
    ) -> None:
        values = f" ({' or '.join(choices)})" if choices else ""
        super().__init__(code, problem, remedy=remedy or f"Decide with {option}{values}", file=file)
        self.option = option
        self.choices = choices

    def as_dict(self) -> dict[str, Any]:
        """As of every MonetError, with what carries the answer."""
        return {**super().as_dict(), "option": self.option, "choices": list(self.choices)}
