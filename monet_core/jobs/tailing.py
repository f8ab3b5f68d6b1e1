"""Following a file of events that another process writes."""

from __future__ import annotations

from pathlib import Path

from monet_core.jobs.events import Event, Progress, parse_event


class Tail:
    """Reads what was appended to `path` since the last time; a line still being written waits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> list[Event]:
        """New events, oldest first; nothing where the file is not there (yet)."""
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                text = stream.read()
        except OSError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        lines = whole.decode("utf-8", errors="replace").splitlines()
        return [event for event in map(parse_event, lines) if event is not None]


def without_outdated(events: list[Event]) -> list[Event]:
    """`events` with only the last of each row of Progress: the others are past already."""
    following: list[Event | None] = [*events[1:], None]
    return [
        event
        for event, after in zip(events, following, strict=False)
        if not (isinstance(event, Progress) and isinstance(after, Progress))
    ]
