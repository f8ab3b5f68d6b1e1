"""Where segmentations come from, the same over all scans: "Manual", "malc-1mm". No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monet_app.atlases import atlas_badge, atlas_words
from monet_core.workspace import SegmentationEntry
from monet_core.workspace.labels import title

_WORDS = {"manual": "Manual", "edited": "Edited", "preview": "Preview", "model": "Model"}


@dataclass(frozen=True, order=True)
class Origin:
    """One way in which segmentations were made: their source, maker and atlas."""

    source: str
    maker: str
    protocol: str

    @property
    def name(self) -> str:
        """ "Manual", the model's name, or what an imported file was named."""
        return self.maker or _WORDS.get(self.source, "Imported")

    @property
    def title(self) -> str:
        """ "Manual, Whole brain (138)"."""
        return f"{self.name}, {atlas_words(self.protocol)}"


def origin_of(entry: SegmentationEntry) -> Origin:
    """Where a segmentation comes from."""
    maker = {"manual": "", "edited": "", "import": _given_name(entry)}.get(
        entry.source, entry.model
    )
    return Origin(entry.source, maker, entry.protocol)


def shown_names(entries: Sequence[SegmentationEntry]) -> dict[int, str]:
    """What a scan's segmentations are called, by id: as short as tells them apart.

    A name that somebody gave stays; of names that the study made from atlas and maker only the
    maker is left, with the atlas's badge where one maker made several.
    """
    short = {each.id: _given_name(each) or origin_of(each).name for each in entries}
    longer = {each.id: f"{short[each.id]} ({atlas_badge(each.protocol)})" for each in entries}
    return {
        each.id: next(
            names[each.id]
            for names in (short, longer, {each.id: each.name})
            if [*names.values()].count(names[each.id]) == 1
        )
        for each in entries
    }


def _given_name(entry: SegmentationEntry) -> str:
    made = title(entry.protocol, entry.source, entry.model)
    return "" if entry.name.startswith(made) else entry.name


def by_origin(entries: Iterable[SegmentationEntry]) -> dict[Origin, dict[int, SegmentationEntry]]:
    """The newest segmentation of each scan (by its id), by origin; previews are left out.

    `entries` come oldest first, as `Study.all_segmentations` gives them.
    """
    found: dict[Origin, dict[int, SegmentationEntry]] = {}
    for entry in entries:
        if entry.source != "preview" and entry.protocol:
            found.setdefault(origin_of(entry), {})[entry.scan_id] = entry
    return found
