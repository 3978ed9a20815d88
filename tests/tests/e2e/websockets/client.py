"""Talks to a WebSocket that echoes, as a program that uses the library `websockets` would."""

import asyncio
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus


async def talk(url):
    async with connect(url, subprotocols=["coffee", "echo"]) as socket:
        print("protocol", socket.subprotocol)
        for message in ["κόσμε", "", "x" * 100_000, b"\x00\xff", b"y" * 1_000_000]:
            await socket.send(message)
            assert await socket.recv() == message
        await socket.send(["a ", "message ", "in ", "fragments"])
        print(await socket.recv())
        await (await socket.ping())
        await socket.close(4000, "enough")
        print("closed", socket.close_code, socket.close_reason)
    async with connect(url) as first, connect(url) as second:
        await first.send("one")
        await second.send("two")
        print(await second.recv(), await first.recv())
    try:
        async with connect(url, origin="https://evil.example"):
            print("open to everybody")
    except InvalidStatus as refused:
        print("refused", refused.response.status_code)


asyncio.run(talk(sys.argv[1]))
