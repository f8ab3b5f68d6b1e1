"""Modules and tables that the first click on an activity would have to wait for. No Qt."""

from __future__ import annotations

import logging
from importlib import import_module

from monet_app.actions import ACTIVITIES
from monet_core.protocols import load_protocol, shipped_protocols

log = logging.getLogger(__name__)
DELAY_MS = 400
"""After the window is made: it shall be seen first."""


def preload() -> None:
    """Load the panels' modules and the shipped atlases; called on a background thread."""
    for activity in ACTIVITIES:
        module = activity.panel.partition(":")[0]
        try:
            import_module(module)
        except ImportError as error:  # told in full where the panel is asked for
            log.warning("Not loaded ahead: %s (%s)", module, error)
    for name in shipped_protocols():
        load_protocol(name)
