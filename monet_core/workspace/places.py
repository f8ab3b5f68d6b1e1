"""Paths as a study keeps them: relative inside its folder, so that it can be moved."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

Stored = str | bytes
"""Text; bytes where a file name is no UTF-8, which SQLite's text cannot hold."""


class Places:
    """Turns paths into what is stored for the study in `folder`, and back."""

    def __init__(self, folder: Path) -> None:
        self.folder = absolute(folder)
        self._real = Path(os.path.realpath(folder))
        self._prefix = str(self.folder) + os.sep

    def store(self, path: Path) -> Stored:
        """`path`, relative with slashes where it lies in the study, else absolute."""
        path = absolute(path)
        text = str(path)
        for root in (self.folder, self._real):
            if path.is_relative_to(root):
                text = path.relative_to(root).as_posix()
                break
        try:
            text.encode()
        except UnicodeEncodeError:
            return os.fsencode(text)
        return text

    def path(self, stored: Stored) -> Path:
        """The absolute path of what `store` gave."""
        text = os.fsdecode(stored)
        return Path(text if text.startswith("/") else os.path.join(self._prefix, text))  # noqa: PTH118 - ten thousand at a time

    def store_protocol(self, protocol: str) -> str:
        """A protocol's name as it is; the path of a label table like any path."""
        if not is_table(protocol):
            return protocol
        stored = self.store(Path(protocol))
        return stored if isinstance(stored, str) else os.fsdecode(stored)

    def protocol(self, stored: str) -> str:
        """What `store_protocol` was given, its path absolute."""
        return str(self.path(stored)) if is_table(stored) else stored


def absolute(path: Path) -> Path:
    """`path` without "." and "..", links left as they are: users know their files by those."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def is_table(protocol: str) -> bool:
    """Whether a protocol is named by a file rather than by a shipped name."""
    return bool(PurePosixPath(protocol).suffix) or "/" in protocol or os.sep in protocol


def readable(text: str) -> str:
    """`text` with bytes that are no UTF-8 spelled out, fit for tables and screens."""
    return text.encode("utf-8", "backslashreplace").decode()
