"""What shows only inside the process: signals, what is given back, the log, the loader."""

import asyncio
import json
import logging
import os
import signal
import threading

import pytest
from conftest import environ, get
from gateway_interface import LoadError, StartError, asgi, services, wsgi
from gateway_interface.abi import GW, NAME_IDS, ffi
from gateway_interface.download import Broken


def test_the_header_is_read_as_c_reads_it():
    assert ffi.sizeof("gw_module") == GW.MODULE_MIN_SIZE
    assert ffi.sizeof("gw_buf") == 56
    assert GW.MAGIC == int.from_bytes(b"GATEWAY1", "little")
    assert GW.MODULE_KNOWN_CRITICAL == 7 << 32
    assert NAME_IDS[b"host"] == 1 and len(NAME_IDS) == 93


@pytest.mark.usefixtures("nothing_left")
def test_a_signal_that_raises_in_native_code_reaches_the_server(hostile):
    class Alarm(Exception):
        pass

    def ring(number, frame):
        raise Alarm

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        # The application sleeps in C; its next step is to call `respond`, where the handler runs.
        with pytest.raises(Alarm):
            get(hostile, "/block/200")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert get(hostile, "/ok") == ("200 OK", b"ok")


@pytest.mark.usefixtures("nothing_left")
def test_everything_is_given_back_on_every_path(hostile, echo):
    for path in ["ok", "never", "code/-6", "twice", "head/cr", "trailers/good", "file/part"]:
        get(hostile, "/" + path)
    for path in ["body/error", "body/unknown", "body/short", "trailers/split", "file/directory"]:
        with pytest.raises(Broken):
            get(hostile, "/" + path)
    for size in [1, 70_000, 300_000]:
        assert json.loads(get(echo, body=b"x" * size)[1])["body_len"] == size
    assert get(echo, body=b"short", CONTENT_LENGTH="10")[0].startswith("400")
    # A client that has gone: the server closes an answer that it has not read to its end.
    answer = hostile(environ("/body/endless"), lambda *_: None)
    assert len(next(iter(answer))) == 64 * 1024
    answer.close()


@pytest.mark.usefixtures("nothing_left")
def test_a_success_is_no_answer_to_connect(hostile):
    """To the client it would be a tunnel's beginning (UPG-05)."""
    assert get(hostile, "/ok", REQUEST_METHOD="CONNECT")[0] == "500 Internal Server Error"
    assert get(hostile, "/status/404", REQUEST_METHOD="CONNECT")[0] == "404 Not Found"


@pytest.mark.usefixtures("nothing_left")
def test_calls_of_many_threads_do_not_meet(echo):
    def work(number):
        for size in range(1, 200, 7):
            body = bytes([number]) * size * 100
            found = json.loads(get(echo, f"/{number}", body=body)[1])
            assert (found["path"], found["body_len"]) == (f"/{number}", len(body))
            done[number] += 1

    done = [0] * 8
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [29] * 8


def test_records_of_the_application_are_logged_and_forge_nothing(hostile, caplog):
    with caplog.at_level(logging.DEBUG, logger="gateway.app"):
        get(hostile, "/log")
    first = caplog.records[0]
    assert first.name == "gateway.app.hostile\\x1b[31m" and first.levelno == logging.ERROR
    assert first.getMessage() == "a\\r\\nforged line\\x1b[2J\\x07 \\xff\\xfe key\\n=value\\r"
    assert len(caplog.records) == 3


def test_the_application_may_ask_for_the_end():
    asked = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    try:
        services.host.request_shutdown(services.host, 0)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert asked == [signal.SIGTERM]


def test_what_is_no_module_is_refused_in_words(tmp_path):
    whole = open(os.environ["HOSTILE"], "rb").read()
    cases = {"text": b"#!/bin/sh\n" * 10, "empty": b"", "cut": whole[:-100]}
    words = {"text": "expected an ELF", "empty": "it is empty", "cut": "it is cut short"}
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(LoadError, match=words[name]):
            wsgi.load(str(tmp_path / name))
    with pytest.raises(LoadError, match="cannot read it: No such file"):
        wsgi.load(str(tmp_path / "missing"))


@pytest.mark.parametrize(
    ("value", "offset", "words"),
    [
        (b"X", 0, "expected the magic"),
        (b"\x02", 12, "built for gateway ABI 2.0; this host speaks 1.0"),
        (b"\x64\x00", 8, "expected a descriptor of at least 184 bytes, found 100"),
        (b"\x09", 16, "needs a host of gateway ABI 1.9 or later"),
        (b"\x80", 31, "critical flags that this host cannot honour: 0x8000000000000000"),
        (b"\x02", 28, r"cannot honour: 0x0000000200000000 \(LOCAL_CALLS\)"),
    ],
)
def test_a_descriptor_that_this_host_must_not_serve_is_refused(tmp_path, value, offset, words):
    image = bytearray(open(os.environ["HOSTILE"], "rb").read())
    start = image.index(b"GATEWAY1")
    image[start + offset : start + offset + len(value)] = value
    changed = tmp_path / "changed.so"
    changed.write_bytes(image)
    with pytest.raises(LoadError, match=words):
        wsgi.load(str(changed))


def test_a_module_that_is_gone_is_served_on(tmp_path):
    copy = tmp_path / "copy.so"
    copy.write_bytes(open(os.environ["HOSTILE"], "rb").read())
    app = wsgi.load(str(copy))
    os.truncate(copy, 0)
    assert get(app, "/ok") == ("200 OK", b"ok")


def test_a_failing_start_is_told_to_whoever_asked_for_it():
    with pytest.raises(StartError, match="hostile: create failed on purpose"):
        wsgi.load(os.environ["HOSTILE"], eager=True, argument=b"create-fail")


def test_asgi_goes_through_the_lifespan_and_refuses_websockets():
    async def talk(app, scope, messages):
        sent, waiting = [], iter(messages)

        async def receive():
            return {"type": next(waiting)}

        async def send(message):
            sent.append(message)

        await app(scope, receive, send)
        return [(message["type"], message.get("message")) for message in sent]

    async def all_of_it():
        app = asgi.load(os.environ["HOSTILE"])
        both = ["lifespan.startup", "lifespan.shutdown"]
        assert await talk(app, {"type": "lifespan"}, both) == [
            ("lifespan.startup.complete", None),
            ("lifespan.shutdown.complete", None),
        ]
        assert await talk(app, {"type": "websocket"}, ["websocket.connect"]) == [
            ("websocket.close", None)
        ]
        failing = asgi.load(os.environ["HOSTILE"], argument=b"create-fail")
        assert await talk(failing, {"type": "lifespan"}, both) == [
            ("lifespan.startup.failed", "hostile: create failed: hostile: create failed on purpose")
        ]

    asyncio.run(all_of_it())
