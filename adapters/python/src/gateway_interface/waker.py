"""Wakers, both ways: `Waker` is lent to the application, `Kept` keeps one of the application's."""

from __future__ import annotations

import threading
from typing import Any, Callable

from .abi import NULL, callback, ffi


class Waker:
    """One waker of the host. It is the application's as long as there are clones of it.

    `notify` is called at each wake, from whatever thread: it must neither block nor call the
    application.
    """

    def __init__(self, notify: Callable[[], None]) -> None:
        self.raw = ffi.new("gw_waker *", [_table])
        self.notify = notify
        self._references = 1
        with _lock:
            _wakers[self.raw] = self

    def release(self) -> None:
        """Gives the host's own reference back."""
        _release(self)


class Kept:
    """The last waker that a poll function was given, on one object (rule 7 of gateway.h)."""

    def __init__(self) -> None:
        self._raw = NULL
        self._lock = threading.Lock()

    def keep(self, raw: Any) -> None:
        """Keeps a clone of a borrowed waker, unless it is kept already."""
        if raw == self._raw:
            return
        clone = raw.vt.clone(raw)
        with self._lock:
            old, self._raw = self._raw, clone
        if old != NULL:
            old.vt.drop(old)

    def wake(self) -> None:
        """Wakes and forgets; nothing if none is kept."""
        raw = self._take()
        if raw != NULL:
            raw.vt.wake(raw)

    def drop(self) -> None:
        """Forgets."""
        raw = self._take()
        if raw != NULL:
            raw.vt.drop(raw)

    def _take(self) -> Any:
        with self._lock:
            raw, self._raw = self._raw, NULL
        return raw


# Guards `_wakers` and the counts; nothing of the application is called under it.
_lock = threading.Lock()
_wakers: dict[Any, Waker] = {}


def _release(waker: Waker) -> None:
    with _lock:
        waker._references -= 1
        if waker._references == 0:
            del _wakers[waker.raw]


# What the application gets where a clone could not be made: wakes nobody.
_inert_table = ffi.new("gw_waker_vt *")
_inert = ffi.new("gw_waker *", [_inert_table])


@callback("const gw_waker *(const gw_waker *)", error=_inert)
def _clone(raw: Any) -> Any:
    with _lock:
        waker = _wakers.get(raw)
        if waker is not None:
            waker._references += 1
            return raw
    return _inert


@callback("void(const gw_waker *)")
def _wake(raw: Any) -> None:
    waker = _wakers.get(raw)
    if waker is not None:
        waker.notify()
        _release(waker)


@callback("void(const gw_waker *)")
def _wake_by_ref(raw: Any) -> None:
    waker = _wakers.get(raw)
    if waker is not None:
        waker.notify()


@callback("void(const gw_waker *)")
def _drop(raw: Any) -> None:
    waker = _wakers.get(raw)
    if waker is not None:
        _release(waker)


_table = ffi.new("gw_waker_vt *", [_clone, _wake, _wake_by_ref, _drop])


@callback("const gw_waker *(const gw_waker *)", error=_inert)
def _inert_clone(raw: Any) -> Any:
    return _inert


@callback("void(const gw_waker *)")
def _inert_end(raw: Any) -> None:
    pass


_inert_table[0] = [_inert_clone, _inert_end, _inert_end, _inert_end]
