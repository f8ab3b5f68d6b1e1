"""Torch's share of the processor."""

from __future__ import annotations

import os

import torch


def use_threads(wanted: int | None) -> None:
    """Let torch compute with `wanted` threads, or with those that the environment allows."""
    threads = wanted or int(os.environ.get("OMP_NUM_THREADS", "0") or 0)
    if threads > 0:
        torch.set_num_threads(threads)
