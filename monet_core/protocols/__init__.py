"""Label protocols (atlases): regions, classes, mappings between protocols."""

from monet_core.protocols.mapping import ProtocolMapping, find_mapping, load_mapping
from monet_core.protocols.protocol import UNKNOWN_OPTION, Protocol, Unknown
from monet_core.protocols.region import Region
from monet_core.protocols.shipped import load_protocol, shipped_protocols

__all__ = [
    "UNKNOWN_OPTION",
    "Protocol",
    "ProtocolMapping",
    "Region",
    "Unknown",
    "find_mapping",
    "load_mapping",
    "load_protocol",
    "shipped_protocols",
]
