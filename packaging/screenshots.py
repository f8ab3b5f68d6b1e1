"""Pictures of the real application for the README, made by the application itself.

    xvfb-run -a -s "-screen 0 1600x1000x24" .venv/bin/python packaging/screenshots.py OUT [SCAN ...]

Opens a new study with the sample (or SCAN ...), lets the default model segment it unless results
are given with --results, shows every activity, and writes OUT/app-<activity>.png. Only the sample
may be shown in pictures that are committed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_API", "pyside6")
# The settings of who runs this are neither shown nor changed.
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="monet-pictures-")

from monet_resources import SAMPLE

from monet_app.actions import ACTIVITIES
from monet_app.start import application, make_window
from monet_app.window import MainWindow
from monet_core.jobs.process import JobState
from monet_core.worker.requests import ScanToSegment, SegmentRequest

SIZE = 1600, 1000


class Photographer:
    """Drives a window and takes pictures of the whole screen."""

    def __init__(self, window: MainWindow, out: Path) -> None:
        self.window, self.out = window, out
        self.app = application()
        out.mkdir(parents=True, exist_ok=True)

    def wait(self, until: Callable[[], bool] = lambda: False, seconds: float = 1.0) -> bool:
        """Turn the event loop until something holds; False where it did not in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            self.app.processEvents()
            time.sleep(0.01)
        return until()

    def take(self, name: str, settle: float = 1.5) -> None:
        """A picture of the screen; GL canvases are in it, as they are not in widget.grab()."""
        self.wait(seconds=settle)
        path = self.out / f"app-{name}.png"
        if (
            os.environ.get("DISPLAY")
            and subprocess.run(["import", "-window", "root", str(path)], check=False).returncode
        ):
            self.window.screen().grabWindow(0).save(str(path))
        print(path)

    def segment(self, scans: list[Path], model: str) -> None:
        """Segment through a job, as a user does."""
        session = self.window.session
        assert session.study is not None
        before = len(session.shown)
        out = session.study.derivatives / model
        listed = [ScanToSegment(path=scan) for scan in scans]
        request = SegmentRequest(scans=listed, out=out, model=model)
        job = session.submit("segment", scans[0].name, request.model_dump(mode="json"))
        assert job is not None
        ended = (JobState.DONE, JobState.FAILED)
        self.wait(lambda: job.progress is not None, 60)
        self.take("running", 3)
        if not self.wait(lambda: job.state in ended, 900) or job.error:
            raise SystemExit(f"segmenting failed: {job.error}")
        session.results_written(out)
        self.wait(lambda: len(session.shown) >= before + 2, 60)

    def show_finest(self) -> str:
        """Show the segmentation with the most regions, the newest of such, alone; its key."""
        session = self.window.session
        finest = max(
            session.shown.values(), key=lambda one: (len(one.protocol.indices), one.entry.id)
        )
        for key in list(session.shown):
            session.set_visible(key, key == finest.key)
        return finest.key

    def compare(self) -> None:
        """Compare what the panel proposes."""
        model = self.window.panel("compare").model  # type: ignore[attr-defined]
        model.start()
        self.wait(lambda: model.result is not None, 60)
        self.take("compare", 20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("scans", type=Path, nargs="*", default=[SAMPLE])
    parser.add_argument("--study", type=Path, help="An existing study to show instead.")
    args = parser.parse_args()
    app = application()
    window = make_window()
    window.resize(*SIZE)
    window.move(0, 0)
    window.show()
    camera = Photographer(window, args.out)
    camera.take("welcome")
    session = window.session
    session.open_study(args.study or Path(tempfile.mkdtemp()) / "My study")
    camera.wait(lambda: session.study is not None, 20)
    if args.study is None:
        session.add_scans(args.scans, show=True)
    else:
        session.open_scan(session.study.scans()[0])  # type: ignore[union-attr]
    if not camera.wait(lambda: session.current is not None, 60):
        raise SystemExit(f"nothing was opened: {window.banners.texts}")
    camera.take("opened")
    if args.study is None:
        for model in ("malc-2mm", "malc-1mm"):
            camera.segment(args.scans, model)
    key = camera.show_finest()
    for activity in ACTIVITIES:
        window.show_activity(activity.key)
        camera.take(activity.key)
        if activity.key == "compare":
            camera.compare()
    assert session.stage is not None
    session.stage.set_mesh_regions(key, session.shown[key].protocol.indices)
    window.show_activity("scans")
    camera.take("solid", 25)
    window.switch_theme()
    camera.take("light")
    window.close()
    app.quit()


if __name__ == "__main__":
    main()
