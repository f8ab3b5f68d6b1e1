"""Who must agree before what is on the stage goes away: unsaved painting, for one. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Guard(Protocol):
    """Somebody who has something to lose."""

    def may_leave(self, go_on: Callable[[], None]) -> bool:
        """True: go on at once. False: `go_on` is called later, when the user has agreed."""

    def holds(self, key: str) -> bool:
        """Whether the segmentation `key` on the stage has changes that its file has not."""

    def end(self) -> None:
        """The program ends: keep what there is, without asking."""


class Leaving:
    """The guards of a session, asked one after the other."""

    def __init__(self) -> None:
        self._guards: list[Guard] = []

    def add(self, guard: Guard) -> None:
        """Ask this one too."""
        self._guards.append(guard)

    def may(self, go_on: Callable[[], None]) -> bool:
        """Whether all agree now; who does not calls `go_on` when it does."""
        return all(guard.may_leave(go_on) for guard in self._guards)

    def holds(self, key: str) -> bool:
        """Whether somebody would lose something if `key` left the stage or were read anew."""
        return any(guard.holds(key) for guard in self._guards)

    def end(self) -> None:
        """Tell all that the program ends."""
        for guard in self._guards:
            guard.end()
