"""The plugin's own preferences, as napari keeps them."""

from __future__ import annotations

from typing import Any

from napari.settings import get_plugin_settings

PLUGIN = "monet-studio"


def radiological() -> bool:
    """Whether the patient's left is on the right of the screen."""
    return bool(getattr(_general(), "radiological", True))


def keep_jobs() -> bool:
    """Whether running work goes on when napari is closed."""
    return bool(getattr(_general(), "keep_jobs", True))


def _general() -> Any:
    """The settings' page; None where the plugin is not registered, as in some tests."""
    try:
        return getattr(get_plugin_settings(PLUGIN), "general", None)
    except KeyError:
        return None
