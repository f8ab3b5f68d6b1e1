"""Work that takes longer than a frame: done in a thread, answered on the GUI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Failed = Callable[[Exception], None]
log = logging.getLogger(__name__)


class Background(Protocol):
    """Runs functions off the GUI thread."""

    def run(
        self,
        function: Callable[..., T],
        *args: Any,
        done: Callable[[T], None] | None = None,
        failed: Failed | None = None,
        key: str = "",
        **kwargs: Any,
    ) -> None:
        """Call `function`; then, on the GUI thread, `done(result)` or `failed(error)`.

        Of calls with the same `key` only the latest one's answer is delivered.
        """

    def wait(self, seconds: float = 5.0) -> None:
        """Wait for all that runs, at the end of the program."""


class Immediate:
    """Calls at once, in the caller's thread: for models in tests and scripts without a window."""

    def run(
        self,
        function: Callable[..., T],
        *args: Any,
        done: Callable[[T], None] | None = None,
        failed: Failed | None = None,
        key: str = "",  # noqa: ARG002 - nothing overtakes here
        **kwargs: Any,
    ) -> None:
        """See `Background.run`."""
        try:
            result = function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - handed to who asked, as from a thread
            deliver_failure(failed, error)
            return
        if done is not None:
            done(result)

    def wait(self, seconds: float = 5.0) -> None:
        """Nothing runs."""


def deliver_failure(failed: Failed | None, error: Exception) -> None:
    """Hand an error to who asked for it; to the log where nobody did."""
    if failed is None:
        log.error("Work in the background failed", exc_info=error)
    else:
        failed(error)
