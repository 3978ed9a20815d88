"""One application in this process: create, startup, calls, shutdown, destroy (SPEC.md 4)."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from typing import Any

from . import services
from .abi import GW, NULL, enter, ffi, has, raise_pending
from .module import Module
from .waker import Waker


class StartError(Exception):
    """The application could not be created or started; the message has its own words."""


class Instance:
    """An instance of a module. Made in the process that serves, never before a fork."""

    def __init__(
        self,
        module: Module,
        argument: bytes = b"",
        settings: Mapping[str, str] | None = None,
        threads: int = 1,
    ) -> None:
        """Calls `create`. `threads` is on how many threads calls will run.

        Raises `StartError`.
        """
        self.module = module
        self.name = module.name
        self.pid = os.getpid()
        self.is_serving = False
        # Guards `exchanges`, those whose call has not ended.
        self._lock = threading.Lock()
        self.exchanges: set[Any] = set()
        self.idle = threading.Event()
        self.idle.set()
        self._raw = self._create(argument, dict(settings or {}), threads)
        self.table = self._raw.vt
        if self.table == NULL or not has(self.table, "destroy") or self.table.call == NULL:
            raise StartError(f"{self.name}: create gave a table that has no call")

    def poll_startup(self, waker: Waker) -> bool:
        """Goes on starting; whether it is done. Raises `StartError` after having destroyed it."""
        code = GW.READY
        complaint = _Complaint()
        if self.table.startup != NULL:
            code = enter(self.table.startup, self._raw, waker.raw, complaint.raw)
            if code == GW.PENDING:
                raise_pending()
                return False
        if code != GW.READY:
            self.destroy()
            raise_pending()
            raise StartError(f"{self.name}: start-up failed: {complaint.words(code)}")
        self.is_serving = True
        raise_pending()
        return True

    def call(self, request: Any, waker: Waker, out: Any) -> int:
        """Begins a call; see gateway.h."""
        return enter(self.table.call, self._raw, request, waker.raw, out)

    def begin_shutdown(self) -> None:
        """No call comes any more; those there are hear of it."""
        self.is_serving = False
        for exchange in self.pending():
            exchange.tell_draining()

    def pending(self) -> list[Any]:
        """The exchanges whose call has not ended."""
        with self._lock:
            return list(self.exchanges)

    def began(self, exchange: Any) -> None:
        """Counts a call."""
        with self._lock:
            self.exchanges.add(exchange)
            self.idle.clear()

    def ended(self, exchange: Any) -> None:
        """Counts it no more."""
        with self._lock:
            self.exchanges.discard(exchange)
            if not self.exchanges:
                self.idle.set()

    def poll_shutdown(self, waker: Waker, deadline: float) -> bool:
        """Goes on shutting down; whether it is done. `deadline` is a time of `time.monotonic`."""
        if self.table.shutdown == NULL:
            return True
        nanoseconds = max(1, int(deadline * 1e9))
        code = enter(self.table.shutdown, self._raw, waker.raw, nanoseconds)
        raise_pending()
        if code not in (GW.READY, GW.PENDING):
            _LOG.error("%s: shutdown failed: %s", self.name, code_name(code))
        return code != GW.PENDING

    def destroy(self) -> None:
        """Ends it."""
        if self.table.destroy != NULL:
            enter(self.table.destroy, self._raw)

    def _create(self, argument: bytes, settings: dict[str, str], threads: int) -> Any:
        kept: list[Any] = []  # borrowed for the duration of `create`
        entries = ffi.new("gw_kv[]", len(settings))
        for entry, (key, value) in zip(entries, settings.items()):
            lend(entry.key, key.encode(), kept)
            lend(entry.value, value.encode(), kept)
        config = ffi.new("gw_config *")
        config.struct_size = ffi.sizeof("gw_config")
        config.n_entries = len(settings)
        config.entries = entries
        lend(config.argument, argument, kept)
        config.worker_count = 1
        config.threads_per_worker = threads
        out = ffi.new("const gw_app **")
        complaint = _Complaint()
        code = enter(self.module.raw.create, services.host, config, out, complaint.raw)
        if code != GW.READY or out[0] == NULL:
            raise_pending()
            raise StartError(f"{self.name}: create failed: {complaint.words(code)}")
        return out[0]


def lend(field: Any, value: bytes, kept: list[Any]) -> None:
    """Fills a gw_str that borrows `value`, which lives as long as `kept`."""
    view = ffi.from_buffer(value)
    kept.append(view)
    field.ptr = ffi.cast("const uint8_t *", view)
    field.len = len(value)


def code_name(code: int) -> str:
    """The name of a result, for the log."""
    return _CODES.get(code, f"code {code}")


class _Complaint:
    """Where a failing start says why."""

    def __init__(self) -> None:
        self._text = ffi.new("char[]", _COMPLAINT_BYTES)
        self.raw = ffi.new("gw_error *")
        self.raw.struct_size = ffi.sizeof("gw_error")
        self.raw.text = self._text
        self.raw.cap = _COMPLAINT_BYTES

    def words(self, code: int) -> str:
        """What it said, or what the code means."""
        length = min(self.raw.len, _COMPLAINT_BYTES)
        said = services.escaped(bytes(ffi.buffer(self._text, length)).rstrip(b"\x00 \n"))
        if not said and code == GW.PANIC:
            return "it panicked; see the log"
        return said or f"without a message ({code_name(code)})"


_LOG = logging.getLogger("gateway")
# Longest message of a failed start; the rest is cut.
_COMPLAINT_BYTES = 4096
_CODES = {
    getattr(GW, name): name
    for name in ("PANIC", "UNSUPPORTED", "INVALID", "CLOSED", "TOO_LATE", "LIMIT", "TIMEOUT")
    + ("PROTOCOL", "IO", "BUSY", "INTERNAL", "NO_RESPONSE", "PENDING", "READY")
}
