"""Names of scans: unique in a study, as short as tells them apart."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

DEEPEST = 6


class Namer:
    """Gives names. `taken` are those of the study.

    Letter case does not tell names apart, since results of "A" and "a" would be one file on many
    disks.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {name.casefold() for name in taken}
        self._depths: dict[str, int] = {}

    def prepare(self, scans: Iterable[tuple[str, Path]]) -> None:
        """Look at all that will be named, so that none of several equals keeps the short name."""
        groups: dict[str, set[Path]] = {}
        for stem, path in scans:
            groups.setdefault(stem.casefold(), set()).add(path)
        for stem, paths in groups.items():
            depths = range(DEEPEST if len(paths) > 1 else 0)
            self._depths[stem] = next(
                (d for d in depths if len({_named(stem, p, d) for p in paths}) == len(paths)), 0
            )

    def name(self, stem: str, path: Path) -> str:
        """`stem`, with as many folder names in front as make it new, else with a number."""
        least = self._depths.get(stem.casefold(), 0)
        for depth in range(least, DEEPEST):
            if self._take(_named(stem, path, depth)):
                return _named(stem, path, depth)
        number = 2
        while not self._take(f"{stem}_{number}"):
            number += 1
        return f"{stem}_{number}"

    def _take(self, name: str) -> bool:
        if name.casefold() in self._taken:
            return False
        self._taken.add(name.casefold())
        return True


def _named(stem: str, path: Path, depth: int) -> str:
    folders = path.parent.parts[1:]
    return "_".join([*folders[max(0, len(folders) - depth) :], stem])
