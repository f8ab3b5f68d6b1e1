"""Connections to Dask: workers of our own on this machine or on a SLURM cluster, or others'."""

from __future__ import annotations

import logging
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monet_core import __version__
from monet_core.cohort.settings import Scheduler
from monet_core.cohort.sizing import Team
from monet_core.cohort.task import what_is_seen
from monet_core.errors import MonetError
from monet_core.jobs.events import Cancel, Message, Phase, Reporter

if TYPE_CHECKING:
    from dask_jobqueue import SLURMCluster
    from distributed import Client, LocalCluster

PATIENCE_S = 20.0
"""How long a scheduler may take to answer."""
_POLL_S = 0.5
_TERMINATE = 0.95  # of its memory limit, where Dask ends a worker
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), 1)
_WORKING: dict[str, Any] = {
    # A worker holds its program and a scan, which cannot be put on disk; results are tiny.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": _TERMINATE,
    # What functions take is sampled all the time and kept for an hour, some 0.1 MB a scan.
    "distributed.worker.profile.enabled": False,
    # Dask has the C heap give all back at once, with which a scan takes 1.6 times as long.
    "distributed.nanny.pre-spawn-environ": {"MALLOC_TRIM_THRESHOLD_": None, **_ONE_THREAD},
}
_SCHEDULING: dict[str, Any] = {
    # A worker that begins anew loads its program first, which takes a while on a busy machine;
    # after the usual 15 s it would be given up.
    "distributed.deploy.lost-worker-timeout": "5 minutes",
    # What waits for a worker waits at the scheduler, not at a worker that may be lost.
    "distributed.scheduler.worker-saturation": 1.0,
}
_PRELOAD = {"distributed.worker.preload": ["monet_core.cohort.preload"]}


@contextmanager
def connected(
    scheduler: Scheduler, team: Team, paths: list[Path], report: Reporter, cancel: Cancel
) -> Iterator[Client]:
    """A client of workers that see `paths`; they are ended with it where they are our own.

    Raises MonetError where Dask is not installed, no scheduler answers, or a worker lacks what it
    needs; CancelledError while waiting for the first worker.
    """
    _require("distributed", scheduler)
    import dask
    import distributed

    # What Dask says of lost workers and closed connections is ours to say.
    logging.getLogger(distributed.__name__).setLevel(logging.CRITICAL)
    failures = {"distributed.scheduler.allowed-failures": scheduler.retries}
    with (
        dask.config.set({**_WORKING, **_SCHEDULING, **failures}),
        _client(scheduler, team) as client,
    ):
        if find_spec("bokeh") is not None:
            report(Message(f"Dask's dashboard: {client.dashboard_link}"))
        _await_worker(client, report, cancel)
        _require_sight(client, paths)
        yield client


@contextmanager
def _client(scheduler: Scheduler, team: Team) -> Iterator[Client]:
    from distributed import Client

    if scheduler.kind == "address":
        with _reached(scheduler.where) as client:
            yield client
        return
    if scheduler.kind == "local":
        with local_cluster(team) as local, Client(local) as client:
            yield client
        return
    with slurm_cluster(team) as slurm, Client(slurm) as client:
        # Not `scale`: jobs that end before the work does are to be replaced.
        slurm.adapt(minimum_jobs=team.workers, maximum_jobs=team.workers)
        yield client


def _reached(address: str) -> Client:
    from distributed import Client

    try:
        return Client(address, timeout=PATIENCE_S)
    except (OSError, ValueError) as error:  # a TimeoutError is an OSError
        raise MonetError(
            "no-scheduler",
            f"no Dask scheduler answers at {address}",
            remedy="Start one there with `dask scheduler`, and workers with `dask worker ADDRESS`.",
        ) from error


def local_cluster(team: Team) -> LocalCluster:
    """Worker processes on this machine, each ended and begun anew where it exceeds its memory."""
    import dask
    from distributed import LocalCluster

    with dask.config.set(_PRELOAD):
        return LocalCluster(
            n_workers=team.workers,
            threads_per_worker=1,
            memory_limit=int(team.bytes_each / _TERMINATE),
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        )


def slurm_cluster(team: Team) -> SLURMCluster:
    """One job for each worker, once `adapt` asks for them.

    Queue, account, time limit and all else are dask-jobqueue's own configuration
    (~/.config/dask/jobqueue.yaml).
    """
    _require("dask_jobqueue", Scheduler(where="slurm"))
    from dask_jobqueue import SLURMCluster

    return SLURMCluster(
        cores=1,
        processes=1,
        job_cpu=team.threads,
        memory=f"{int(team.bytes_each / _TERMINATE)}B",
        job_script_prologue=[_exported(name, value) for name, value in _WORKING.items()],
    )


def _exported(name: str, value: object) -> str:
    """A line of shell that sets what Dask calls "a.b-c" to `value` in a worker."""
    variable = name.upper().replace(".", "__").replace("-", "_")
    return f"export DASK_{variable}={shlex.quote(str(value))}"


def _await_worker(client: Client, report: Reporter, cancel: Cancel) -> None:
    if client.nthreads():
        return
    report(Phase("Waiting for the first worker"))
    while not client.nthreads():
        cancel.check()
        time.sleep(_POLL_S)


def _require_sight(client: Client, paths: list[Path]) -> None:
    """MonetError where a worker that is there runs another program, or sees other disks."""
    try:
        seen = client.run(what_is_seen, paths)
    except Exception as error:
        raise MonetError(
            "worker-unfit",
            f"the workers cannot run this program ({type(error).__name__}: {error})",
            remedy="Start them where MO-Net Studio is installed, in the same version as here.",
        ) from error
    for worker, (version, missing) in seen.items():
        if version != __version__:
            raise MonetError(
                "worker-version",
                f"the worker at {worker} runs version {version} of this program, not {__version__}",
                remedy="Install the same version everywhere.",
            )
        if missing:
            raise MonetError(
                "not-reachable",
                f"is not seen by the worker at {worker}",
                remedy="Put scans, model and results where all workers see them under the same"
                " path.",
                file=missing[0],
            )


def _require(package: str, scheduler: Scheduler) -> None:
    if find_spec(package) is None:
        raise MonetError(
            "no-dask",
            f"several workers ({scheduler.where}) need the Python package"
            f" {package.replace('_', '-')}, which is not installed",
            remedy="Install it with: pip install 'monet-studio[cluster]'.",
        )
