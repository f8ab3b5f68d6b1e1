"""`python -m monet_app`, and the frozen program, whose long work starts it again as a worker."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path


def main() -> int:
    """The window; the job described in FOLDER after `--worker FOLDER`; or `--smoke FOLDER`."""
    multiprocessing.freeze_support()
    words = sys.argv[1:]
    if words[:1] == ["--worker"]:
        from monet_core.worker.main import main as work

        return work(words[1:])
    if words[:1] == ["--smoke"]:
        from monet_app.smoke import run_smoke

        return run_smoke(Path(words[1]))
    from monet_app.start import run_app

    return run_app([Path(word) for word in words])


if __name__ == "__main__":
    sys.exit(main())
