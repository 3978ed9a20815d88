"""The host as applications see it: the log, and the wish to end."""

from __future__ import annotations

import logging
import os
import re
import signal
from typing import Any

from .abi import GW, NULL, callback, ffi, text


def escaped(message: bytes) -> str:
    """Text in which no control character is left, so that no record passes for another (LOG-01)."""
    return _CONTROLS.sub(
        lambda found: found.group().encode("unicode_escape").decode(),
        message[:_RECORD_BYTES].decode("utf-8", "backslashreplace"),
    )


def follow_level() -> None:
    """Tells the application the level of the logger `gateway.app` as it is now."""
    level = _app.getEffectiveLevel()
    wanted = (ours for ours, theirs in sorted(_LEVELS.items()) if theirs >= level)
    _level[0] = max(wanted, default=GW.LOG_OFF)


@callback(
    "void(const gw_host *, uint32_t, const gw_str *, const gw_str *, const gw_kv *, uint32_t)"
)
def _log(_host: Any, level: int, target: Any, message: Any, pairs: Any, count: int) -> None:
    number = _LEVELS.get(level, logging.DEBUG)
    logger = _app
    if target != NULL and target.len:
        logger = logging.getLogger(f"{_app.name}.{escaped(text(target))}")
    if not logger.isEnabledFor(number):
        return
    words = [escaped(text(message))] if message != NULL else []
    for index in range(count if pairs != NULL else 0):
        key, value = text(pairs[index].key), text(pairs[index].value)
        words.append(f"{escaped(key)}={escaped(value)}")
    logger.log(number, "%s", " ".join(words))


@callback("const void *(const gw_host *, const gw_str *)", error=NULL)
def _ext(_host: Any, _id: Any) -> Any:
    return NULL


@callback("void(const gw_host *, int32_t)")
def _request_shutdown(_host: Any, _exit_code: int) -> None:
    # What every server takes for the wish of an operator. The exit status is the server's.
    os.kill(os.getpid(), signal.SIGTERM)


_app = logging.getLogger("gateway.app")
_LEVELS = {
    GW.LOG_ERROR: logging.ERROR,
    GW.LOG_WARN: logging.WARNING,
    GW.LOG_INFO: logging.INFO,
    GW.LOG_DEBUG: logging.DEBUG,
    GW.LOG_TRACE: 5,
}
logging.addLevelName(5, "TRACE")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Longest part of a record; the rest is cut.
_RECORD_BYTES = 16384

_NAME = b"gateway-interface for Python"
_name = ffi.new("uint8_t[]", _NAME)
_level = ffi.new("uint32_t *", GW.LOG_INFO)
# Valid until the process exits, as this module is.
host = ffi.new("gw_host *")
host.struct_size = ffi.sizeof("gw_host")
host.abi_minor = GW.ABI_MINOR
host.log_level = _level
host.log = _log
host.ext = _ext
host.request_shutdown = _request_shutdown
host.name.ptr = _name
host.name.len = len(_NAME)
