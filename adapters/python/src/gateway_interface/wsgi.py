"""An application of the Gateway Interface as a WSGI callable (PEP 3333).

    gunicorn 'gateway_interface.wsgi:load("libecho.so")'
    GATEWAY_APP=libecho.so gunicorn gateway_interface.wsgi:app

A request's thread polls its call and its response's body, and reads `wsgi.input` in between. What
goes on behind an answer is polled by one thread of ours.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any, Callable, NoReturn

from .abi import GW
from .configuration import Configuration
from .download import PIECE_BYTES, Broken, Region, reason
from .environ import LengthRequired, head_of
from .exchange import Exchange
from .head import BadRequest
from .instance import StartError
from .services import follow_level
from .thread import Thread
from .threaded import Threaded

# Calls may block: each has a thread. They end on another one than they began on, if there is work
# behind the answer.
HONOURED = GW.MODULE_BLOCKING


def load(path: str, *, eager: bool = False, **options: Any) -> Wsgi:
    """The application in this file. Options are those of `Configuration`.

    Nothing of it is called before the first request, since servers fork in between; with `eager` it
    is started at once, for servers that load applications in their workers.

    Raises `LoadError`, and with `eager` `StartError`.
    """
    wsgi = Wsgi(Configuration(path, **options))
    if eager:
        wsgi.start()
    return wsgi


class Wsgi:
    """The callable."""

    def __init__(self, configuration: Configuration) -> None:
        """Loads and checks the module. Raises `LoadError`."""
        module = configuration.module(HONOURED)
        self._threaded = Threaded(lambda: configuration.instance(module), configuration.grace)
        _at_exit(self.stop)

    def start(self) -> None:
        """Starts the application in this process, if it is not. Raises `StartError`."""
        follow_level()
        self._threaded.serving()

    def stop(self) -> None:
        """Ends the application of this process, orderly."""
        self._threaded.stop()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Answers a request."""
        follow_level()
        try:
            instance = self._threaded.serving()
        except StartError as error:
            _give_up(error)
        try:
            head = head_of(environ)
        except LengthRequired:
            return _refuse(411, start_response)
        except BadRequest as why:
            _LOG.warning("the request was refused: %s", why)
            return _refuse(400, start_response)
        visit = Visit(Exchange(instance, head, _nothing), environ, self._threaded.thread)
        return visit.answer(start_response)


class Visit:
    """A request in progress, on its thread."""

    def __init__(self, exchange: Exchange, environ: dict[str, Any], thread: Thread) -> None:
        self._ring = threading.Event()
        exchange.notify = self._ring.set
        self._exchange = exchange
        self._environ = environ
        self._thread = thread

    def answer(self, start_response: Callable[..., Any]) -> Any:
        """Waits for the head; the content is what is iterated."""
        exchange = self._exchange
        try:
            exchange.begin()
            while exchange.download is None and exchange.is_called:
                self._wait()
            failure = exchange.failure
            if failure is not None:
                self.close()
                return _refuse(failure, start_response)
            download = exchange.download
            fields = [(name.decode(), value.decode("latin-1")) for name, value in download.fields]
            start_response(f"{download.status} {reason(download.status)}", fields)
            if not download.is_whole:
                return Content(self)
            piece = download.next(exchange.waker.raw)
            self.close()
            return [piece] if piece else []
        except BaseException:
            self.close()
            raise

    def pieces(self) -> Iterator[bytes]:
        """The content, as it comes. Raises `Broken`, for the server to end the connection."""
        exchange, is_first = self._exchange, True
        while True:
            piece = exchange.download.next(exchange.waker.raw)
            if piece is None:
                return
            if isinstance(piece, Region):
                try:
                    while piece.left:
                        yield piece.read()
                finally:
                    piece.close()
            elif piece:
                yield piece
            elif is_first:
                # The head goes out without waiting for the body (RES-12).
                yield b""
            else:
                self._wait()
                if exchange.is_broken:
                    raise Broken("the call failed behind its response")
            is_first = False

    def close(self) -> None:
        """The answer is written, or the client has gone."""
        exchange, download = self._exchange, self._exchange.download
        is_complete = download is not None and download.is_whole and not download.left
        if not is_complete:
            exchange.lose()
        exchange.finish()
        if exchange.is_called:
            if is_complete or exchange.finishes:
                self._thread.adopt(exchange)
            else:
                exchange.drop()

    def _wait(self) -> None:
        """Reads what the application wants of the request, or waits for a wake; then polls."""
        upload = self._exchange.upload
        if upload is not None and upload.wanted:
            self._read(upload)
        else:
            self._ring.wait()
        self._ring.clear()
        self._exchange.poll()

    def _read(self, upload: Any) -> None:
        left = upload.left
        count = PIECE_BYTES if left is None else min(left, PIECE_BYTES)
        try:
            if left is None and "uwsgi.version" in self._environ:
                piece = sys.modules["uwsgi"].chunked_read()
            else:
                piece = self._environ["wsgi.input"].read(count)
        except TimeoutError:
            upload.fail(GW.TIMEOUT)
        except OSError:
            upload.fail(GW.CLOSED)
        except Exception as error:
            # Servers have exceptions of their own for bodies that are not what they should be.
            _LOG.info("%s: its body: %r", self._exchange.label, error)
            upload.fail(GW.PROTOCOL)
        else:
            if piece or left is None:
                upload.feed(piece, more=bool(piece))
            else:
                upload.fail(GW.CLOSED)


class Content:
    """What a server iterates over, and closes."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._pieces = visit.pieces()

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Called by the server on every path."""
        self._pieces.close()
        self._visit.close()


def _refuse(status: int, start_response: Callable[..., Any]) -> list[bytes]:
    """An answer of our own, as gatewayd words it."""
    text = f"{reason(status)}\n".encode()
    fields = [("content-type", "text/plain"), ("content-length", str(len(text)))]
    start_response(f"{status} {reason(status)}", fields)
    return [text]


def _give_up(error: StartError) -> NoReturn:
    """Ends this process with the status of an application that does not start (LIFE-05).

    An exception would be the answer to one request, and the next one would try again.
    """
    _LOG.critical("%s", error)
    logging.shutdown()
    os._exit(3)


def _at_exit(stop: Callable[[], None]) -> None:
    """Has it called when the process ends, more than once where more than one way is taken."""
    atexit.register(stop)
    # Processes of multiprocessing end without Python's own exit functions, ...
    processes = sys.modules.get("multiprocessing.util")
    if processes is not None:
        processes.Finalize(None, stop, exitpriority=0)
    # ... and so do uWSGI's if Python was there first.
    try:
        import uwsgi
    except ImportError:
        return
    earlier = getattr(uwsgi, "atexit", _nothing)
    uwsgi.atexit = lambda: (stop(), earlier())


def _nothing() -> None:
    pass


def __getattr__(name: str) -> Any:
    if name == "app":
        # Says what is missing.
        Configuration.of_environment()
    raise AttributeError(name)


_LOG = logging.getLogger("gateway")

# In the module's own names, for servers that look no further.
if "GATEWAY_APP" in os.environ:
    app = Wsgi(Configuration.of_environment())
