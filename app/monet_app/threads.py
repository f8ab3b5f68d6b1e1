"""`ThreadBackground`: the background of the running app, on Qt's thread pool."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, TypeVar

from qtpy.QtCore import QObject, QRunnable, QThreadPool, Signal, Slot

from monet_app.background import Failed, deliver_failure

T = TypeVar("T")
THREADS = 3


class ThreadBackground(QObject):
    """Runs functions in a small pool of threads; answers arrive on the thread it was made in."""

    _answered = Signal(int, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(THREADS)
        self._numbers = count()
        self._waiting: dict[int, tuple[str, Callable[[Any], None] | None, Failed | None]] = {}
        self._latest: dict[str, int] = {}
        self._answered.connect(self._answer)

    def run(
        self,
        function: Callable[..., T],
        *args: Any,
        done: Callable[[T], None] | None = None,
        failed: Failed | None = None,
        key: str = "",
        **kwargs: Any,
    ) -> None:
        """See `Background.run`."""
        number = next(self._numbers)
        self._waiting[number] = key, done, failed
        if key:
            self._latest[key] = number
        self._pool.start(_Call(number, lambda: function(*args, **kwargs), self._answered.emit))

    def wait(self, seconds: float = 5.0) -> None:
        """See `Background.wait`."""
        self._pool.clear()
        self._pool.waitForDone(int(seconds * 1000))

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._waiting)

    @Slot(int, object, object)
    def _answer(self, number: int, result: object, error: Exception | None) -> None:
        key, done, failed = self._waiting.pop(number)
        if key and self._latest.get(key) != number:
            return
        if error is not None:
            deliver_failure(failed, error)
        elif done is not None:
            done(result)


class _Call(QRunnable):
    def __init__(
        self, number: int, function: Callable[[], object], answer: Callable[..., None]
    ) -> None:
        super().__init__()
        self._number, self._function, self._answer = number, function, answer

    def run(self) -> None:
        """On a thread of the pool."""
        try:
            result, error = self._function(), None
        except Exception as problem:  # noqa: BLE001 - carried to the GUI thread
            result, error = None, problem
        try:
            self._answer(self._number, result, error)
        except RuntimeError:  # the window closed meanwhile
            return
