"""The group level's table of volumes: a row per scan, a column per region."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from monet_core.bids.results import Group
from monet_core.protocols import Protocol

IDS = ("participant_id", "session_id", "scan")
LABELLED = "labelled_ml"

_TEXTS = {
    "participant_id": "Participant, as in participants.tsv",
    "session_id": "Session; n/a where the participant has none",
    "scan": "The scan's entities, which begin the names of its files",
}


def volumes_table(group: Group) -> pd.DataFrame:
    """Volumes in ml, nan where a region was not found: it may lie outside the field of view.

    Columns: participant_id, session_id, scan, labelled_ml (all regions together), then the regions
    under the names of `region_columns`.
    """
    protocol, results = group.protocol, group.results
    voxels = np.array(
        [[each.counts.voxels.get(i, 0) for i in protocol.indices] for each in results], float
    ).reshape(len(results), len(protocol.indices))
    ml = voxels * np.array([each.counts.voxel_ml for each in results])[:, None]
    regions = pd.DataFrame(np.where(voxels > 0, ml, np.nan), columns=region_columns(protocol))
    owners = pd.DataFrame(
        {
            "participant_id": [each.subject for each in results],
            "session_id": [each.session or None for each in results],
            "scan": [each.stem for each in results],
            LABELLED: np.where(voxels.any(axis=1), np.nan_to_num(ml).sum(axis=1), np.nan),
        }
    )
    return pd.concat([owners, regions], axis=1)


def volumes_sidecar(group: Group) -> dict[str, Any]:
    """What the columns mean, for the JSON beside the table."""
    protocol = group.protocol
    about = {name: {"Description": text} for name, text in _TEXTS.items()}
    about[LABELLED] = {"Description": "All regions together", "Units": "mL"}
    for column, region in zip(region_columns(protocol), protocol.regions, strict=True):
        text = f"Volume of region {region.index} of {protocol.name}; n/a where it was not found"
        about[column] = {"LongName": region.name, "Description": text, "Units": "mL"}
    return about


def region_columns(protocol: Protocol) -> list[str]:
    """A column name per region, fit for any statistics program: abbreviations where the atlas has
    one for each, else names, with underscores for all but letters and digits."""
    for texts in (
        [region.abbreviation for region in protocol.regions],
        [region.name for region in protocol.regions],
    ):
        columns = [re.sub(r"\W+", "_", text).strip("_") for text in texts]
        taken = {column.casefold() for column in columns} | {*IDS, LABELLED}
        if all(columns) and len(taken) == len(columns) + len(IDS) + 1:
            return columns
    return [f"region_{index}" for index in protocol.indices]
