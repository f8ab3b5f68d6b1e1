"""BIDS-App: a whole BIDS data set segmented, and what came of it in tables and one report.

The group level loads without torch.
"""

from typing import TYPE_CHECKING

from monet_core.bids.group import GroupSummary, summarise_group
from monet_core.bids.layout import BidsScan, find_scans
from monet_core.lazy import lazy

if TYPE_CHECKING:
    from monet_core.bids.participant import segment_participants
else:
    __getattr__ = lazy(__name__, {"participant": "segment_participants"})

__all__ = [
    "BidsScan",
    "GroupSummary",
    "find_scans",
    "segment_participants",
    "summarise_group",
]
