"""Keeping a user's folders out of what is shared with a model (promise 7)."""

from __future__ import annotations

import math
import re
from pathlib import PurePosixPath, PureWindowsPath

from pydantic import JsonValue

# The start of an absolute path: of a share or drive of Windows, a home, a file URL, a root. Not
# within a word or a web address, where slashes mean something else. Within a text a root counts
# before a folder only: a lone name hides nothing, and "Brain-Stem /4th Ventricle" is a region.
_NAMED = r"file://|[A-Za-z]:[\\/]|\\\\|~[\w.-]*[\\/]|(?<!:)//"
_WORD = r"[^\s\"',;:]"
_WHOLE = re.compile(rf"(?:{_NAMED}|/(?!/))\S.*", re.DOTALL)
_WITHIN = re.compile(rf"(?<![\w./\\<])(?:{_NAMED}|/(?!/)(?={_WORD}+/)){_WORD}+")


def without_paths(value: JsonValue) -> JsonValue:
    """`value` with absolute paths replaced by the file's name, in keys too.

    NaN and infinite numbers, which JSON cannot hold, become null.
    """
    if isinstance(value, str):
        return shorten_paths(value)
    if isinstance(value, list):
        return [without_paths(item) for item in value]
    if isinstance(value, dict):
        return {shorten_paths(key): without_paths(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def shorten_paths(text: str) -> str:
    """`text` with absolute paths replaced by their last part."""
    if _WHOLE.fullmatch(text) and "\n" not in text:
        return _last_part(text)
    return _WITHIN.sub(lambda match: _last_part(match.group()), text)


def _last_part(path: str) -> str:
    windows = "\\" in path
    return (PureWindowsPath(path) if windows else PurePosixPath(path)).name
