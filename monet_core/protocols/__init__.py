"""Label protocols (atlases): regions, classes, mappings between protocols."""

from monet_core.protocols.convert import Conversion, convert_labels
from monet_core.protocols.finding import find_mapping
from monet_core.protocols.importing import import_protocol, is_label_map
from monet_core.protocols.mapping import ProtocolMapping, load_mapping, with_links
from monet_core.protocols.own_mappings import (
    leave_mapping_folder,
    mapping_folders,
    save_mapping,
    use_mapping_folder,
)
from monet_core.protocols.protocol import UNKNOWN_OPTION, Protocol, Unknown
from monet_core.protocols.region import Region
from monet_core.protocols.saving import atlas_tables, check_name, save_protocol
from monet_core.protocols.shipped import is_shipped, load_protocol, shipped_protocols
from monet_core.protocols.suggest import Suggestion, mapping_from, suggest_mapping

__all__ = [
    "UNKNOWN_OPTION",
    "Conversion",
    "Protocol",
    "ProtocolMapping",
    "Region",
    "Suggestion",
    "Unknown",
    "atlas_tables",
    "check_name",
    "convert_labels",
    "find_mapping",
    "import_protocol",
    "is_label_map",
    "is_shipped",
    "leave_mapping_folder",
    "load_mapping",
    "load_protocol",
    "mapping_folders",
    "mapping_from",
    "save_mapping",
    "save_protocol",
    "shipped_protocols",
    "suggest_mapping",
    "use_mapping_folder",
    "with_links",
]
