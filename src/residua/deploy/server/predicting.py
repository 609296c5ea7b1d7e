"""/v1/predict: what is in a picture, or in each of many."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from residua.data.pictures.kinds import is_read, recognise
from residua.deploy.server.answering import Answer, Picture, Served
from residua.deploy.server.bodies import body, too_slow
from residua.deploy.server.many import ARCHIVES, LINES, Caps, Entry, find_entries
from residua.deploy.server.refusals import Refused
from residua.deploy.server.state import State
from residua.deploy.server.worker import Full
from residua.errors import PictureError

WAIT_SECONDS = 0.01  # until the next look whether there is room in the queue

Result = TypeVar("Result")


async def predict(state: State, served: Served, request: Request) -> Response:
    """A picture as JSON; many, in lines or a zip, as lines of JSON in their order."""
    top, kind = whole_number(request, "top", state.config.top), media_type(request)
    if kind in (*LINES, *ARCHIVES):
        return await _predict_many(state, request, served, top)
    async with body(state, request, state.config.megabytes, "a picture file") as content:
        try:
            found = await answered(state, state.worker.submit(served, content))
        except PictureError as error:
            raise refused_picture(content, error) from None
    return JSONResponse(found.to_dict(top))


def refused_picture(content: bytes, error: PictureError) -> Refused:
    """400 for a picture that is damaged, 415 for what is none."""
    kind = recognise(content, "")
    return Refused(400 if kind is not None and is_read(kind) else 415, str(error))


def media_type(request: Request) -> str:
    """What the body is said to be, in small letters and without parameters."""
    return str(request.headers.get("content-type", "")).partition(";")[0].strip().lower()


def whole_number(request: Request, name: str, default: int) -> int:
    """A parameter of the address, 1 or more. Raises Refused."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 8 and int(text)):
        raise Refused(400, f"{name} takes a whole number of 1 or more; it was given {text[:40]!r}")
    return int(text)


async def answered(state: State, answer: Awaitable[Result]) -> Result:
    """The answer, within the time of a request. Raises Refused, PictureError."""
    try:
        async with asyncio.timeout(state.config.seconds):  # which does not wait for what is known
            return await answer
    except TimeoutError:
        raise too_slow(state.config.seconds) from None


async def submitted(state: State, served: Served, picture: Picture) -> Awaitable[Answer]:
    """Where the answer of one of many will be: waits for room in the queue. Raises TimeoutError."""
    async with asyncio.timeout(state.config.seconds):
        while True:
            try:
                return state.worker.submit(served, picture)
            except Full:
                await asyncio.sleep(WAIT_SECONDS)


async def _predict_many(state: State, request: Request, served: Served, top: int) -> Response:
    config = state.config
    each, every = int(config.megabytes * 1e6), int(config.many_megabytes * 1e6)
    async with body(state, request, config.many_megabytes, "a body of many pictures") as content:
        entries = await asyncio.to_thread(
            find_entries, content, media_type(request), Caps(config.many, each, every)
        )
    lines = _lines(state, served, entries, top, len(content))
    return StreamingResponse(lines, media_type="application/x-ndjson")


async def _lines(
    state: State, served: Served, entries: Iterator[Entry], top: int, held: int
) -> AsyncIterator[str]:
    """A line for each picture, in their order; twice as many are under way as are answered at once.

    Lines that are known together are sent together, and pictures are unpacked by as many: to wake another
    thread or a client costs more than a line.
    """
    under_way: deque[tuple[str, Awaitable[Answer] | PictureError]] = deque()
    batch, done = state.config.batch, False
    state.held += held  # the body lives as long as its entries
    try:
        while under_way or not done:
            if not done and len(under_way) <= batch:
                # Unpacking takes its time, and others are heard meanwhile.
                some = await asyncio.to_thread(_some, entries, 2 * batch - len(under_way))
                done = not some
                for entry in some:
                    under_way.append((entry.file, await _begun(state, served, entry)))
            told: list[str] = []
            while under_way and (not told or _is_known(under_way[0][1])):
                file, pending = under_way.popleft()
                told.append(json.dumps({"file": file, **await _told(state, pending, top)}) + "\n")
            if told:
                yield "".join(told)
    finally:
        state.held -= held
        for _, pending in under_way:
            if isinstance(pending, asyncio.Future):
                pending.cancel()


def _some(entries: Iterator[Entry], most: int) -> list[Entry]:
    return list(itertools.islice(entries, most))


def _is_known(pending: Awaitable[Answer] | PictureError) -> bool:
    return not isinstance(pending, asyncio.Future) or pending.done()


async def _begun(state: State, served: Served, entry: Entry) -> Awaitable[Answer] | PictureError:
    if isinstance(entry.content, PictureError):
        return entry.content
    try:
        return await submitted(state, served, entry.content)
    except TimeoutError:
        return PictureError("the server had no room for it in time: send it again")


async def _told(state: State, pending: Awaitable[Answer] | PictureError, top: int) -> dict[str, Any]:
    """What a line says of a picture beside its name."""
    if isinstance(pending, PictureError):
        return {"error": str(pending)}
    try:
        return (await answered(state, pending)).to_dict(top)
    except (PictureError, Refused) as error:
        return {"error": str(error)}
    except Exception:  # of the engine: said of this picture, and the others are answered
        return {"error": "the server has failed at this picture; others are answered"}
