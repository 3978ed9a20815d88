"""From environments and scopes to requests."""

import pytest
from conftest import environ
from gateway_interface import environ as of_environ
from gateway_interface import scope as of_scope
from gateway_interface.abi import GW, NULL, text
from gateway_interface.head import BadRequest, Lent, address


def head(path="/", **more):
    return of_environ.head_of(environ(path, **more))


def scope(**more):
    fields = [(b"host", b"test"), *more.pop("headers", [])]
    usual = {"method": "GET", "http_version": "1.1", "path": "/", "raw_path": b"/"}
    return of_scope.head_of({**usual, "headers": fields, **more})


def test_the_exact_target_is_taken_if_it_means_the_same():
    assert head("/a/b", RAW_URI="/a%2Fb?").target == b"/a%2Fb?"
    assert head("/a/b", REQUEST_URI="/a%2Fb").query is None
    # Something in between has changed the path.
    assert head("/other", RAW_URI="/a%2Fb", QUERY_STRING="x").target == b"/other?x"
    assert head("/\xc3\xa9 \xff", QUERY_STRING="").target == b"/%C3%A9%20%FF"


def test_the_mount_is_the_sent_prefix_whose_decoded_form_is_known():
    found = head("/c", SCRIPT_NAME="/a b", RAW_URI="/a%20b/c")
    assert (found.path, found.mount) == (b"/a%20b/c", b"/a%20b")
    assert head("", SCRIPT_NAME="/app").mount == b"/app"
    assert scope(root_path="/app", raw_path=b"/app/x").mount == b"/app"
    with pytest.raises(BadRequest):
        scope(root_path="/app", raw_path=b"/application")


def test_a_target_in_absolute_form_is_split():
    found = head("/p", RAW_URI="http://test/p?q")
    assert (found.path, found.query, found.authority) == (b"/p", b"q", b"test")
    assert found.flags & GW.REQUEST_ABSOLUTE_FORM
    with pytest.raises(BadRequest):
        head("/p", RAW_URI="http://other/p")


def test_path_and_query_are_parts_of_the_target():
    for target in ["/a?b", "http://test/a?b", "http://test?b", "/", "http://test", "/a?"]:
        found = head("/a" if "/a" in target else "/", RAW_URI=target)
        lent = Lent(found, NULL).raw
        whole, path = text(lent.target), text(lent.path)
        assert whole == target.encode() and path == found.path
        assert 0 <= lent.path.ptr - lent.target.ptr < len(whole)
        assert (lent.query.ptr == NULL) == ("?" not in target)
        if found.query:
            assert text(lent.query) == b"b"


def test_fields_of_the_hop_are_left_out():
    found = head(HTTP_CONNECTION="close, X-Hop", HTTP_X_HOP="1", HTTP_TE="gzip, trailers")
    assert sorted(found.fields) == [(b"host", b"test"), (b"te", b"trailers")]
    found = scope(headers=[(b"X-A", b" 1 "), (b"upgrade", b"x"), (b"keep-alive", b"5")])
    assert found.fields == [(b"host", b"test"), (b"x-a", b"1")]


def test_cookies_that_http2_split_are_joined():
    cookies = [(b"cookie", b"a=1"), (b"x", b"y"), (b"cookie", b"b=2")]
    joined = [(b"host", b"test"), (b"cookie", b"a=1; b=2"), (b"x", b"y")]
    assert scope(headers=cookies, http_version="2").fields == joined
    assert scope(headers=cookies).fields[1:] == cookies


@pytest.mark.parametrize(
    "more",
    [
        {"REQUEST_METHOD": "G T"},
        {"RAW_URI": "/a#b", "PATH_INFO": "/a#b"},
        {"HTTP_HOST": "a\r\nb"},
        {"HTTP_HOST": "a, b"},
        {"SERVER_PROTOCOL": "b HTTP/1.1"},
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "3", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True},
        {"REQUEST_METHOD": "GET", "PATH_INFO": "*"},
    ],
)
def test_what_is_no_request_is_refused(more):
    with pytest.raises(BadRequest):
        of_environ.head_of({**environ(), **more})


def test_a_body_whose_end_the_server_does_not_tell_is_refused():
    with pytest.raises(of_environ.LengthRequired):
        head(HTTP_TRANSFER_ENCODING="chunked")


def test_addresses_are_numbers():
    four, six, none = address(("127.0.0.1", 80)), address(("::1", 8)), address(("/run/x", 0))
    assert (four.family, four.port, bytes(four.ip)[:4]) == (4, 80, b"\x7f\0\0\1")
    assert (six.family, bytes(six.ip)[15]) == (6, 1)
    assert none.family == GW.FAMILY_NONE and address(None).family == GW.FAMILY_NONE
