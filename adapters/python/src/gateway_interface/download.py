"""`Download`: a response, from what the application hands to `respond` to the last piece."""

from __future__ import annotations

import http
import logging
import os
from dataclasses import dataclass
from typing import Any

from .abi import CRITICAL, GW, NULL, enter, ffi, fields, raise_pending
from .head import is_name, is_value


class Refused(Exception):
    """A response that breaks a rule; nothing of it has been taken (RES-06)."""


class Broken(Exception):
    """A response that cannot be finished: the connection has to end, so that nobody takes what was
    sent for the whole."""


@dataclass
class Region:
    """Bytes of a file, read by position; the descriptor is closed by `close`."""

    descriptor: int
    offset: int
    left: int

    def read(self) -> bytes:
        """The next piece. Raises `Broken` when the file ends first, or cannot be read."""
        try:
            piece = os.pread(self.descriptor, min(self.left, PIECE_BYTES), self.offset)
        except OSError as error:
            raise Broken(f"its file cannot be read: {error}") from None
        if not piece:
            raise Broken(f"expected {self.left} more bytes of a file, found its end")
        self.offset += len(piece)
        self.left -= len(piece)
        return piece

    def close(self) -> None:
        """Closes the descriptor, if it is one."""
        try:
            os.close(self.descriptor)
        except OSError as error:
            _LOG.error("a FILE frame's descriptor: %s", error)


class Download:
    """A response. `status` and `fields` are its head; `next` gives its content."""

    def __init__(self, raw: Any, method: bytes, label: str) -> None:
        """Takes what `respond` was given: on success `first` and `body` are moved.

        Raises `Refused`; `NotImplementedError` for an unknown critical flag.
        """
        if raw.struct_size < ffi.sizeof("gw_response"):
            raise Refused(f"expected a structure of {ffi.sizeof('gw_response')} bytes")
        if raw.n_headers and (raw.headers == NULL or raw.n_headers > _FIELDS):
            raise Refused(f"expected at most {_FIELDS} fields, found {raw.n_headers}")
        if raw.flags & CRITICAL:
            raise NotImplementedError
        if raw.flags & GW.RESPONSE_UPGRADE:
            raise Refused("expected a response without an upgrade, for none was offered")
        if not 200 <= raw.status <= 599:
            raise Refused(f"expected a status of 200 to 599, found {raw.status}")
        if method == b"CONNECT" and raw.status < 300:
            # The client would take what follows for a tunnel's.
            raise Refused(f"expected a status of 300 to 599 for CONNECT, found {raw.status}")
        is_head = method == b"HEAD"
        self._label = label
        self.status = raw.status
        self.trailers: list[tuple[bytes, bytes]] = []
        self.fields, field = _checked(fields(raw.headers, raw.n_headers))
        declared = raw.content_length if raw.flags & GW.RESPONSE_HAS_LENGTH else None
        actual = raw.first.len if raw.body == NULL else None
        bodiless = is_head or raw.status in (204, 205, 304)
        length = _length(declared, actual, field, bodiless, is_head)
        announced = {204: None, 205: 0}.get(raw.status, length)
        if announced is not None:
            self.fields.append((b"content-length", str(announced).encode()))
        # Bytes that may still be sent; None if that is not known.
        self.left = 0 if bodiless else length
        self._sent = 0
        self._first, self._body, self._region = b"", NULL, None
        self._frame = ffi.new("gw_frame *")
        self._take(raw, bodiless)

    def next(self, waker: Any) -> bytes | Region | None:
        """The next piece; empty if there is none yet, None at the end.

        A region is to be read and closed before the next is asked for. Raises `Broken`.
        """
        if self._first:
            first, self._first = self._first, b""
            return self._allowed(first)
        while self._body != NULL:
            kind, piece = self._poll(waker)
            if kind == GW.PENDING:
                return b""
            if piece is not None:
                if self.left == 0:
                    self._cut()
                    if isinstance(piece, Region):
                        piece.close()
                elif isinstance(piece, Region):
                    return self._allowed_region(piece)
                elif piece:
                    return self._allowed(piece)
        if self.left:
            whole = self._sent + self.left
            raise Broken(f"expected {whole} bytes of body, found {self._sent}")
        return None

    @property
    def is_whole(self) -> bool:
        """Whether nothing more comes from the application."""
        return self._body == NULL

    def drop(self) -> None:
        """Gives the body back, wherever it is."""
        body, self._body = self._body, NULL
        if body != NULL:
            body.vt.drop(body)

    def _take(self, raw: Any, bodiless: bool) -> None:
        first, body = raw.first, raw.body
        if first.len and not bodiless:
            self._first = bytes(ffi.buffer(first.ptr, first.len))
        if first.drop != NULL:
            # The function may be called from inside `respond`: it drops what was just moved.
            first.drop(ffi.addressof(raw[0], "first"))
        ffi.memmove(ffi.addressof(raw[0], "first"), _NO_BUFFER, len(_NO_BUFFER))
        raw.body = NULL
        self._body = body
        if body != NULL and (bodiless or body.vt == NULL or body.vt.poll_frame == NULL):
            self.drop()

    def _poll(self, waker: Any) -> tuple[int, Any]:
        """One frame: PENDING, or READY with bytes, a region, or None for what has no content."""
        frame = self._frame
        ffi.memmove(frame, _NO_FRAME, len(_NO_FRAME))
        frame.struct_size, frame.fd = len(_NO_FRAME), -1
        code = enter(self._body.vt.poll_frame, self._body, waker, frame)
        if code == GW.PENDING:
            raise_pending()
            return code, None
        if code != GW.READY:
            self.drop()
            raise_pending()
            raise Broken(f"its body failed with the code {code}")
        kind, piece = frame.kind, None
        if kind == GW.FRAME_DATA:
            piece = self._data(frame.data)
        elif kind == GW.FRAME_FILE:
            piece = Region(frame.fd, frame.offset, frame.length)
        elif kind == GW.FRAME_TRAILERS:
            self._keep_trailers(frame)
            # Only the end may follow.
            kind = GW.FRAME_END
        elif kind != GW.FRAME_END:
            self.drop()
            raise Broken(f"a frame of unknown kind {kind}")
        if kind == GW.FRAME_END or frame.flags & GW.FRAME_LAST:
            self.drop()
        raise_pending()
        return code, piece

    def _data(self, buffer: Any) -> bytes:
        content = bytes(ffi.buffer(buffer.ptr, buffer.len)) if buffer.len else b""
        if buffer.drop != NULL:
            buffer.drop(ffi.addressof(self._frame[0], "data"))
        return content

    def _keep_trailers(self, frame: Any) -> None:
        lines = fields(frame.trailers, frame.n_trailers)
        for name, value in lines:
            if not is_name(name) or not is_value(value):
                self.drop()
                raise Broken(f"expected a trailer field, found {name!r}: {value!r}")
        self.trailers = [line for line in lines if line[0] not in _NO_TRAILERS]

    def _allowed(self, piece: bytes) -> bytes:
        """What of it may be sent (RES-10)."""
        if self.left is not None:
            if len(piece) > self.left:
                piece = piece[: self.left]
                self._cut()
            self.left -= len(piece)
        self._sent += len(piece)
        return piece

    def _allowed_region(self, region: Region) -> Region:
        if self.left is not None:
            if region.left > self.left:
                region.left = self.left
                self._cut()
            self.left -= region.left
        self._sent += region.left
        return region

    def _cut(self) -> None:
        self._log("the response has more bytes than its content-length: cut")
        self.drop()

    def _log(self, message: str, *words: Any) -> None:
        _LOG.error("%s: " + message, self._label, *words)


def reason(status: int) -> str:
    """The reason phrase, of which WSGI wants one for each status."""
    if status in _REASONS:
        return _REASONS[status]
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _checked(lines: list[tuple[bytes, bytes]]) -> tuple[list[tuple[bytes, bytes]], int | None]:
    """The fields without content-length, and what that says."""
    kept, length = [], None
    for name, value in lines:
        if not is_name(name) or not is_value(value):
            raise Refused(f"expected a field, found {name!r}: {value!r}")
        if name in _OF_THE_HOST:
            raise Refused(f"expected no field of the host's, found {name.decode()}")
        if name != b"content-length":
            kept.append((name, value))
        elif length is not None or not value.isdigit() or int(value) >= GW.LENGTH_UNKNOWN:
            raise Refused(f"expected one content-length of digits, found {value!r}")
        else:
            length = int(value)
    return kept, length


def _length(
    declared: int | None, actual: int | None, field: int | None, bodiless: bool, is_head: bool
) -> int | None:
    """What is announced: the declared length, or that of a body which is all there."""
    if field is not None:
        if declared is not None and declared != field:
            raise Refused(f"content-length {field} and a declared length of {declared}")
        if declared is None and actual is not None and actual != field and not bodiless:
            raise Refused(f"content-length {field} and a body of {actual} bytes")
        return field
    if declared is not None:
        return declared
    if actual is not None and bodiless and not (is_head and actual):
        return None
    return actual


# Bytes read from files and requests at once.
PIECE_BYTES = 64 * 1024
# Fields of one response beyond which a count is taken for garbage.
_FIELDS = 65536
_LOG = logging.getLogger("gateway")
# As RFC 9110 has them, and Python since 3.13.
_REASONS = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
_OF_THE_HOST = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding")
    + (b"upgrade",)
)
# RFC 9110 §6.5.1: framing, routing, authentication and content type.
_NO_TRAILERS = _OF_THE_HOST | frozenset(
    (b"content-length", b"host", b"content-type", b"content-encoding", b"content-range")
    + (b"authorization", b"proxy-authorization", b"proxy-authenticate", b"www-authenticate")
    + (b"set-cookie", b"cookie", b"cache-control", b"expect", b"max-forwards", b"range", b"date")
    + (b"age", b"expires", b"location", b"retry-after", b"vary", b"warning")
)
_NO_FRAME = bytes(ffi.sizeof("gw_frame"))
_NO_BUFFER = bytes(ffi.sizeof("gw_buf"))
