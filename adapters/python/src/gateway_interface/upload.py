"""`Upload`: a request's body, fed by the host's side and polled by the application."""

from __future__ import annotations

import itertools
import threading
from typing import Any, Callable

from .abi import GW, callback, ffi
from .waker import Kept


class Upload:
    """A request's body. The application may poll it on any thread until it drops it.

    `ask` is called when the application wants more than is there, on its thread: it must neither
    block nor call the application.
    """

    def __init__(self, length: int | None, ask: Callable[[], None]) -> None:
        """`length` is what was declared."""
        self.raw = ffi.new("gw_body *", [_table])
        self._ask = ask
        # Guards what follows; nothing of the application is called under it.
        self._lock = threading.Lock()
        self._pieces: list[bytes] = []
        self.left = length
        # A result of poll_frame once the pieces are gone: READY is the end.
        self._end: int | None = None
        self.wanted = False
        # The application has looked at it: the moment of "100 Continue" (BODY-04).
        self.polled = False
        self._dropped = False
        self._waker = Kept()
        _bodies[self.raw] = self

    @property
    def is_over(self) -> bool:
        """Whether nothing is to be fed any more."""
        return self._end is not None or self._dropped

    @property
    def has_room(self) -> bool:
        """Whether more may be fed before the application has taken what there is (BODY-03)."""
        return sum(map(len, self._pieces)) < BUFFER_BYTES

    def feed(self, piece: bytes, more: bool = True) -> None:
        """Hands bytes over; without `more` they are the last."""
        with self._lock:
            if self.is_over:
                return
            if self.left is not None:
                # What exceeds the declared length is the next request's, or nobody's (BODY-05).
                if len(piece) > self.left:
                    self._end, piece = GW.PROTOCOL, piece[: self.left]
                self.left -= len(piece)
                more = more and self.left > 0
            if piece:
                self._pieces.append(piece)
            if not more and self._end is None:
                self._end = GW.READY if not self.left else GW.PROTOCOL
            self.wanted = False
        self._waker.wake()

    def fail(self, code: int) -> None:
        """Ends it with an error, unless it has ended."""
        with self._lock:
            if self._end is None:
                self._end = code
            self.wanted = False
        self._waker.wake()

    def poll(self, waker: Any, out: Any) -> int:
        """`poll_frame` of gateway.h."""
        self._waker.keep(waker)
        with self._lock:
            self.polled = True
            if self._pieces:
                code = GW.READY
                piece = self._pieces.pop(0)
                out.kind = GW.FRAME_DATA
                out.flags = GW.FRAME_LAST if self._end == GW.READY and not self._pieces else 0
                give(out.data, piece)
            elif self._end is not None:
                code = self._end
                out.kind = GW.FRAME_END
            else:
                code, self.wanted = GW.PENDING, True
        if code != GW.PENDING:
            self._waker.drop()
        self._ask()
        return code

    def drop(self) -> None:
        """The application has given it back."""
        with self._lock:
            self._dropped = True
            self.wanted = False
            self._pieces.clear()
        self._waker.drop()
        self._ask()


def give(buffer: Any, content: bytes) -> None:
    """Fills a gw_buf with bytes that the application frees."""
    view = ffi.from_buffer(content)
    number = next(_numbers)
    _buffers[number] = view
    buffer.ptr = ffi.cast("const uint8_t *", view)
    buffer.len = len(content)
    buffer.drop = _drop_buffer
    buffer.priv[0] = number


@callback("int32_t(gw_body *, const gw_waker *, gw_frame *)", error=GW.INTERNAL)
def _poll_frame(raw: Any, waker: Any, out: Any) -> int:
    if out.struct_size < ffi.sizeof("gw_frame"):
        return GW.INVALID
    return _bodies[raw].poll(waker, out)


@callback("void(gw_body *)")
def _drop(raw: Any) -> None:
    body = _bodies.pop(raw, None)
    if body is not None:
        body.drop()


@callback("void(gw_buf *)")
def _drop_buffer(buffer: Any) -> None:
    _buffers.pop(buffer.priv[0], None)


# What may wait for the application, beside the piece that reaches this.
BUFFER_BYTES = 64 * 1024
# Alive until the application drops them.
_bodies: dict[Any, Upload] = {}
_buffers: dict[int, Any] = {}
_numbers = itertools.count(1)
_table = ffi.new("gw_body_vt *")
_table.struct_size = ffi.sizeof("gw_body_vt")
_table.poll_frame = _poll_frame
_table.drop = _drop
