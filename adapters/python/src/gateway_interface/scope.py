"""The request that an ASGI scope describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_from_bytes

from .abi import GW
from .head import BadRequest, Head


def head_of(scope: Mapping[str, Any]) -> Head:
    """The request's head. Raises `BadRequest`.

    ASGI has no absolute-form and does not tell `/?` from `/`.
    """
    path = scope.get("raw_path")
    if path is None:
        path = quote_from_bytes(scope["path"].encode("utf-8"), safe="-._~!$&'()*+,;=:@/*").encode()
    query = scope.get("query_string", b"")
    # Some servers put the query there as well.
    path = path.partition(b"?")[0]
    fields = [(name.lower(), value.strip(b" \t")) for name, value in scope["headers"]]
    return Head(
        method=scope["method"].encode("latin-1"),
        target=path + b"?" + query if query else path,
        version=_VERSIONS.get(scope["http_version"], GW.VERSION_HTTP_11),
        is_https=scope.get("scheme") == "https",
        fields=fields,
        content_length=_length(fields),
        mount=scope.get("root_path", "").encode("utf-8"),
        client=_pair(scope.get("client")),
        local=_pair(scope.get("server")),
    )


def _length(fields: list[tuple[bytes, bytes]]) -> int | None:
    lengths = {value for name, value in fields if name == b"content-length"}
    if any(name == b"transfer-encoding" for name, _ in fields):
        if lengths:
            raise BadRequest("expected one of a length and chunks, found both")
        return None
    if not lengths:
        return 0
    if len(lengths) > 1 or not next(iter(lengths)).isdigit():
        raise BadRequest(f"expected a length, found {lengths!r}")
    return int(next(iter(lengths)))


def _pair(address: Any) -> tuple[str, int] | None:
    if not address or address[0] is None:
        return None
    # The port is a number by the specification, and a text by Granian.
    return address[0], int(address[1] or 0)


_VERSIONS = {
    "1.0": GW.VERSION_HTTP_10,
    "1.1": GW.VERSION_HTTP_11,
    "2": GW.VERSION_HTTP_2,
    "2.0": GW.VERSION_HTTP_2,
    "3": GW.VERSION_HTTP_3,
    "3.0": GW.VERSION_HTTP_3,
}
