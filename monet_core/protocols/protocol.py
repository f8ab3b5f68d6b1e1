"""`Protocol`: the regions of an atlas, and the one place that converts indices and classes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from monet_core.errors import DecisionNeeded, Note, ProtocolError
from monet_core.protocols.lookup import Lookup
from monet_core.protocols.region import Region, check_regions

Unknown = Literal["ask", "background", "refuse"]
UNKNOWN_OPTION = "--unknown-labels"
Links = Mapping[str, Mapping[int, tuple[int, ...]]]


@dataclass(frozen=True)
class Protocol:
    """Names, colours, sides and hierarchy of an atlas; regions are kept sorted by index.

    Class k (1..N) of a network is the k-th region by index, class 0 is background. `extra` are
    further values of the same numbering that mean background. `subsets` are named selections.
    `links` says for another protocol's name which of its indices a region corresponds to
    (several mean their union); `relations` in words how good a link is, "same" or a restriction.
    `file` is the user's label table that it was read from, None for others.
    Raises ProtocolError where regions contradict each other.
    """

    name: str
    regions: tuple[Region, ...]
    extra: frozenset[int] = frozenset()
    subsets: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    links: Links = field(default_factory=dict, hash=False)
    relations: Mapping[str, Mapping[int, str]] = field(default_factory=dict, hash=False)
    notes: tuple[Note, ...] = field(default=(), compare=False)
    file: Path | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "regions", tuple(sorted(self.regions, key=lambda r: r.index)))
        check_regions(self.regions, self.name)
        known = set(self.indices)
        for what, values in {"extra": self.extra, **self.subsets}.items():
            if what == "extra" and known & set(values):
                raise ProtocolError(
                    "extra-is-region", "an extra value is a region too", file=self.name
                )
            if what != "extra" and not known >= set(values):
                problem = f"the subset {what} names indices that are no regions"
                raise ProtocolError("bad-subset", problem, file=self.name)

    @cached_property
    def indices(self) -> tuple[int, ...]:
        """The regions' indices, ascending; without background."""
        return tuple(region.index for region in self.regions)

    @property
    def n_classes(self) -> int:
        """Number of network classes, background included."""
        return len(self.regions) + 1

    @property
    def class_dtype(self) -> type[np.uint8] | type[np.uint16]:
        """The smallest type that holds every class."""
        return np.uint8 if self.n_classes <= 256 else np.uint16

    @cached_property
    def by_name(self) -> dict[str, Region]:
        """Regions by name."""
        return {region.name: region for region in self.regions}

    @cached_property
    def _by_index(self) -> dict[int, Region]:
        return {region.index: region for region in self.regions}

    def region(self, index: int) -> Region:
        """The region of an index; ProtocolError where there is none."""
        if index not in self._by_index:
            raise ProtocolError("no-such-region", f"there is no region {index}", file=self.name)
        return self._by_index[index]

    @cached_property
    def _lookup(self) -> Lookup:
        codes = {0: 0} | dict.fromkeys(self.extra, 0)
        return Lookup(codes | {index: k + 1 for k, index in enumerate(self.indices)})

    def encode(
        self,
        labels: NDArray[Any],
        unknown: Unknown = "ask",
        *,
        file: Path | str | None = None,
    ) -> NDArray[Any]:
        """Classes (same shape, `class_dtype`) of an array of whole-numbered indices.

        Values that are neither regions, 0 nor `extra` become background with
        `unknown="background"`; "refuse" raises ProtocolError and "ask" DecisionNeeded, both
        naming them. `file` is for the message.
        """
        classes, strange = self._lookup(labels, self.class_dtype)
        if strange and unknown != "background":
            raise self._unknown_error(strange, unknown, file)
        return classes

    def unknown_values(self, labels: NDArray[Any]) -> dict[int, int]:
        """Voxel counts of the values that `encode` does not know, ascending by value."""
        return self._lookup(labels, self.class_dtype)[1]

    def _unknown_error(
        self, strange: dict[int, int], unknown: Unknown, file: Path | str | None
    ) -> ProtocolError | DecisionNeeded:
        problem = f"{describe_values(strange)} not in the protocol {self.name}"
        if unknown == "ask":
            remedy = (
                f"Choose another protocol, or decide with {UNKNOWN_OPTION}: "
                "background (take them as background) or refuse"
            )
            choices = ("background", "refuse")
            return DecisionNeeded(
                "unknown-labels",
                problem,
                option=UNKNOWN_OPTION,
                choices=choices,
                remedy=remedy,
                file=file,
            )
        remedy = f"Choose the protocol of these labels, or allow {UNKNOWN_OPTION} background."
        return ProtocolError("unknown-labels", problem, remedy=remedy, file=file)

    @cached_property
    def _index_of_class(self) -> NDArray[np.int32]:
        return np.array((0, *self.indices), np.int32)

    def decode(self, classes: NDArray[Any]) -> NDArray[np.int32]:
        """The protocol's indices (int32, same shape) of an array of classes.

        Raises ProtocolError where a class is not 0..n_classes-1.
        """
        classes = np.asarray(classes)
        if classes.size and (classes.max() >= self.n_classes or classes.min() < 0):
            problem = f"classes must be 0 to {self.n_classes - 1}"
            raise ProtocolError("bad-class", problem, file=self.name)
        return self._index_of_class[classes]

    def swap_classes(self) -> NDArray[np.intp]:
        """Class permutation (n_classes,) that a left-right mirror of the image needs."""
        class_of = {index: k + 1 for k, index in enumerate(self.indices)}
        partners = [region.pair or region.index for region in self.regions]
        return np.array([0, *(class_of[index] for index in partners)], np.intp)

    def subset(self, name: str) -> tuple[int, ...]:
        """Indices of a named subset ("all" and the protocol's own name mean every region).

        Also takes indices, separated by commas. Raises ProtocolError listing what exists.
        """
        name = name.strip()
        if name in ("all", self.name):
            return self.indices
        if name in self.subsets:
            return self.subsets[name]
        parts = [part.strip() for part in name.split(",")]
        if all(part.isascii() and part.isdigit() for part in parts):
            return tuple(dict.fromkeys(self.region(int(part)).index for part in parts))
        remedy = f"Use one of {', '.join(['all', *self.subsets])}, or indices such as 47,48."
        problem = f"there is no set of regions {name!r}"
        raise ProtocolError("no-such-subset", problem, remedy=remedy, file=self.name)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over indices, names, sides and pairs: what a network's classes mean."""
        rows = [[r.index, r.name, r.hemisphere, r.pair] for r in self.regions]
        text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready form, for model manifests; `from_dict` reads it."""
        from monet_core.protocols.manifest import to_manifest

        return to_manifest(self)

    @classmethod
    def from_dict(cls, data: object) -> Protocol:
        """A protocol from `as_dict`'s form; nothing in `data` is trusted (ProtocolError)."""
        from monet_core.protocols.manifest import from_manifest

        return from_manifest(data)

    def to_tsv(self, path: Path) -> None:
        """Write a BIDS `dseg` table that `load_protocol` reads; `extra` values have no row."""
        from monet_core.protocols.writing import write_tsv

        write_tsv(self, path)

    def to_freesurfer_lut(self, path: Path) -> None:
        """Write a FreeSurfer colour table (No., Label Name, R, G, B, A)."""
        from monet_core.protocols.writing import write_freesurfer_lut

        write_freesurfer_lut(self, path)

    def to_itksnap(self, path: Path) -> None:
        """Write an ITK-SNAP label description file (IDX R G B A VIS MSH "LABEL")."""
        from monet_core.protocols.writing import write_itksnap

        write_itksnap(self, path)

    def to_slicer(self, path: Path) -> None:
        """Write a 3D Slicer colour table (.ctbl: index, name, R, G, B, A)."""
        from monet_core.protocols.writing import write_slicer

        write_slicer(self, path)


def describe_values(counts: Mapping[int, int], limit: int = 6) -> str:
    """Words such as "values 3 (12 voxels), 9 (1 voxel) are" for messages; most frequent first."""
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    shown = ", ".join(f"{value} ({n} voxel{'s' * (n != 1)})" for value, n in ranked[:limit])
    more = f" and {len(ranked) - limit} more" if len(ranked) > limit else ""
    return f"the value {shown} is" if len(ranked) == 1 else f"the values {shown}{more} are"
