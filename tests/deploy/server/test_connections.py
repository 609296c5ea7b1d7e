"""What an answer costs on its way out: one packet for its head and its body."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

pytest.importorskip("uvicorn", reason="uvicorn is not installed")

from residua.deploy.server.connections import LingeringTransport


class Line:
    """A transport that keeps what it is given."""

    def __init__(self):
        self.sent, self.closing = [], False

    def write(self, data):
        self.sent.append(data)

    def is_closing(self):
        return self.closing

    def close(self):
        self.closing = True


def written(steps):
    """What leaves, packet by packet, of a transport that `steps` uses in an event loop."""
    line = Line()

    async def write():
        protocol = SimpleNamespace(loop=asyncio.get_running_loop(), unread=False, lingering=False)
        await steps(LingeringTransport(line, protocol))

    # In a thread of its own, for a browser of other tests may have a loop in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, write()).result()
    return line.sent


def test_what_is_written_at_once_leaves_at_once():
    async def steps(transport):
        transport.write(b"head ")
        transport.write(b"body")
        await asyncio.sleep(0)
        transport.write(b"next")
        await asyncio.sleep(0)

    assert written(steps) == [b"head body", b"next"]


def test_what_is_written_before_the_end_leaves_before_it():
    async def steps(transport):
        transport.write(b"last")
        transport.close()
        transport.write(b"too late")
        await asyncio.sleep(0)

    assert written(steps) == [b"last"]
