"""A protocol as plain JSON data, as kept in model manifests, and back without trusting it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from monet_core.errors import ProtocolError
from monet_core.protocols.protocol import Protocol
from monet_core.protocols.region import MAX_INDEX, MAX_REGIONS, MAX_TEXT, Hemisphere, Region

_Index = Annotated[int, Field(ge=1, le=MAX_INDEX)]
_Text = Annotated[str, Field(max_length=MAX_TEXT)]
_Name = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
_Indices = Annotated[tuple[_Index, ...], Field(max_length=MAX_REGIONS)]


class _Row(BaseModel):
    # Not strict: JSON has lists where the fields are tuples, and strings for integer keys.
    model_config = ConfigDict(extra="forbid", frozen=True)

    index: _Index
    name: _Name
    abbreviation: _Text = ""
    color: _Text = "#808080"
    hemisphere: Hemisphere = "M"
    tissue: _Text = ""
    pair: _Index | None = None
    group: _Text = ""
    path: Annotated[tuple[_Text, ...], Field(max_length=20)] = ()


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Name
    regions: Annotated[tuple[_Row, ...], Field(min_length=1, max_length=MAX_REGIONS)]
    extra: _Indices = ()
    subsets: Annotated[dict[_Name, _Indices], Field(max_length=100)] = {}
    links: Annotated[dict[_Name, dict[_Index, _Indices]], Field(max_length=100)] = {}
    relations: Annotated[dict[_Name, dict[_Index, _Text]], Field(max_length=100)] = {}


def to_manifest(protocol: Protocol) -> dict[str, Any]:
    """JSON-ready: lists instead of tuples, strings as keys."""
    return {
        "name": protocol.name,
        "regions": [{**asdict(r), "path": list(r.path)} for r in protocol.regions],
        "extra": sorted(protocol.extra),
        "subsets": {name: list(indices) for name, indices in protocol.subsets.items()},
        "links": {
            name: {str(index): list(others) for index, others in table.items()}
            for name, table in protocol.links.items()
        },
        "relations": {
            name: {str(index): words for index, words in table.items()}
            for name, table in protocol.relations.items()
        },
    }


def from_manifest(data: object) -> Protocol:
    """The protocol in `data`; ProtocolError where anything is missing, too large or contradicts."""
    try:
        table = _Table.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = " > ".join(str(part) for part in first["loc"]) or "the table"
        raise ProtocolError(
            "bad-manifest-protocol",
            f"the protocol in the manifest is not valid: {where}: {first['msg']}",
            remedy="The model was damaged or not made by this program; get it again.",
        ) from error
    return Protocol(
        name=table.name,
        regions=tuple(Region(**row.model_dump()) for row in table.regions),
        extra=frozenset(table.extra),
        subsets=table.subsets,
        links=table.links,
        relations=table.relations,
    )
