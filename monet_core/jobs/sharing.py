"""Work that several processes may share, item by item."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

S = TypeVar("S")
T = TypeVar("T")


class Each(Protocol):
    """Applies `work` to every item and returns all results, in the items' order."""

    def __call__(self, work: Callable[[S], T], items: Sequence[S]) -> list[T]:
        """The results; what `work` raises on any process is raised on all."""


def one_by_one(work: Callable[[S], T], items: Sequence[S]) -> list[T]:
    """All of it in this process."""
    return [work(item) for item in items]


def is_helper() -> bool:
    """Whether this is one of the further processes of a training on several devices.

    The first one alone speaks to the user and writes. Torchrun tells the number among all machines'
    processes, Fabric's own start that on this machine.
    """
    number = "RANK" if "TORCHELASTIC_RUN_ID" in os.environ else "LOCAL_RANK"
    return int(os.environ.get(number, "0")) > 0
