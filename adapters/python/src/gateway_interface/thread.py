"""`Thread`: the host's own thread, for what no request's thread can do."""

from __future__ import annotations

import logging
import queue
import threading
from typing import Callable

from .exchange import Exchange


class Thread:
    """A thread that is there as long as the process, made for the first piece of work.

    It polls calls that go on when their response is written (CALL-09), and ends the application:
    the thread in which a server runs Python's exit functions may have lost its thread-local values
    already, as uWSGI's has.
    """

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def start(self) -> None:
        """Starts it; once, in the process that serves."""
        threading.Thread(target=self._run, name="gateway", daemon=True).start()

    def adopt(self, exchange: Exchange) -> None:
        """Goes on with a call that another thread has polled, and does so no more."""
        exchange.notify = lambda: self._work.put(exchange.poll)
        # A wake may have come in between.
        self._work.put(exchange.poll)

    def run(self, work: Callable[[], None], seconds: float) -> bool:
        """Runs something there; whether it ended within so many seconds."""
        done = threading.Event()

        def whole() -> None:
            try:
                work()
            finally:
                done.set()

        self._work.put(whole)
        return done.wait(seconds)

    def _run(self) -> None:
        while True:
            work = self._work.get()
            try:
                work()
            except Exception:
                logging.getLogger("gateway").exception("the host's own thread")
