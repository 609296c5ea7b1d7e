"""/v1/explain: which part of a picture decided, as JSON or drawn."""

from __future__ import annotations

import asyncio
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from residua.deploy.server.answering import Served
from residua.deploy.server.bodies import body
from residua.deploy.server.explaining import TooLong, Wish, check_method
from residua.deploy.server.predicting import answered, refused_picture
from residua.deploy.server.refusals import Refused
from residua.deploy.server.state import State
from residua.errors import ConfigError, PictureError

FORMATS = ("json", "png")


async def explain(state: State, served: Served, request: Request) -> Response:
    """A map as JSON, or as a drawing where `format=png` or the header Accept asks for one."""
    config, asked = state.config, request.query_params
    accepted = request.headers.get("accept", "").partition(",")[0].strip()
    kind = asked.get("format", "png" if accepted == "image/png" else "json")
    if kind not in FORMATS:
        raise Refused(400, f"format takes json or png; it was given {kind[:40]!r}")
    target = asked.get("target")
    if target is not None and len(target) > 500:
        raise Refused(400, "target takes the name of a class, of at most 500 letters")
    try:
        method = check_method(asked.get("method", "occlusion"))
        async with body(state, request, config.megabytes, "a picture file") as content:
            until = time.monotonic() + config.seconds
            wish = Wish(method, target, config.explain_seconds, until)
            found = await answered(state, asyncio.wrap_future(state.worker.explain(served, content, wish)))
    except TooLong as error:
        raise Refused(408, str(error)) from None
    except ConfigError as error:
        raise Refused(400, str(error).removeprefix("--")) from None
    except PictureError as error:
        raise refused_picture(content, error) from None
    if kind == "png":
        return Response(await asyncio.to_thread(found.png), media_type="image/png")
    return JSONResponse(await asyncio.to_thread(found.to_dict, "overlay" in asked))
