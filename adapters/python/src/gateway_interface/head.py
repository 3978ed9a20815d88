"""`Head`: what a request says (SPEC.md, chapter 5), and how it is lent to the application."""

from __future__ import annotations

import os
import re
import socket
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from .abi import GW, NAME_IDS, ffi
from .instance import lend


class BadRequest(Exception):
    """What the server handed over is no request that an application may see."""


@dataclass
class Head:
    """A request's head. Texts are bytes as the client sent them, if the server keeps them."""

    method: bytes
    target: bytes
    version: int
    is_https: bool
    fields: list[tuple[bytes, bytes]]
    # Bytes of the body; None if there is one of unknown length.
    content_length: int | None
    mount: bytes = b""
    # Address and port. The client is who the server says it is.
    client: tuple[str, int] | None = None
    local: tuple[str, int] | None = None
    # What follows is made of the above.
    path: bytes = field(init=False, default=b"")
    query: bytes | None = field(init=False, default=None)
    authority: bytes = field(init=False, default=b"")
    flags: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Splits and checks. Raises `BadRequest`."""
        if not _TOKEN.fullmatch(self.method):
            raise BadRequest(f"expected a method, found {self.method!r}")
        if not _TARGET.fullmatch(self.target):
            raise BadRequest(f"expected a request target, found {self.target!r}")
        self.mount = self.mount.rstrip(b"/")
        self._split()
        self._choose_fields()
        if self.content_length != 0:
            self.flags |= GW.REQUEST_HAS_BODY

    def _split(self) -> None:
        absolute = _ABSOLUTE.match(self.target)
        rest = self.target
        if absolute is not None:
            self.flags |= GW.REQUEST_ABSOLUTE_FORM
            self.authority = absolute.group(1)
            rest = self.target[absolute.end() :]
        path, mark, query = rest.partition(b"?")
        # RFC 9112 §3.2.2: an empty path behind an authority is `/`, which no part of the target is.
        if absolute is not None and not path:
            path = b"/"
        if not path.startswith(b"/") and (self.method, path) != (b"OPTIONS", b"*"):
            raise BadRequest(f"expected a path, found {path!r}")
        self.path, self.query = path, query if mark else None
        if self.mount:
            self.mount = raw_mount(path, self.mount)

    def _choose_fields(self) -> None:
        """Takes out what is the host's (REQ-07, REQ-09), and joins cookies (REQ-08)."""
        named: set[bytes] = set()
        hosts, cookies = [], []
        for name, value in self.fields:
            if not _LOWER_TOKEN.fullmatch(name) or not is_value(value):
                raise BadRequest(f"expected a field, found {name!r}: {value!r}")
            if name == b"connection":
                named.update(word.strip().lower() for word in value.split(b","))
            elif name == b"host":
                hosts.append(value)
            elif name == b"cookie":
                cookies.append(value)
        # RFC 9112 §3.2: exactly one; only HTTP/1.0 may lack it.
        if len(hosts) > 1 or not hosts and self.version >= GW.VERSION_HTTP_11:
            raise BadRequest(f"expected one host, found {hosts!r}")
        if self.authority and hosts and hosts[0].lower() != self.authority.lower():
            raise BadRequest(f"expected the host {self.authority!r}, found {hosts[0]!r}")
        self.authority = self.authority or b"".join(hosts)
        kept: list[tuple[bytes, bytes]] = []
        joins = self.version >= GW.VERSION_HTTP_2 and len(cookies) > 1
        for name, value in self.fields:
            if name == b"host":
                value = self.authority
            elif name in _OF_THE_HOP or name in named and name not in _NEVER_OF_THE_HOP:
                if name != b"te" or b"trailers" not in value.lower():
                    continue
                value = b"trailers"
            elif name == b"content-length" and self.content_length is None:
                continue
            elif name == b"cookie" and joins:
                if not cookies:
                    continue
                value, cookies = b"; ".join(cookies), []
            kept.append((name, value))
        if not hosts and self.authority:
            kept.insert(0, (b"host", self.authority))
        self.fields = kept


class Lent:
    """A head as the application reads it; valid as long as this lives."""

    def __init__(self, head: Head, slot: Any) -> None:
        kept: list[Any] = []
        self._kept = kept
        request = self.raw = ffi.new("gw_request *")
        request.struct_size = ffi.sizeof("gw_request")
        request.flags = head.flags
        request.version = head.version
        request.scheme = GW.SCHEME_HTTPS if head.is_https else GW.SCHEME_HTTP
        request.method_id = _METHOD_IDS.get(head.method, GW.METHOD_OTHER)
        lend(request.method, head.method, kept)
        lend(request.target, head.target, kept)
        lend(request.authority, head.authority, kept)
        self._lend_parts(request, head)
        lend(request.id, os.urandom(16).hex().encode(), kept)
        request.n_headers = len(head.fields)
        request.headers = self._lines(head.fields)
        request.content_length = (
            GW.LENGTH_UNKNOWN if head.content_length is None else head.content_length
        )
        client, local = address(head.client), address(head.local)
        kept += [client, local]
        request.peer = request.client = client
        request.local = local
        request.t_mono_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        request.slot = slot
        request.slot_len = GW.SLOT_MIN_SIZE

    def _lend_parts(self, request: Any, head: Head) -> None:
        """Path, query and mount as parts of the target (REQ-02)."""
        start = head.target.find(head.path) if head.flags & GW.REQUEST_ABSOLUTE_FORM else 0
        if head.flags & GW.REQUEST_ABSOLUTE_FORM:
            start = len(_ABSOLUTE.match(head.target).group())
            if not head.target.startswith(b"/", start):
                # The `/` that nobody sent is the second of the `://`.
                start = head.target.index(b"://") + 2
        request.path.ptr = request.target.ptr + start
        request.path.len = len(head.path)
        if head.query is not None:
            request.query.ptr = request.target.ptr + head.target.index(b"?") + 1
            request.query.len = len(head.query)
        if head.mount:
            request.mount.ptr = request.path.ptr
            request.mount.len = len(head.mount)

    def _lines(self, fields: list[tuple[bytes, bytes]]) -> Any:
        # One buffer for all names and values.
        region = ffi.from_buffer(b"".join(part for line in fields for part in line))
        start = ffi.cast("const uint8_t *", region)
        lines = ffi.new("gw_header[]", len(fields))
        self._kept += [region, lines]
        for line, (name, value) in zip(lines, fields):
            line.name = start
            line.name_len = len(name)
            line.value = start + len(name)
            line.value_len = len(value)
            line.name_id = NAME_IDS.get(name, 0)
            if name in _SECRET:
                line.flags = GW.HEADER_SENSITIVE
            start += len(name) + len(value)
        return lines


def is_value(value: bytes) -> bool:
    """Whether it may be a field's value (REQ-06, RES-05)."""
    return _VALUE.fullmatch(value) is not None


def is_name(name: bytes) -> bool:
    """Whether it may be a field's name."""
    return _LOWER_TOKEN.fullmatch(name) is not None


def decoded(path: bytes) -> bytes:
    """Percent-escapes as octets; what is no escape stays as it is."""
    return unquote_to_bytes(path)


def raw_mount(path: bytes, mount: bytes) -> bytes:
    """The prefix of `path`, as sent, whose decoded form is `mount`; raises `BadRequest`."""
    ends = [index for index, byte in enumerate(path) if byte == ord("/") and index] + [len(path)]
    for end in ends:
        if decoded(path[:end]) == mount:
            return path[:end]
    raise BadRequest(f"expected a path below {mount!r}, found {path!r}")


def address(pair: tuple[str, int] | None) -> Any:
    """An address as the ABI has it; of unknown family if it is none of the internet's."""
    raw = ffi.new("gw_addr *")
    host, port = pair or ("", 0)
    for family, kind in ((socket.AF_INET, GW.FAMILY_IPV4), (socket.AF_INET6, GW.FAMILY_IPV6)):
        try:
            octets = socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        raw.family, raw.port = kind, port
        ffi.memmove(raw.ip, octets, len(octets))
    return raw


_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LOWER_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
_VALUE = re.compile(rb"(?:[^\x00-\x20\x7f](?:[^\x00\r\n]*[^\x00-\x20\x7f])?)?")
_TARGET = re.compile(rb"[^\x00-\x20\x7f#]+")
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?]*)")
_OF_THE_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade", b"te")
)
# Naming these in Connection removes nothing that the application needs to trust.
_NEVER_OF_THE_HOP = frozenset((b"host", b"content-length", b"te"))
_SECRET = frozenset((b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"))
_METHOD_IDS = {
    name.encode(): getattr(GW, "METHOD_" + name)
    for name in ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
}
