"""Colours of regions: reading what tables hold, and making distinct ones."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Container

_HEX = re.compile(r"#?([0-9a-f]{6})(?:[0-9a-f]{2})?")
_SHORT = re.compile(r"#([0-9a-f])([0-9a-f])([0-9a-f])")
_NUMBERS = re.compile(r"(?:rgb)?\(?(\d{1,3})[ ,]+(\d{1,3})[ ,]+(\d{1,3})\)?")
_GOLDEN = 0.618033988749895


def parse_color(text: str) -> str | None:
    """`#rrggbb` from `#rrggbb[aa]`, `#rgb` or `r, g, b`; None where it is no colour."""
    text = text.strip().lower()
    if match := _HEX.fullmatch(text):
        return f"#{match[1]}"
    if match := _SHORT.fullmatch(text):
        return "#" + "".join(2 * digit for digit in match.groups())
    if match := _NUMBERS.fullmatch(text):
        return rgb_color(*(int(value) for value in match.groups()))
    return None


def rgb_color(red: int, green: int, blue: int) -> str | None:
    """`#rrggbb` of three values 0..255; None where one is outside."""
    values = (red, green, blue)
    return "#{:02x}{:02x}{:02x}".format(*values) if all(0 <= v <= 255 for v in values) else None


def distinct_color(number: int, used: Container[str] = ()) -> str:
    """A bright colour that is not in `used`, the same for the same arguments."""
    while True:
        hue = (0.11 + number * _GOLDEN) % 1.0
        shade = colorsys.hsv_to_rgb(hue, (0.85, 0.6, 0.95)[number % 3], (0.95, 0.8)[number % 2])
        color = "#{:02x}{:02x}{:02x}".format(*(round(255 * value) for value in shade))
        if color not in used:
            return color
        number += 1
