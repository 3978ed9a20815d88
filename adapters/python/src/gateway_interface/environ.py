"""The request that a WSGI environment describes: SPEC.md's table of CGI variables, backwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_from_bytes

from .abi import GW
from .head import BadRequest, Head, decoded


class LengthRequired(Exception):
    """A body without length, from a server that would not say where it ends."""


def head_of(environ: Mapping[str, Any]) -> Head:
    """The request's head. Raises `BadRequest` and `LengthRequired`."""
    mount, path = _octets(environ, "SCRIPT_NAME"), _octets(environ, "PATH_INFO")
    if "," in environ.get("HTTP_HOST", ""):
        raise BadRequest(f"expected one host, found {environ['HTTP_HOST']!r}")
    return Head(
        method=_octets(environ, "REQUEST_METHOD"),
        target=_target(environ, mount + path),
        version=_version(environ),
        is_https=environ.get("wsgi.url_scheme") == "https",
        fields=_fields(environ),
        content_length=_length(environ),
        mount=mount,
        client=_pair(environ, "REMOTE_ADDR", "REMOTE_PORT"),
        local=_pair(environ, "SERVER_NAME", "SERVER_PORT"),
    )


def _version(environ: Mapping[str, Any]) -> int:
    # uWSGI takes what follows the second space of a request line for it.
    protocol = environ.get("SERVER_PROTOCOL", "")
    if protocol not in _VERSIONS:
        raise BadRequest(f"expected a version of HTTP, found {protocol!r}")
    return _VERSIONS[protocol]


def _target(environ: Mapping[str, Any], path: bytes) -> bytes:
    """The target as sent, where the server tells it and nothing in between has changed the path;
    else one that means the same."""
    for name in ("RAW_URI", "REQUEST_URI"):
        target = _octets(environ, name)
        if target:
            meant = decoded(_path_of(target))
            # uWSGI removes dot segments from what it decodes.
            if (path or b"/") in (meant, without_dots(meant)):
                return target
    query = _octets(environ, "QUERY_STRING")
    if path != b"*":
        path = quote_from_bytes(path, safe="-._~!$&'()*+,;=:@/").encode() or b"/"
    return path + b"?" + query if query else path


def _path_of(target: bytes) -> bytes:
    scheme, mark, rest = target.partition(b"://")
    if mark and not any(byte in scheme for byte in b"/?"):
        start = min((rest + b"/?").index(b"/"), (rest + b"/?").index(b"?"))
        target = rest[start:]
        return target.partition(b"?")[0] or b"/"
    return target.partition(b"?")[0]


def without_dots(path: bytes) -> bytes:
    """The path without dot segments (RFC 3986 §5.2.4)."""
    kept: list[bytes] = []
    segments = path.split(b"/")
    for segment in segments:
        if segment == b".." and len(kept) > 1:
            kept.pop()
        elif segment not in (b".", b".."):
            kept.append(segment)
    if segments[-1] in (b".", b".."):
        kept.append(b"")
    return b"/".join(kept)


def _fields(environ: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    fields = []
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            field = name[5:].lower().replace("_", "-").encode("latin-1")
        elif name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            field = name.lower().replace("_", "-").encode()
        else:
            continue
        # Of two names of one thing the variable counts; HTTP_PROXY is a setting of many clients.
        if field != b"proxy" and not (name.startswith("HTTP_") and field in _VARIABLES):
            fields.append((field, value.encode("latin-1").strip(b" \t")))
    return fields


def _length(environ: Mapping[str, Any]) -> int | None:
    digits = environ.get("CONTENT_LENGTH") or ""
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        if not environ.get("wsgi.input_terminated") and "uwsgi.version" not in environ:
            raise LengthRequired
        if digits:
            raise BadRequest("expected one of a length and chunks, found both")
        return None
    if not digits:
        return 0
    if not (digits.isascii() and digits.isdigit()):
        raise BadRequest(f"expected a length, found {digits!r}")
    return int(digits)


def _pair(environ: Mapping[str, Any], host: str, port: str) -> tuple[str, int]:
    digits = str(environ.get(port, ""))
    number = int(digits) if digits.isascii() and digits.isdigit() else 0
    return environ.get(host) or "", number if number < 65536 else 0


def _octets(environ: Mapping[str, Any], name: str) -> bytes:
    """A variable's bytes: WSGI has them as the Latin-1 characters of the same numbers."""
    return environ.get(name, "").encode("latin-1")


_VARIABLES = frozenset((b"content-type", b"content-length"))
_VERSIONS = {
    "HTTP/1.0": GW.VERSION_HTTP_10,
    "HTTP/1.1": GW.VERSION_HTTP_11,
    "HTTP/2": GW.VERSION_HTTP_2,
    "HTTP/2.0": GW.VERSION_HTTP_2,
    "HTTP/3": GW.VERSION_HTTP_3,
    "HTTP/3.0": GW.VERSION_HTTP_3,
}
