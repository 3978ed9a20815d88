"""`Exchange`: one request, its call, and what the application may ask of the host meanwhile."""

from __future__ import annotations

import logging
import threading
from typing import Any, Callable

from .abi import CRITICAL, GW, NULL, callback, enter, ffi, fields, raise_pending
from .download import Download, Refused
from .head import Head, Lent, is_name, is_value
from .instance import Instance, code_name
from .upload import Upload
from .waker import Kept, Waker


class Exchange:
    """One request and its response, driven by one thread: whoever calls `begin` and `poll`.

    `notify` says that polling again may make progress. It is called from any thread, and may be
    replaced by a later driver.
    """

    def __init__(self, instance: Instance, head: Head, notify: Callable[[], None]) -> None:
        self.label = f"{head.method.decode()} {head.path.decode('latin-1')}"
        self.instance = instance
        self.download: Download | None = None
        self.upload: Upload | None = None
        self.notify = notify
        self.waker = Waker(self._notify)
        self.finishes = False
        # Where the server takes early hints: the link fields of those not yet sent.
        self.hints: list[list[bytes]] | None = None
        self._head = head
        self._slot = ffi.new("uint8_t[]", GW.SLOT_MIN_SIZE + 16)
        self._call = NULL
        self._end: int | None = None
        # The thread that is inside `call` or `poll`.
        self._inside: int | None = None
        # The client has gone, or everything is written.
        self._is_over = False
        self._lost = False
        self._is_settled = False
        self._draining = False
        self._waits_for_close, self._waits_for_drain = Kept(), Kept()
        self.raw = ffi.new("gw_ctx *", [_table])
        self._references = 2  # ours until the call has ended, and the application's
        _exchanges[self.raw] = self

    @property
    def is_called(self) -> bool:
        """Whether the call has not ended."""
        return self._end is None

    def begin(self) -> None:
        """Begins the call and polls it for the first time."""
        slot = ffi.cast("uintptr_t", self._slot)
        lent = Lent(self._head, ffi.cast("void *", int(slot) + -int(slot) % 16))
        length = self._head.content_length
        if length != 0:
            self.upload = Upload(length, self._notify)
            lent.raw.body = self.upload.raw
        lent.raw.ctx = self.raw
        out = ffi.new("gw_call **")
        self.instance.began(self)
        self._inside = threading.get_ident()
        code = self.instance.call(lent.raw, self.waker, out)
        self._inside = None
        if code == GW.PENDING and out[0] != NULL:
            self._call = out[0]
        else:
            self._ended(GW.INTERNAL if code == GW.PENDING else code)
        raise_pending()

    def poll(self) -> None:
        """Goes on with the call, if it has not ended."""
        if self._call == NULL:
            return
        self._inside = threading.get_ident()
        code = enter(self._call.vt.poll, self._call, self.waker.raw)
        self._inside = None
        if code != GW.PENDING:
            self._call = NULL
            self._ended(code)
        raise_pending()

    @property
    def failure(self) -> int | None:
        """The status of the host's own answer, when the call has ended without one (ERR-03)."""
        if self._end is None or self.download is not None:
            return None
        return _STATUSES.get(self._end, 500)

    @property
    def is_broken(self) -> bool:
        """Whether the call failed behind its response, of which not all is there (ERR-02)."""
        failed = self._end is not None and self._end < 0
        return failed and self.download is not None and not self.download.is_whole

    def lose(self) -> None:
        """The client has gone: what the application waits for ends."""
        self._lost = True
        self._over(GW.CLOSED)

    def finish(self) -> None:
        """The response is written completely, or will not be."""
        if not self._is_over:
            self._over(GW.CLOSED)

    def drop(self) -> None:
        """Cancels the call."""
        self.finish()
        call, self._call = self._call, NULL
        if call != NULL:
            call.vt.drop(call)
            self._ended(None)

    def tell_draining(self) -> None:
        """The process begins to drain (LIFE-09)."""
        self._draining = True
        self._waits_for_drain.wake()

    def _over(self, code: int) -> None:
        self._is_over = True
        if self.upload is not None:
            self.upload.fail(code)
        if self.download is not None:
            self.download.drop()
        self._waits_for_close.wake()
        self._settle()

    def _ended(self, code: int | None) -> None:
        """The call has ended with this result, or was dropped."""
        if code == GW.READY and self.download is None and not self._lost:
            code = GW.NO_RESPONSE
        if code is not None and code < 0:
            where = "behind its response" if self.download else "without a response"
            _LOG.error("%s: the call ended %s: %s", self.label, where, code_name(code))
        self._end = GW.READY if code is None else code
        self._waits_for_drain.drop()
        self.instance.ended(self)
        self._settle()
        self._release()

    def _settle(self) -> None:
        """Nothing is polled any more once the call has ended and the response is over."""
        if self._is_over and self._end is not None and not self._is_settled:
            self._is_settled = True
            self.waker.release()

    def _notify(self) -> None:
        self.notify()

    def _release(self) -> None:
        with _lock:
            self._references -= 1
            if self._references == 0:
                del _exchanges[self.raw]

    # ---- what the application calls ----------------------------------------------------------

    def respond(self, raw: Any) -> int:
        """`respond` of gateway.h."""
        if self._inside != threading.get_ident() or self.download is not None:
            return GW.CLOSED if self._end is not None else GW.TOO_LATE
        try:
            download = Download(raw, self._head.method, self.label)
        except NotImplementedError:
            return GW.UNSUPPORTED
        except Refused as why:
            _LOG.error("%s: the response was refused: %s", self.label, why)
            return GW.INVALID
        self.download = download
        if self._lost:
            download.drop()
        return GW.READY

    def inform(self, status: int, headers: Any, count: int) -> int:
        """`inform` of gateway.h; what the server cannot send is dropped."""
        if self._end is not None or self._is_over and not self._lost:
            return GW.CLOSED
        if self.download is not None:
            return GW.TOO_LATE
        if not 102 <= status <= 199 or count and headers == NULL:
            return GW.INVALID
        lines = fields(headers, count)
        if not all(is_name(name) and is_value(value) for name, value in lines):
            return GW.INVALID
        links = [value for name, value in lines if name == b"link"]
        if self.hints is not None and status == 103 and links:
            if len(self.hints) >= _HINTS:
                return GW.LIMIT
            self.hints.append(links)
            self.notify()
        return GW.READY

    def poll_closed(self, waker: Any) -> int:
        """`poll_closed` of gateway.h."""
        if self._lost and self._end is None:
            return GW.READY
        if self._is_over or self._end is not None:
            return GW.CLOSED
        self._waits_for_close.keep(waker)
        if self._is_over:
            self._waits_for_close.drop()
            return GW.READY if self._lost else GW.CLOSED
        return GW.PENDING

    def poll_draining(self, waker: Any) -> int:
        """`poll_draining` of gateway.h."""
        if self._end is not None:
            return GW.CLOSED
        if self._draining:
            return GW.READY
        self._waits_for_drain.keep(waker)
        if self._draining:
            self._waits_for_drain.drop()
            return GW.READY
        return GW.PENDING

    def set_flags(self, flags: int) -> int:
        """`set_flags` of gateway.h."""
        if self._end is not None:
            return GW.CLOSED
        if flags & CRITICAL:
            return GW.UNSUPPORTED
        self.finishes = bool(flags & GW.CTX_FINISH_ON_DISCONNECT)
        return GW.READY

    def upgrade(self) -> int:
        """`upgrade` of gateway.h: no response upgrades."""
        return GW.CLOSED if self._end is not None else GW.INVALID


@callback("int32_t(gw_ctx *, gw_response *)", error=GW.INTERNAL)
def _respond(raw: Any, response: Any) -> int:
    return _exchanges[raw].respond(response)


@callback("int32_t(gw_ctx *, uint32_t, const gw_header *, uint32_t)", error=GW.INTERNAL)
def _inform(raw: Any, status: int, headers: Any, count: int) -> int:
    return _exchanges[raw].inform(status, headers, count)


@callback("int32_t(gw_ctx *, const gw_waker *)", error=GW.INTERNAL)
def _poll_closed(raw: Any, waker: Any) -> int:
    return _exchanges[raw].poll_closed(waker)


@callback("int32_t(gw_ctx *, const gw_waker *)", error=GW.INTERNAL)
def _poll_draining(raw: Any, waker: Any) -> int:
    return _exchanges[raw].poll_draining(waker)


@callback("int32_t(gw_ctx *, const gw_waker *, gw_stream **)", error=GW.INTERNAL)
def _upgrade(raw: Any, _waker: Any, _out: Any) -> int:
    return _exchanges[raw].upgrade()


@callback("int32_t(gw_ctx *, uint64_t)", error=GW.INTERNAL)
def _set_flags(raw: Any, flags: int) -> int:
    return _exchanges[raw].set_flags(flags)


@callback("const void *(gw_ctx *, const gw_str *)", error=NULL)
def _ext(_raw: Any, _id: Any) -> Any:
    return NULL


@callback("void(gw_ctx *)")
def _drop(raw: Any) -> None:
    _exchanges[raw]._release()


_LOG = logging.getLogger("gateway")
# Guards the counts of references; nothing of the application is called under it.
_lock = threading.Lock()
# Until their call has ended and the application has given its reference back.
_exchanges: dict[Any, Exchange] = {}
# Early hints that wait to be sent.
_HINTS = 16
_STATUSES = {GW.LIMIT: 413, GW.TIMEOUT: 408, GW.PROTOCOL: 400, GW.BUSY: 503}
_table = ffi.new("gw_ctx_vt *")
_table.struct_size = ffi.sizeof("gw_ctx_vt")
_table.respond = _respond
_table.inform = _inform
_table.poll_closed = _poll_closed
_table.poll_draining = _poll_draining
_table.upgrade = _upgrade
_table.set_flags = _set_flags
_table.ext = _ext
_table.drop = _drop
