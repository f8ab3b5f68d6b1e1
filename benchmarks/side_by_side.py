"""Ours and the alternatives on the same input, in one run: times interleaved, memory apart.

A benchmark is a script beside this file that makes `Way`s and calls `compare`. Times are taken in
one process, in turns, so that a busy machine slows all ways alike; what is told is the median, the
range of the middle half, and the ratio to the first way, which is ours. Peak memory is taken in a
fresh process for each way, above what it held before the call. All ways run under the environment
that `monet_core` sets for torch (huge pages, sleeping threads).
"""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import monet_core  # sets the environment

if "torch" in sys.modules and "MONET_BENCHMARK" not in os.environ:
    # torch, loaded before, has read another environment: begin again with ours.
    os.environ["MONET_BENCHMARK"] = monet_core.__version__
    os.execv(sys.executable, [sys.executable, *sys.argv])

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Way:
    """One way to do the work. `make`, a function of a module, sets it up and returns the call."""

    name: str
    make: Callable[[], Callable[[], object]]


@dataclass(frozen=True)
class Measured:
    """Seconds of every call; bytes of peak memory above what was held before, or None."""

    name: str
    seconds: list[float]
    peak_bytes: int | None

    @property
    def median(self) -> float:
        """Of all calls, in seconds."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        """First and third quartile."""
        if len(self.seconds) < 3:
            return min(self.seconds), max(self.seconds)
        first, _, third = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return first, third


def compare(
    title: str,
    ways: Sequence[Way],
    *,
    repeats: int = 5,
    memory: bool = False,
    goal: str = "",
) -> list[Measured]:
    """Measure `ways`, ours first, print a table in Markdown and keep the figures in `results`."""
    seconds = _times(ways, repeats)
    peaks = [peak_in_fresh_process(way) if memory else None for way in ways]
    found = [
        Measured(way.name, seconds[way.name], peak) for way, peak in zip(ways, peaks, strict=True)
    ]
    print(_table(title, found, goal), flush=True)
    _keep(title, found, goal)
    return found


def machine() -> str:
    """Processor, cores, Python and the versions that matter, in a line."""
    import numpy
    import torch

    text = subprocess.run(["lscpu"], capture_output=True, text=True, check=False).stdout
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if "Model name" in line]
    return (
        f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores,"
        f" Python {platform.python_version()}, torch {torch.__version__}, numpy {numpy.__version__}"
    )


def _times(ways: Sequence[Way], repeats: int) -> dict[str, list[float]]:
    calls = {way.name: way.make() for way in ways}
    for call in calls.values():  # first calls compile, allocate and fill caches
        call()
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats):
        order = list(calls) if turn % 2 == 0 else list(reversed(calls))
        for name in order:
            gc.collect()
            began = time.perf_counter()
            result = calls[name]()
            seconds[name].append(time.perf_counter() - began)
            del result
    return seconds


def peak_in_fresh_process(way: Way) -> int:
    """Bytes that the first call of `way` takes at its peak, in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(peak_of, way).result()


def peak_of(way: Way) -> int:
    """Bytes that the first call of `way` takes at its peak, in this process (Linux)."""
    call = way.make()
    gc.collect()
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # lets the high-water mark begin anew
    call()
    return _status("VmHWM") - before


def _status(entry: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(entry + ":"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status tells no {entry}")


def _table(title: str, found: Sequence[Measured], goal: str) -> str:
    ours = found[0]
    lines = [f"\n**{title}**" + (f" (goal: {goal})" if goal else ""), ""]
    lines += ["| way | median | middle half | ours takes | peak memory | ours takes |"]
    lines += ["| --- | --- | --- | --- | --- | --- |"]
    for one in found:
        low, high = one.spread
        ratio = "" if one is ours else _ratio(ours.median, one.median)
        peak = share = ""
        if one.peak_bytes is not None and ours.peak_bytes is not None:
            peak = f"{one.peak_bytes / 1e9:.2f} GB"
            share = "" if one is ours else _ratio(ours.peak_bytes, one.peak_bytes)
        lines.append(
            f"| {one.name} | {_pretty(one.median)} | {_pretty(low)} - {_pretty(high)}"
            f" | {ratio} | {peak} | {share} |"
        )
    return "\n".join(lines)


def _ratio(ours: float, other: float) -> str:
    """As a share where that reads well, else as a fraction."""
    share = ours / max(other, 1e-12)
    return f"{share:.2f}x" if share >= 0.1 else f"1/{1 / max(share, 1e-6):.0f}"


def _pretty(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def _keep(title: str, found: Sequence[Measured], goal: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    name = "".join(c if c.isalnum() else "-" for c in title.lower()).strip("-")
    ways = [
        {"way": one.name, "seconds": one.seconds, "peak_bytes": one.peak_bytes} for one in found
    ]
    text = {"title": title, "goal": goal, "machine": machine(), "ways": ways}
    (RESULTS / f"{name}.json").write_text(json.dumps(text, indent=1) + "\n")
