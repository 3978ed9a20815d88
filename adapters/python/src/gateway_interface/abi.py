"""The C ABI in Python: cffi's view of gateway.h, and the two ways across the border.

cffi, not ctypes, for what happens when Python's own exceptions meet a callback. A signal that comes
while native code runs is handled at the first instruction of the next Python function, which is a
callback's, before any `try` in it. When the handler raises, as Gunicorn's does at a worker's
timeout, ctypes hands the application whatever was in memory as the result; cffi hands over a result
that was chosen beforehand, and the exception to us.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import cffi

from . import header

_TEXT = Path(__file__).with_name("gateway.h").read_text(encoding="utf-8")

ffi = cffi.FFI()
ffi.cdef(header.declarations(_TEXT))
NULL = ffi.NULL

# The constants of gateway.h: GW.READY is GW_READY.
GW = SimpleNamespace(**header.constants(_TEXT))
NAME_IDS = header.name_ids(_TEXT)
# The half of a flag word whose unknown bits are refused (rule 5 of gateway.h).
CRITICAL = GW.MODULE_CRITICAL_MASK


def callback(signature: str, error: Any = None) -> Callable[[Callable[..., Any]], Any]:
    """Makes a Python function one that the application calls.

    `error` is its result when the function fails: it never raises into the application (ERR-01).
    What was raised waits for `raise_pending` if this thread came through `enter`, and is logged
    otherwise.
    """
    if error is None:
        return ffi.callback(signature, onerror=_failed)
    return ffi.callback(signature, error=error, onerror=_failed)


def enter(function: Any, *arguments: Any) -> int:
    """Calls a function of the application. The GIL is released while it runs.

    No lock may be held by the caller: the application may call back from this and other threads.
    """
    _thread.depth += 1
    try:
        return function(*arguments)
    finally:
        _thread.depth -= 1


def raise_pending() -> None:
    """Raises what a callback of this thread has failed with, once."""
    failed, _thread.failed = _thread.failed, None
    if failed is not None:
        raise failed


def text(value: Any) -> bytes:
    """A copy of a gw_str."""
    return bytes(ffi.buffer(value.ptr, value.len)) if value.len else b""


def fields(headers: Any, count: int) -> list[tuple[bytes, bytes]]:
    """Copies of borrowed field lines."""
    lines = (headers[index] for index in range(count))
    return [(_copy(line.name, line.name_len), _copy(line.value, line.value_len)) for line in lines]


def has(pointer: Any, field: str) -> bool:
    """Whether the filler of a structure knew a field (GW_HAS of gateway.h)."""
    kind = ffi.typeof(pointer).item
    size = ffi.sizeof(dict(kind.fields)[field].type)
    return pointer.struct_size >= ffi.offsetof(kind, field) + size


def _copy(pointer: Any, length: int) -> bytes:
    return bytes(ffi.buffer(pointer, length)) if length else b""


class _Thread(threading.local):
    depth = 0
    failed: BaseException | None = None


_thread = _Thread()


def _failed(kind: type, exception: BaseException, traceback: Any) -> None:
    if _thread.depth > 0:
        _thread.failed = exception
    else:
        logging.getLogger("gateway").error("a function of the host failed", exc_info=exception)
