"""A worker that does nothing but what its request says: for tests of the queue without torch."""

import os
import signal
import sys
import time
from pathlib import Path

from monet_core.files import read_json
from monet_core.jobs import (
    Cancelled,
    CancelledError,
    Control,
    Done,
    Failed,
    Paused,
    Phase,
    Progress,
)
from monet_core.jobs.endings import ALREADY_RUNNING
from monet_core.jobs.launching import remember_process
from monet_core.worker.reporting import JobReporter


def work(folder: Path, do: str, report: JobReporter) -> None:
    if do == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)
    if do == "busy" and not (folder / "tried").exists():
        (folder / "tried").touch()
        sys.exit(ALREADY_RUNNING)
    if do == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if do == "exit":
        print("ImportError: no module named nonsense", file=sys.stderr)
        sys.exit(1)
    control = Control(folder, lambda paused: report(Paused(paused)))
    for done in range(3 if do in ("short", "fail", "busy", "linger") else 3000):
        control.check()
        report(Progress(done, 600))
        if (folder / "enough").exists():
            break
        if control.stop_asked:
            report(Done({"stopped": True}))
            return
        time.sleep(0.02)
    report(Failed("nothing came of it") if do == "fail" else Done({"answer": 42}))
    if do == "linger":
        time.sleep(60)


def main() -> None:
    folder = Path(sys.argv[1])
    remember_process(folder, os.getpid())
    report = JobReporter(folder)
    report(Phase("Working"))
    try:
        work(folder, read_json(folder / "job.json")["request"]["do"], report)
    except CancelledError:
        report(Cancelled())


main()
