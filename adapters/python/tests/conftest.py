"""The modules that the tests load: `ECHO` and `HOSTILE` in the environment name them."""

import io
import os

import pytest
from gateway_interface import exchange, upload, waker, wsgi


@pytest.fixture(scope="session")
def hostile():
    return wsgi.load(os.environ["HOSTILE"])


@pytest.fixture(scope="session")
def echo():
    return wsgi.load(os.environ["ECHO"])


@pytest.fixture
def nothing_left():
    """What the application was lent has been given back when the test ends."""
    before = kept()
    yield
    assert kept() == before


def kept():
    """How many objects of ours the application holds."""
    registries = exchange._exchanges, waker._wakers, upload._bodies, upload._buffers
    return [len(registry) for registry in registries]


def environ(path="/", body=b"", **more):
    """A WSGI environment."""
    return {
        "REQUEST_METHOD": "POST" if body else "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "test",
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        **more,
    }


def get(app, path="/", **more):
    """The status and the body of an answer."""
    statuses = []
    answer = app(environ(path, **more), lambda status, fields, error=None: statuses.append(status))
    try:
        body = b"".join(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()
    return statuses[-1], body
