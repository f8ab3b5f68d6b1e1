"""Starting the app: one QApplication, one session, one window."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtpy.QtWidgets import QApplication

    from monet_app.session import Session
    from monet_app.views.ortho import OrthoStage
    from monet_app.window import MainWindow

APP_ID = "monet-studio"


def run_app(files: Sequence[Path] = ()) -> int:
    """Show the window with `files` (scans, folders, a study) and return its exit status."""
    app = application()
    window = make_window()
    window.show()
    if files:
        window.open_paths(files)
    signal.signal(signal.SIGINT, lambda *_: window.close())
    return int(app.exec())


def make_window() -> MainWindow:
    """The window on a new session with the stored settings; needs a QApplication."""
    from qtpy.QtWidgets import QApplication

    from monet_app import theme
    from monet_app.logs import catch_the_rest, set_up_logging
    from monet_app.session import Session
    from monet_app.settings import load_settings
    from monet_app.threads import ThreadBackground
    from monet_app.views.ortho import OrthoStage
    from monet_app.window import MainWindow

    set_up_logging()
    settings = load_settings()
    app = QApplication.instance()
    if isinstance(app, QApplication):
        theme.apply_theme(app, settings.theme)
    stage = OrthoStage()
    stage.set_radiological(settings.radiological)
    stage.set_opacity(settings.opacity)
    stage.set_outline(settings.outline)
    session = Session(settings, ThreadBackground(), stage)
    dress(stage, session)
    window = MainWindow(session, stage.widget)
    catch_the_rest(lambda error: session.tell(error, "The program"))
    session.load_models()
    return window


def dress(stage: OrthoStage, session: Session) -> None:
    """Toolbar and strip around the views, and their keys; what is chosen there is kept."""
    from monet_app.views.strip import CursorStrip
    from monet_app.views.toolbar import StageToolbar

    def keep() -> None:
        session.settings.radiological = stage.radiological
        session.settings.opacity, session.settings.outline = stage.opacity, stage.outline

    toolbar = StageToolbar(stage, keep)
    stage.widget.add_above(toolbar)
    stage.widget.add_below(CursorStrip(stage))
    toolbar.add_keys(stage.widget)


def application() -> QApplication:
    """The QApplication, named so that desktops group its windows under its icon."""
    os.environ.setdefault("QT_API", "pyside6")
    from monet_resources import ICONS
    from qtpy.QtCore import QCoreApplication
    from qtpy.QtGui import QIcon
    from qtpy.QtWidgets import QApplication

    QCoreApplication.setApplicationName(APP_ID)
    running = QApplication.instance()
    app = running if isinstance(running, QApplication) else QApplication(sys.argv[:1])
    app.setWindowIcon(QIcon(str(ICONS / "monet-studio.png")))
    app.setDesktopFileName(APP_ID)
    return app
