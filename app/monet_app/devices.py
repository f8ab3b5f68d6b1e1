"""What can be computed with, as the worker found it; asked once, without torch in the window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from monet_app.words import gigabytes
from monet_core.jobs.asking import ask

if TYPE_CHECKING:
    from monet_app.session import Session

AUTO = "auto"


@dataclass(frozen=True)
class Device:
    """One choice: `name` as settings call it, `text` as users read it, `help` why not or what."""

    name: str
    text: str
    help: str = ""
    usable: bool = True


UNKNOWN = (Device(AUTO, "Automatic", "The GPU where there is one, else the processor"),
           Device("cpu", "Processor (CPU)"))  # fmt: skip
"""Before the worker has answered."""


class Devices:
    """The devices of this computer; `changed` is emitted when they are known."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        self.session = session
        self.list: tuple[Device, ...] = UNKNOWN
        self.known = False

    def look(self) -> None:
        """Ask the worker (again); free memory changes."""
        self.session.run(ask, "devices", {}, done=self._found, failed=lambda _: None, key="devices")

    def chosen(self, name: str) -> Device:
        """The device of that name; the first, automatic one where it is not there any more."""
        return next((each for each in self.list if each.name == name), self.list[0])

    def _found(self, answer: dict[str, Any]) -> None:
        found = tuple(map(device_of, answer.get("devices", ())))
        best = next((each for each in found if each.usable and each.name != "cpu"), None)
        text = f"Automatic: {best.text}" if best else "Automatic: processor (CPU)"
        self.list = (Device(AUTO, text, UNKNOWN[0].help), *found)
        self.known = True
        self.changed.emit()


def device_of(values: dict[str, Any]) -> Device:
    """A row of the worker's answer as a choice."""
    name, title = str(values.get("name", "")), str(values.get("title", ""))
    free, usable = values.get("free_bytes"), bool(values.get("usable", True))
    title = "Processor (CPU)" if name == "cpu" else title or name
    memory = f", {gigabytes(free)} free" if isinstance(free, int | float) else ""
    reason = str(values.get("reason", ""))
    return Device(name, f"{title}{memory}" if usable else f"{title} (not usable)", reason, usable)
