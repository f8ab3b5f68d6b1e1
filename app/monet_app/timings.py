"""How long a scan takes on this computer, by model and options, kept with the settings. No Qt."""

from __future__ import annotations

from typing import Any

from monet_app.settings import Settings

MOST = 100
_NEWEST = 0.5
"""Weight of the newest measurement; older ones fade, as computers and loads change."""


def timing_key(model: str, settings: dict[str, Any]) -> str:
    """What decides the time of one scan, as a key."""
    parts = [settings.get(name) for name in ("device", "overlap", "mirror", "entropy")]
    return "|".join([model, *map(str, parts)])


def remember_timing(settings: Settings, key: str, seconds: float) -> None:
    """Keep a measured time; the oldest keys go when there are too many."""
    timings = dict(settings.timings)
    before = timings.pop(key, seconds)
    timings[key] = round(_NEWEST * seconds + (1 - _NEWEST) * before, 1)
    settings.timings = dict(list(timings.items())[-MOST:])
