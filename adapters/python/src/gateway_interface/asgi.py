"""An application of the Gateway Interface as an ASGI callable (ASGI 3, HTTP and lifespan).

    GATEWAY_APP=libecho.so uvicorn gateway_interface.asgi:app

Everything of the application runs on the event loop's thread. WebSockets are refused: ASGI has
messages where this interface has the connection's bytes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Coroutine
from typing import Any, Callable

from .abi import GW
from .configuration import Configuration
from .download import Broken, Region, reason
from .exchange import Exchange
from .head import BadRequest
from .instance import Instance, StartError
from .scope import head_of
from .services import follow_level
from .waker import Waker

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

# One thread does everything; it must not be blocked.
HONOURED = GW.MODULE_LOCAL_CALLS | GW.MODULE_SINGLE_THREAD


def load(path: str, **options: Any) -> Asgi:
    """The application in this file. Options are those of `Configuration`. Raises `LoadError`."""
    return Asgi(Configuration(path, **options))


class Asgi:
    """The callable. It belongs to the first event loop that calls it."""

    def __init__(self, configuration: Configuration) -> None:
        """Loads and checks the module. Raises `LoadError`."""
        self._configuration = configuration
        self._module = configuration.module(HONOURED)
        self._starting: asyncio.Task[Instance] | None = None
        self._instance: Instance | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answers a request, or goes through the lifespan."""
        kind = scope["type"]
        if kind == "http":
            await self._answer(scope, receive, send)
        elif kind == "lifespan":
            await self._live(receive, send)
        elif kind == "websocket":
            # Before it is accepted this is an answer with 403.
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        else:
            raise ValueError(f"expected http, websocket or lifespan, found the scope {kind!r}")

    async def start(self) -> Instance:
        """The instance, started if it is not. Raises `StartError`."""
        if self._starting is None:
            self._starting = asyncio.ensure_future(self._start())
        return await asyncio.shield(self._starting)

    async def stop(self) -> None:
        """Ends the application: waits for its calls and its shutdown, each within the grace."""
        instance, self._instance = self._instance, None
        if instance is None or not instance.is_serving:
            return
        grace = self._configuration.grace
        deadline = time.monotonic() + grace
        instance.begin_shutdown()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for exchange in instance.pending():
            exchange.drop()
        bell = Bell()
        waker = Waker(bell.ring)
        try:
            while not instance.poll_shutdown(waker, deadline):
                await asyncio.wait_for(bell.wait(), max(0.0, deadline - time.monotonic()))
        except asyncio.TimeoutError:
            _LOG.error("%s: shutdown took longer than %s s", instance.name, grace)
        waker.release()
        instance.destroy()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Goes on with work behind an answer."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start(self) -> Instance:
        follow_level()
        instance = self._configuration.instance(self._module)
        bell = Bell()
        waker = Waker(bell.ring)
        try:
            while not instance.poll_startup(waker):
                await bell.wait()
        finally:
            waker.release()
        self._instance = instance
        return instance

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.start()
                except StartError as error:
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, scope: Any, receive: Receive, send: Send) -> None:
        instance = self._instance or await self.start()
        follow_level()
        try:
            head = head_of(scope)
        except BadRequest as why:
            _LOG.warning("the request was refused: %s", why)
            await _refuse(400, send)
            return
        visit = Visit(self, Exchange(instance, head, _nothing), receive, send)
        visit.expects = any(name == b"expect" for name, _ in head.fields)
        extensions = scope.get("extensions") or {}
        if "http.response.early_hint" in extensions:
            visit.exchange.hints = []
        accepts = any(name == b"te" for name, _ in head.fields)
        visit.takes_trailers = "http.response.trailers" in extensions and accepts
        await visit.answer()


class Bell:
    """What one coroutine waits for, and any thread rings."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._is_rung = False

    def ring(self) -> None:
        """Lets the waiting coroutine go on; from any thread, also when the loop is closed."""
        if not self._is_rung:
            self._is_rung = True
            try:
                self._loop.call_soon_threadsafe(self._event.set)
            except RuntimeError:
                pass

    async def wait(self) -> None:
        """Until it was rung since the last time."""
        await self._event.wait()
        self._event.clear()
        self._is_rung = False


class Visit:
    """A request in progress."""

    def __init__(self, asgi: Asgi, exchange: Exchange, receive: Receive, send: Send) -> None:
        self.exchange = exchange
        # The first message asked for releases "100 Continue" (BODY-04).
        self.expects = False
        # Whether both the server and the client take trailers.
        self.takes_trailers = False
        self._asgi = asgi
        self._bell = Bell()
        exchange.notify = self._bell.ring
        self._receive = receive
        self._send = send
        self._receiving: asyncio.Task[Any] | None = None
        self._is_gone = False

    async def answer(self) -> None:
        """Answers. Raises what makes the server end the connection."""
        exchange = self.exchange
        try:
            exchange.begin()
            while exchange.download is None and exchange.is_called and not self._is_gone:
                await self._wait()
            failure = exchange.failure
            await self._hint()
            if failure is not None:
                await _refuse(failure, self._send)
            elif not self._is_gone:
                await self._deliver()
        except OSError:
            # Servers say so that the client has gone.
            self._is_gone = True
        finally:
            if self._receiving is not None:
                self._receiving.cancel()
            self._close()

    async def _deliver(self) -> None:
        exchange, download = self.exchange, self.exchange.download
        start = {"type": "http.response.start", "status": download.status}
        trailers = self.takes_trailers and not download.is_whole
        if trailers:
            start["trailers"] = True
        await self._send({**start, "headers": download.fields})
        while not self._is_gone:
            piece = download.next(exchange.waker.raw)
            if piece is None:
                await self._send_piece(b"", more=False)
                break
            if isinstance(piece, Region):
                await self._send_file(piece)
            elif piece:
                more = trailers or not download.is_whole or bool(download.left)
                await self._send_piece(piece, more)
                if not more:
                    break
                await self._breathe()
            else:
                await self._wait()
                if exchange.is_broken:
                    raise Broken("the call failed behind its response")
        if trailers and not self._is_gone:
            message = {"type": "http.response.trailers", "headers": download.trailers}
            await self._send({**message, "more_trailers": False})

    async def _send_piece(self, piece: bytes, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": piece, "more_body": more})

    async def _hint(self) -> None:
        """Sends early hints that the application gave before its response."""
        while self.exchange.hints:
            links = self.exchange.hints.pop(0)
            await self._send({"type": "http.response.early_hint", "links": links})

    async def _send_file(self, region: Region) -> None:
        loop = asyncio.get_running_loop()
        try:
            while region.left and not self._is_gone:
                piece = await loop.run_in_executor(None, region.read)
                await self._send_piece(piece, more=True)
                await self._breathe()
        finally:
            region.close()

    async def _wait(self) -> None:
        """Waits for a wake, or for the server's next message; then polls."""
        self._ask()
        await self._bell.wait()
        self._hear()
        self.exchange.poll()
        if self.exchange.download is None:
            await self._hint()

    async def _breathe(self) -> None:
        """Lets others go on, and hears whether the client has gone: to send may do neither."""
        self._ask()
        await asyncio.sleep(0)
        self._hear()

    def _ask(self) -> None:
        """Asks the server for a message, unless there is one that the application has not taken."""
        if self._receiving is not None or self._is_gone:
            return
        upload = self.exchange.upload
        if upload is not None and not upload.is_over:
            if not upload.has_room or self.expects and not upload.polled:
                return
        self._receiving = asyncio.ensure_future(self._receive())
        self._receiving.add_done_callback(lambda _: self._bell.ring())

    def _hear(self) -> None:
        """Takes the server's message, if there is one."""
        if self._receiving is None or not self._receiving.done():
            return
        receiving, self._receiving = self._receiving, None
        try:
            message = receiving.result()
        except OSError:
            message = {"type": "http.disconnect"}
        except Exception as error:
            # Servers have exceptions of their own for bodies that are not what they should be.
            _LOG.info("%s: its body: %r", self.exchange.label, error)
            if self.exchange.upload is not None:
                self.exchange.upload.fail(GW.PROTOCOL)
            return
        if message["type"] == "http.disconnect":
            self._is_gone = True
            self.exchange.lose()
        elif self.exchange.upload is not None:
            piece, more = message.get("body", b""), message.get("more_body", False)
            self.exchange.upload.feed(piece, more)

    def _close(self) -> None:
        exchange, download = self.exchange, self.exchange.download
        is_complete = download is not None and download.is_whole and not download.left
        if not is_complete or self._is_gone:
            exchange.lose()
        exchange.finish()
        if exchange.is_called:
            if is_complete or exchange.finishes:
                self._asgi.spawn(self._go_on())
            else:
                exchange.drop()

    async def _go_on(self) -> None:
        """Work behind the answer (CALL-09)."""
        while self.exchange.is_called:
            await self._bell.wait()
            self.exchange.poll()


async def _refuse(status: int, send: Send) -> None:
    """An answer of our own, as gatewayd words it."""
    text = f"{reason(status)}\n".encode()
    length = str(len(text)).encode()
    fields = [(b"content-type", b"text/plain"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": text, "more_body": False})


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
    app = Asgi(Configuration.of_environment())
