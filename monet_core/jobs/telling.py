"""Errors of any kind as one readable line, where a process ends: never a traceback."""

from __future__ import annotations

import errno

from monet_core.errors import MonetError


def in_words(error: Exception, again: str, fault: str) -> str:
    """What the user reads of `error`.

    `again` says how to try again, `fault` what to do about a fault of the program itself; both are
    the ends of sentences, such as "run the same command again".
    """
    if isinstance(error, MonetError):
        return str(error)
    memory = _memory(error)
    if memory:
        return memory
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        if error.errno == errno.ENOSPC:
            return f"{where}the disk is full. Free some space, then {again}."
        return (
            f"{where}cannot be read or written ({error.strerror or _plain(error)}). Check file, "
            f"drive and permissions, then {again}."
        )
    return (
        f"unexpected error: {type(error).__name__}: {_plain(error)}. This is a fault of the "
        f"program; {fault}."
    )


def _plain(error: Exception) -> str:
    """The error's text; of one that reached us from a process that makes patches, with that one's
    traceback, the last line."""
    text = str(error)
    return text.strip().splitlines()[-1] if "\nOriginal Traceback" in text else text


def _memory(error: Exception) -> str:
    """The sentence for memory that ran out, of the machine or of its graphics card; "" else.

    Torch's exceptions are known by name and text, so that torch need not be loaded.
    """
    if type(error).__name__ == "OutOfMemoryError":
        return (
            "the memory of the graphics card is used up. Close other programs that use it, choose"
            " smaller patches, or compute on the CPU."
        )
    # Torch's CPU allocator has no exception of its own.
    allocator = isinstance(error, RuntimeError) and "allocate memory" in str(error)
    if isinstance(error, MemoryError) or allocator:
        return (
            "the memory of this machine is used up. Close other programs, or use a machine with "
            "more memory."
        )
    return ""
