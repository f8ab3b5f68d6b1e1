"""napari's settings in the app: its defaults, whatever the user chose for napari itself."""

from __future__ import annotations

from contextlib import suppress


def own_napari_settings() -> None:
    """Neither read nor write the user's napari settings: other axes or slicing would harm us."""
    from napari.settings import get_settings

    with suppress(RuntimeError):  # somebody in this program uses napari already
        get_settings(None)
