"""Smoke test of the frozen application in a real window; see app/monet_app/smoke.py.

    python packaging/smoke.py dist/monet-studio [--keep FOLDER]

Starts Xvfb where there is no screen. Prints the bundle's size and the seconds to each stage; the
exit status is the program's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LARGEST = 8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--keep", type=Path, help="Folder for screenshot and figures.")
    args = parser.parse_args()
    program = args.bundle / "monet-studio"
    if not program.exists():
        print(f"{program} is not there: run packaging/bundle.sh first", file=sys.stderr)
        return 2
    print_sizes(args.bundle)
    keep = args.keep or Path(tempfile.mkdtemp(prefix="monet-smoke-"))
    keep.mkdir(parents=True, exist_ok=True)
    command = [str(program), "--smoke", str(keep)]
    if not os.environ.get("DISPLAY") and sys.platform.startswith("linux"):
        screen = "-screen 0 1600x1000x24"
        command = [str(shutil.which("xvfb-run")), "-a", "-s", screen, *command]
    began = time.monotonic()
    # As on a new user's machine: nothing of this environment's Python or settings is to be seen.
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    clean |= {f"XDG_{kind}_HOME": str(keep / kind.lower()) for kind in ("CONFIG", "DATA", "STATE")}
    status = subprocess.run(command, env=clean, check=False).returncode
    print(f"whole run: {time.monotonic() - began:.1f} s, exit status {status}")
    report = keep / "smoke.json"
    if not report.exists() or not (keep / "smoke.png").exists():
        print("no report or no screenshot was written", file=sys.stderr)
        return status or 1
    print(json.dumps(json.loads(report.read_text(encoding="utf-8")), indent=2))
    print(f"screenshot: {keep / 'smoke.png'}")
    return status


def print_sizes(bundle: Path) -> None:
    """The bundle's size and its largest parts, in MB."""
    sizes: dict[str, int] = {}
    for path in bundle.rglob("*"):
        if path.is_file() and not path.is_symlink():
            part = "/".join(path.relative_to(bundle).parts[:2])
            sizes[part] = sizes.get(part, 0) + path.stat().st_size
    print(f"bundle: {sum(sizes.values()) / 1e6:.0f} MB")
    for part in sorted(sizes, key=lambda name: -sizes[name])[:LARGEST]:
        print(f"  {sizes[part] / 1e6:6.0f} MB  {part}")


if __name__ == "__main__":
    sys.exit(main())
