"""The processes of one training: how they start, share work, agree, and end together.

One process a device, started by torchrun on any number of machines or by Fabric on this one. All
run the same program; the main one alone (rank 0) talks to the user and writes. What must be alike
on all of them (a stop, an error, a score) goes through `Team.gather`.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import TorchElasticEnvironment
from lightning_fabric.strategies import DDPStrategy

from monet_core.errors import MonetError, TrainingError
from monet_core.jobs import CancelledError, Event, Message, Reporter, Result, silent
from monet_core.jobs.telling import in_words
from monet_core.segmenting import resolve_device, resolve_precision
from monet_core.training.settings import TrainingSettings

log = logging.getLogger(__name__)

S = TypeVar("S")
T = TypeVar("T")

PATIENCE = timedelta(days=1)
"""How long a process waits for the others. One that is gone is found by its closed connection, or
by torchrun; one that prepares a large scan, or is paused, is not gone."""

_AGAIN = "go on with --resume"
_FAULT = "run the command with --verbose before its name to see where, and report it"


def processes(settings: TrainingSettings, devices: int | None = None) -> tuple[int, int]:
    """(processes on this machine, machines) of a training that starts now.

    Torchrun has started them already, and what it says counts; else `devices`, or the settings'.
    Raises MonetError where torchrun's machines have different numbers of processes.
    """
    if not TorchElasticEnvironment.detect():
        return devices or settings.devices, 1
    here, all_of_them = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["WORLD_SIZE"])
    if all_of_them % here:
        raise MonetError(
            "uneven-machines",
            f"{all_of_them} processes on several machines, {here} of them on this one",
            remedy="Give torchrun the same --nproc-per-node on every machine.",
        )
    return here, all_of_them // here


def make_fabric(settings: TrainingSettings, devices: int | None = None) -> Fabric:
    """Fabric for the device, the `processes` and the precision that the settings ask for.

    Raises MonetError where there are fewer GPUs than processes on this machine.
    """
    device = resolve_device(settings.device)
    precision = resolve_precision(settings.precision, device)
    here, machines = processes(settings, devices)
    if device.type == "cuda" and here > torch.cuda.device_count():
        raise MonetError(
            "too-few-gpus",
            f"{here} processes want a GPU each and this machine has {torch.cuda.device_count()}",
            remedy="Start as many (--nproc-per-node of torchrun, or --devices), or use --device "
            "cpu.",
        )
    alone = here * machines == 1
    chosen: int | list[int] = here
    if device.index is not None and alone:
        chosen = [device.index]
    return Fabric(
        accelerator=device.type,
        devices=chosen,
        num_nodes=machines,
        strategy="auto" if alone else _strategy(device),
        precision="bf16-mixed" if precision == "bf16" else "32-true",
    )


def _strategy(device: torch.device) -> DDPStrategy:
    # Gradients travel between GPUs by nccl; what the processes agree on stays off the GPU.
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    return DDPStrategy(process_group_backend=backend, timeout=PATIENCE)


class Team:
    """The processes of a training that was launched by `fabric`; one process is a team, too."""

    def __init__(self, fabric: Fabric) -> None:
        self.fabric = fabric
        self.rank, self.size = fabric.global_rank, fabric.world_size
        self._report: Reporter = silent
        self._heard: list[Event] = []
        self._agreed = False

    @property
    def main(self) -> bool:
        """Whether this process talks to the user and writes."""
        return self.rank == 0

    def gather(self, value: T) -> list[T]:
        """Every process's `value`, by rank. All of them must call it."""
        if self.size == 1:
            return [value]
        found: list[T | None] = [None] * self.size
        torch.distributed.all_gather_object(found, value)
        return found  # type: ignore[return-value]

    def together(self, work: Callable[[], T]) -> T:
        """What `work`, which holds no other meeting of the team, returns on this process.

        Where it fails on one process, all raise that one's error: none waits for another.
        """
        if self.size == 1:
            return work()
        result, error = self._tried(work)
        errors = [each for each in self.gather(error) if each is not None]
        try:
            if errors:
                self._agreed = True
                raise min(errors, key=lambda each: isinstance(each, CancelledError))
            return result  # type: ignore[return-value]
        finally:
            # An error and the frame that holds it would keep each other, and loaders, alive.
            del error, errors

    def _tried(self, work: Callable[[], T]) -> tuple[T | None, MonetError | CancelledError | None]:
        try:
            return work(), None
        except Exception as error:
            log.info("%s failed", self._name, exc_info=error)
            return None, self._portable(error)

    def on_main(self, work: Callable[[], object]) -> None:
        """Do `work` on the main process; the others wait, and fail where it does."""
        self.together(lambda: work() if self.main else None)

    def each(self, work: Callable[[S], T], items: Sequence[S]) -> list[T]:
        """All results of `work`, in order; every process does its share of the items.

        What it says meanwhile on the other processes is told by the main one at the end.
        """
        self._heard = []
        own = self.together(lambda: [work(item) for item in items[self.rank :: self.size]])
        shares = self.gather((own, self._heard))
        for _, heard in shares if self.main else ():
            for event in heard:
                self._report(event)
        return [shares[n % self.size][0][n // self.size] for n in range(len(items))]

    def telling(self, report: Reporter) -> Reporter:
        """What this process's work is to report to: `report` on the main process."""
        self._report = report
        return report if self.main else self._hear

    def _hear(self, event: Event) -> None:
        if isinstance(event, Message | Result):
            self._heard.append(event)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Around all that the team does: says in words why it ends, once, and lets it part.

        Raises TrainingError where another process is gone without a word.
        """
        try:
            yield
        except Exception as error:
            if self.size == 1 or self._agreed:
                raise
            if _is_lost(error):
                raise self._lost() from error
            if not self.main:  # no other one knows of it
                log.error("%s: %s", self._name, in_words(error, _AGAIN, _FAULT))
            raise
        finally:
            if self.size > 1 and torch.distributed.is_initialized():
                torch.distributed.destroy_process_group()

    @property
    def _name(self) -> str:
        return f"process {self.rank + 1} of {self.size} (on {socket.gethostname()})"

    def _portable(self, error: Exception) -> MonetError | CancelledError:
        """The error as the other processes are to raise it."""
        if isinstance(error, MonetError | CancelledError):
            return error
        return TrainingError("process-failed", f"{self._name}: {in_words(error, _AGAIN, _FAULT)}")

    def _lost(self) -> TrainingError:
        return TrainingError(
            "process-lost",
            f"another of this training's {self.size} processes is gone: it failed (then it says "
            "why), was killed, or its machine is down or out of memory",
            remedy="The same command with --resume goes on from the last checkpoint.",
        )


def _is_lost(error: Exception) -> bool:
    """Whether the connection to another process broke; torch has no one exception for that."""
    words = ("gloo", "NCCL", "Connection closed", "Connection reset", "Broken pipe")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)
