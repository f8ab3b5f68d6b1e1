"""Where a cohort's scans are segmented, and by how many workers. Loads without torch and Dask."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

from monet_core.errors import MonetError

_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://[^\s/]+(:\d+)?/?", re.ASCII)


class Scheduler(BaseModel):
    """Where the work is done.

    `where`: "local", this machine's cores; "slurm", jobs of a cluster, through dask-jobqueue, whose
    own configuration file names queue and account; or the address of a Dask scheduler that runs
    already, such as "tcp://node7:8786".
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    where: str = "local"
    workers: PositiveInt | None = None
    """Processes, each with one scan at a time; None: as many as cores, free memory and scans are
    good for, on a cluster one. At an address there are as many as there are."""
    threads: PositiveInt | None = None
    """Threads of each worker; None: the cores that there are for each."""
    memory_bytes: PositiveInt | None = None
    """What a worker may take at most; None: what the largest scan is predicted to take."""
    retries: NonNegativeInt = 2
    """How often a scan is tried again that lost its worker, or failed for a passing reason."""

    @property
    def kind(self) -> Literal["local", "slurm", "address"]:
        """What `where` is; MonetError where it is nothing of these."""
        if self.where in ("local", "slurm"):
            return self.where  # type: ignore[return-value]
        if _ADDRESS.fullmatch(self.where):
            return "address"
        raise MonetError(
            "unknown-scheduler",
            f"{self.where!r} is no scheduler",
            remedy="Give local, slurm, or the address of a Dask scheduler: tcp://HOST:PORT.",
        )
