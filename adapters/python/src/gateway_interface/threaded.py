"""`Threaded`: an instance under a host whose requests have threads."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import Callable

from .instance import Instance, StartError
from .thread import Thread
from .waker import Waker


class Threaded:
    """An instance that is started by the first thread that needs it."""

    def __init__(self, make: Callable[[], Instance], grace: float) -> None:
        """`grace` is how many seconds calls, and then the shutdown, are given at the end."""
        self.thread = Thread()
        self._make = make
        self._grace = grace
        # Held while one thread starts the instance, which calls the application: nothing that the
        # application calls takes it.
        self._lock = threading.Lock()
        self.instance: Instance | None = None

    def serving(self) -> Instance:
        """The instance, started if it is not. Raises `StartError`."""
        instance = self.instance
        if instance is None or instance.pid != os.getpid() or not instance.is_serving:
            instance = self._start()
        return instance

    def _start(self) -> Instance:
        with self._lock:
            instance = self.instance
            if instance is None:
                instance = self._make()
                ring = threading.Event()
                waker = Waker(ring.set)
                try:
                    while not instance.poll_startup(waker):
                        ring.wait()
                        ring.clear()
                finally:
                    waker.release()
                self.thread.start()
                self.instance = instance
            if instance.pid != os.getpid():
                raise StartError(
                    f"{instance.name}: started in process {instance.pid}, which then forked into "
                    f"{os.getpid()}: an application has to be started behind the fork"
                )
            if not instance.is_serving:
                raise StartError(f"{instance.name}: it has been stopped")
            return instance

    def stop(self) -> None:
        """Ends the instance of this process: waits for its calls, and for its shutdown."""
        instance, deadline = self.instance, time.monotonic() + self._grace
        if instance is None or instance.pid != os.getpid() or not instance.is_serving:
            return
        instance.begin_shutdown()
        if not instance.idle.wait(self._grace):
            _LOG.error("%s: its calls go on after %s s", instance.name, self._grace)
            return
        # A little longer than the application is given itself.
        left = max(0.0, deadline - time.monotonic())
        self.thread.run(lambda: self._end(instance, deadline), left + 1)

    def _end(self, instance: Instance, deadline: float) -> None:
        ring = threading.Event()
        waker = Waker(ring.set)
        while not instance.poll_shutdown(waker, deadline):
            if not ring.wait(max(0.0, deadline - time.monotonic())):
                _LOG.error("%s: shutdown took longer than %s s", instance.name, self._grace)
                break
            ring.clear()
        waker.release()
        instance.destroy()


_LOG = logging.getLogger("gateway")
