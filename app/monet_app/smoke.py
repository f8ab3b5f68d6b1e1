"""A run of the app without hands: sample, segmentation, screenshot, end.

`monet-studio --smoke FOLDER` is how the bundle proves that it works on a machine: it starts the
real window, opens the sample, lets a model segment it in a worker process, takes a screenshot
when the regions are shown, writes `smoke.json` (seconds and what was found), and exits.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QApplication

from monet_app.window import MainWindow
from monet_core.files import write_json
from monet_core.jobs.process import Job, JobState
from monet_core.worker.requests import ScanToSegment, SegmentRequest

POLL_MS, SETTLE_MS = 100, 1500
MOST_SECONDS = 1200
MODEL = "malc-2mm"


@dataclass
class Smoke(QObject):
    """Drives a window; `failed` tells why it did not come to its end."""

    window: MainWindow
    folder: Path
    model: str = MODEL
    seconds: dict[str, float] = field(default_factory=dict)
    failed: str = ""

    def __post_init__(self) -> None:
        QObject.__init__(self)
        self._began = time.monotonic()
        self._job: Job | None = None
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._step)

    def start(self) -> None:
        """Open the study, then go on with every tick."""
        self._mark("window")
        self.window.session.noticed.connect(self._noticed)
        self.window.session.open_study(self.folder / "study", done=self.window.open_sample)
        self._timer.start()

    def _step(self) -> None:
        session = self.window.session
        if time.monotonic() - self._began > MOST_SECONDS:
            self._end("it took too long")
        elif self._job is None:
            if session.current is not None:
                self._mark("scan shown")
                self._segment()
        elif self._job.state in (JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED):
            self._end(f"segmenting: {self._job.error or self._job.state}")
        elif self._job.state is JobState.DONE and len(session.shown) >= len(self._expected()):
            self._mark("segmented and shown")
            self._timer.stop()
            QTimer.singleShot(SETTLE_MS, self._finish)

    def _segment(self) -> None:
        session = self.window.session
        entry = session.current
        if entry is None or session.study is None:
            return
        request = SegmentRequest(
            scans=[ScanToSegment(path=entry.path)],
            model=self.model,
            out=session.study.derivatives,
        )
        out = session.study.derivatives
        self._job = session.submit("segment", entry.name, request.model_dump(mode="json"))
        session.job_event.connect(lambda job, _: self._look(job, out))

    def _look(self, job: Job, out: Path) -> None:
        if job is self._job and job.state is JobState.DONE and not self.seconds.get("written"):
            self._mark("written")
            self.window.session.results_written(out)

    def _expected(self) -> list[str]:
        return ["malc", "first"]

    def _noticed(self, notice: object) -> None:
        if getattr(notice, "level", "") == "error":
            self._end(str(getattr(notice, "text", notice)))

    def _finish(self) -> None:
        stage = self.window.session.stage
        if stage is not None:
            stage.set_layout("four")
        picture = self.window.screen().grabWindow(int(self.window.winId()))
        picture.save(str(self.folder / "smoke.png"))
        self._mark("screenshot")
        self._end("")

    def _end(self, failed: str) -> None:
        self._timer.stop()
        self.failed = failed
        shown = {one.protocol.name: one.entry.path.name
                 for one in self.window.session.shown.values()}  # fmt: skip
        write_json(
            self.folder / "smoke.json",
            {"failed": failed, "seconds": self.seconds, "shown": shown},
        )
        self.window.close()
        QApplication.exit(1 if failed else 0)

    def _mark(self, what: str) -> None:
        self.seconds[what] = round(time.monotonic() - self._began, 2)


def run_smoke(folder: Path) -> int:
    """Run it in a new application; the exit status is 0 where all was seen."""
    from monet_app.start import application, make_window

    app = application()
    window = make_window()
    window.show()
    smoke = Smoke(window, folder)
    QTimer.singleShot(0, smoke.start)
    return int(app.exec())
