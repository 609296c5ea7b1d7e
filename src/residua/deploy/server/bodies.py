"""Bodies of requests, read within bounds of size, of time and of all that is held at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from residua.deploy.server.refusals import Refused
from residua.deploy.server.state import State


@asynccontextmanager
async def body(state: State, request: Request, megabytes: float, what: str) -> AsyncIterator[bytes]:
    """The whole body, which counts among what is held until it is let go.

    what: what it is, for the refusal. Raises Refused where it is empty, larger than is taken (before all of
    it has come), too slow, or where as much is held as may be.
    """
    most = int(megabytes * 1e6)
    too_large = Refused(413, f"{what} has at most {megabytes:g} MB here: make it smaller", unread=True)
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > most:
        raise too_large
    content, held = bytearray(), 0
    try:
        async with _within(state.config.seconds):
            async for chunk in request.stream():
                held += len(chunk)
                state.held += len(chunk)
                if held > most:
                    raise too_large
                if state.held > state.most_held:
                    raise Refused(503, "too many bodies come at once: come again in a second", unread=True)
                content += chunk
        if not content:
            raise Refused(400, f"the body is empty: send {what} itself (curl --data-binary @FILE)")
        yield bytes(content)
    finally:
        state.held -= held


@asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise too_slow(seconds) from None


def too_slow(seconds: float) -> Refused:
    """For a request, or a part of one, whose time is over."""
    return Refused(408, f"the request took longer than {seconds:g} seconds", unread=True)
