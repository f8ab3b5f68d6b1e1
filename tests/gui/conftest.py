"""Tests in a real window: napari draws with OpenGL, which Qt's offscreen platform has not."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_API", "pyside6")
pytest.importorskip("napari", reason="the app's packages (extra: app) are not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")
if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or shutil.which("Xvfb")):
    pytest.skip("no screen and no Xvfb on this machine", allow_module_level=True)

from monet_app.session import Session
from monet_app.settings import Settings
from monet_app.threads import ThreadBackground
from monet_app.views.ortho import OrthoStage


@pytest.fixture(autouse=True)
def own_user_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the settings, models or caches of who runs it."""
    for name in ("CONFIG", "DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))


@pytest.fixture
def settle(qtbot: object) -> Callable[[ThreadBackground], None]:
    """Wait until the background has answered everything."""

    def wait(background: ThreadBackground, timeout: int = 20_000) -> None:
        qtbot.waitUntil(lambda: not background.busy, timeout=timeout)  # type: ignore[attr-defined]

    return wait


@pytest.fixture
def session(qtbot: object, tmp_path: Path) -> Iterator[Session]:
    """A session on a new study, with a real background and no stage."""
    made = Session(Settings(), ThreadBackground())
    made.open_study(tmp_path / "study")
    qtbot.waitUntil(lambda: made.study is not None, timeout=10_000)  # type: ignore[attr-defined]
    yield made
    made.close(let_jobs_go_on=False)


@pytest.fixture
def stage(qtbot: object) -> Iterator[OrthoStage]:
    """The views in a real window of 900 x 700."""
    made = OrthoStage()
    made.widget.resize(900, 700)
    qtbot.addWidget(made.widget)  # type: ignore[attr-defined]
    made.widget.show()
    qtbot.waitExposed(made.widget)  # type: ignore[attr-defined]
    yield made
    made.close()
