"""The addresses of the server, and what each answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from residua.config import ServeConfig
from residua.data.pictures.kinds import is_read, recognise
from residua.deploy.server.answering import Served
from residua.deploy.server.guards import Guards
from residua.deploy.server.metrics import Metrics
from residua.deploy.server.openapi import describe_api
from residua.deploy.server.worker import IDLE_SECONDS, Full, Worker
from residua.errors import PictureError

STUCK_SECONDS = 60.0  # of one batch, after which it does not count as alive
CLOSED = 499  # what nginx logs for a client that went away


@dataclass
class State:
    """What the addresses share. draining: told to end, and not ready for more."""

    config: ServeConfig
    models: dict[str, Served]
    worker: Worker
    metrics: Metrics
    draining: bool = False

    @property
    def live(self) -> bool:
        """Whether the worker gets on."""
        return self.worker.alive and time.monotonic() - self.worker.beat < STUCK_SECONDS + IDLE_SECONDS

    @property
    def versions(self) -> dict[str, str]:
        """Of the models, by name."""
        return {name: served.loaded.version for name, served in self.models.items()}


class Refused(Exception):
    """A request that cannot be carried out: a status and a line."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status


def build_application(state: State, keys: frozenset[str], log: Callable[[dict[str, Any]], None]) -> Any:
    """The application, behind its guards: hosts, keys, headers, the log."""

    def live(request: Request) -> Response:
        return _state(state.live, "live")

    def ready(request: Request) -> Response:
        return _state(state.live and not state.draining, "ready")

    def model_ready(request: Request) -> Response:
        _find(state, request.path_params["model"])
        return ready(request)

    def models(request: Request) -> Response:
        return JSONResponse([_describe(served) for served in state.models.values()])

    def model_metadata(request: Request) -> Response:
        return JSONResponse(_metadata(_find(state, request.path_params["model"])))

    def metrics(request: Request) -> Response:
        text = state.metrics.text(state.worker.waiting.qsize(), state.versions)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    async def predict(request: Request) -> Response:
        name = request.path_params.get("model", next(iter(state.models)))
        return await _predict(state, request, name)

    routes = [
        Route("/", lambda request: JSONResponse(_welcome(state))),
        Route("/v1/predict", predict, methods=["POST"]),
        Route("/v1/models", models),
        Route("/v1/models/{model}/predict", predict, methods=["POST"]),
        Route("/v2/health/live", live),
        Route("/v2/health/ready", ready),
        Route("/v2/models/{model}", model_metadata),
        Route("/v2/models/{model}/ready", model_ready),
        Route("/metrics", metrics),
        Route("/openapi.json", lambda request: JSONResponse(describe_api())),
    ]
    handlers: dict[Any, Any] = {Refused: _refusal, 404: _no_address, 405: _no_method, 500: _broken}
    return Guards(
        Starlette(routes=routes, exception_handlers=handlers), state.config, state.metrics, keys, log
    )


async def _predict(state: State, request: Request, name: str) -> Response:
    served, config = _find(state, name), state.config
    top = _top(request, config.top)
    try:
        async with asyncio.timeout(config.seconds):
            content = await _body(request, int(config.megabytes * 1e6))
            future = asyncio.wrap_future(state.worker.submit(served, content, top))
            prediction = await future
    except TimeoutError:
        raise Refused(408, f"the request took longer than {config.seconds:g} seconds") from None
    except ClientDisconnect:
        return Response(status_code=CLOSED)
    except Full as error:
        raise Refused(503, str(error)) from None
    except PictureError as error:
        kind = recognise(content, "")
        raise Refused(400 if kind is not None and is_read(kind) else 415, str(error)) from None
    values = prediction.to_dict()
    del values["file"]
    return JSONResponse(values | {"model": {"name": name, "version": served.loaded.version}})


async def _body(request: Request, most: int) -> bytes:
    """The whole body. Raises Refused where it is empty or larger than is taken, before all of it has come."""
    too_large = Refused(413, f"a picture file has at most {most / 1e6:g} MB here: make it smaller")
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > most:
        raise too_large
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > most:
            raise too_large
    if not content:
        raise Refused(400, "the body is empty: send the picture file itself (curl --data-binary @cat.jpg)")
    return bytes(content)


def _top(request: Request, default: int) -> int:
    text = request.query_params.get("top", str(default))
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 8 and int(text)):
        raise Refused(400, f"top takes a whole number of 1 or more; it was given {text[:40]!r}")
    return int(text)


def _find(state: State, name: str) -> Served:
    if name not in state.models:
        raise Refused(404, f"there is no model {name[:60]!r}; there are {', '.join(state.models)}")
    return state.models[name]


def _state(good: bool, word: str) -> Response:
    return JSONResponse({word: good}, 200 if good else 503)


def _welcome(state: State) -> dict[str, Any]:
    return {
        "residua": "name what is in a picture: POST the file to /v1/predict",
        "models": state.versions,
        "more": ["/v1/models", "/openapi.json", "/metrics", "/v2/health/ready"],
    }


def _describe(served: Served) -> dict[str, Any]:
    loaded = served.loaded
    shape = loaded.model.preprocessing
    return {
        "name": served.name,
        "version": loaded.version,
        "network": loaded.model.name,
        "classes": list(loaded.model.classes),
        "size": list(shape.stored),
        "reject_below": loaded.threshold,
    }


def _metadata(served: Served) -> dict[str, Any]:
    """As the Open Inference Protocol, version 2, has it."""
    model = served.loaded.model
    shape, classes = model.preprocessing, len(model.classes)
    sides = [-1, *shape.stored, shape.channels]
    return {
        "name": served.name,
        "versions": [served.loaded.version],
        "platform": "residua",
        "inputs": [{"name": "images", "datatype": "UINT8", "shape": sides}],
        "outputs": [{"name": "probabilities", "datatype": "FP32", "shape": [-1, classes]}],
    }


def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    # What was not read of the body would be taken for the next request.
    headers = {"Connection": "close"} if error.status in (408, 413) else {}
    if error.status == 503:
        headers["Retry-After"] = "1"
    return JSONResponse({"error": str(error)}, error.status, headers)


def _no_address(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "there is nothing at this address; /openapi.json lists them all"}, 404)


def _no_method(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": f"{request.method[:20]} is not for this address; see /openapi.json"}, 405)


def _broken(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "the server has failed at this request; others are answered"}, 500)
