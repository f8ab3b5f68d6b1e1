"""The app's own log: a small rotating file in the user's folder, and where it is."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

import platformdirs

log = logging.getLogger("monet_app")


def log_folder() -> Path:
    """Where the log files are."""
    return platformdirs.user_log_path("monet-studio", appauthor=False)


def set_up_logging() -> None:
    """Log to the file; a folder that cannot be written to costs the file only."""
    try:
        log_folder().mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = RotatingFileHandler(
            log_folder() / "app.log", maxBytes=1_000_000, backupCount=3, encoding="utf-8"
        )
    except OSError:
        handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in ("monet_app", "monet_core"):
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).setLevel(logging.INFO)


def catch_the_rest(tell: Callable[[Exception], None]) -> None:
    """Errors that nobody caught are logged and told; the window lives."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        if isinstance(error, Exception):
            log.error("Not caught", exc_info=(kind, error, trace))
            tell(error)

    sys.excepthook = hook
