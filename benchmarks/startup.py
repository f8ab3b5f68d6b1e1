"""Starting: whole processes, from the call to their end, with everything in the file cache.

`monet --help` and the imports behind it beside what nobody can do without (`python -c pass`), and
what they must not import (torch). The ways take turns, as everywhere here; a whole process is
timed, so that the interpreter's own start is in every figure.

The first window: there is no application yet, so the table shows what it will be built on, napari's
own first window (an empty viewer, drawn once, events handled). It needs napari and PySide6, here or
in the interpreter given with `--napari`; a line says so where they are missing. It is drawn under
Xvfb with software OpenGL, or, where Xvfb is missing, on Qt's offscreen platform, which draws all
but the canvas itself; the title says which.

    python benchmarks/startup.py [--napari ../venv/app/bin/python]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial

from side_by_side import Way, compare

# Leaving at once, for the window is what is measured, not its end.
NAPARI_WINDOW = """
import napari, os
viewer = napari.Viewer()
napari.qt.get_qapp().processEvents()
viewer.window._qt_window.grab()
os._exit(0)
"""
QT_WINDOW = """
import os
from PySide6.QtWidgets import QApplication, QWidget
application, window = QApplication([]), QWidget()
window.show()
application.processEvents()
window.grab()
os._exit(0)
"""


def process(command: list[str]) -> Callable[[], object]:
    """A call that runs `command` to its end and raises where it fails."""
    return partial(subprocess.run, command, capture_output=True, check=True)


def python(code: str) -> list[str]:
    """The command that runs `code` in this interpreter."""
    return [sys.executable, "-c", code]


def measure_commands() -> None:
    """The table of commands and imports, `monet --help` first."""
    commands = {
        "monet --help": [sys.executable, "-m", "monet_core.cli", "--help"],
        "import monet_core.cli.main": python("import monet_core.cli.main"),
        "import monet_core.scans": python("import monet_core.scans"),
        "python -c pass": python("pass"),
        "import torch": python("import torch"),
    }
    compare(
        "Starting the command line",
        [Way(name, partial(process, command)) for name, command in commands.items()],
        repeats=7,
        goal="0.5 s, no torch",
    )
    listed = "import sys, monet_core.cli.main; print('torch' in sys.modules)"
    found = subprocess.run(python(listed), capture_output=True, text=True, check=True).stdout
    print(f"\ntorch imported by monet_core.cli.main: {found.strip()}")


def measure_window(interpreter: str) -> None:
    """napari's first window beside a bare Qt window and the imports; or why it is not measured."""
    probe = [interpreter, "-c", "import napari, PySide6"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        print(f"\nFirst window: not measured, as {interpreter} has no napari with PySide6.")
        return
    os.environ["LIBGL_ALWAYS_SOFTWARE"] = "1"
    screen = shutil.which("xvfb-run")
    if screen is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    start = [screen, "-a", interpreter, "-c"] if screen else [interpreter, "-c"]
    codes = {"napari's first window": NAPARI_WINDOW, "a bare Qt window": QT_WINDOW}
    compare(
        f"First window, napari alone, {'Xvfb' if screen else 'offscreen, no canvas'}",
        [Way(name, partial(process, [*start, code])) for name, code in codes.items()],
        repeats=5,
        goal="5 s",
    )


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--napari", default=sys.executable, help="interpreter that has napari")
    interpreter = parser.parse_args().napari
    measure_commands()
    measure_window(interpreter)


if __name__ == "__main__":
    main()
