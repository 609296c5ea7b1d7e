"""The addresses of the server, and what each answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from residua.deploy.server import explanations, predicting, protocol
from residua.deploy.server.answering import Served
from residua.deploy.server.guards import Guards
from residua.deploy.server.openapi import describe_api
from residua.deploy.server.pages import Pages
from residua.deploy.server.refusals import Refused, refusal
from residua.deploy.server.state import State
from residua.deploy.server.worker import Full

MODEL, VERSION = "/models/{model}", "/models/{model}/versions/{version}"
CLOSED = 499  # what nginx logs for a client that went away


def build_application(state: State, keys: frozenset[str], log: Callable[[dict[str, Any]], None]) -> Any:
    """The application, behind its guards: hosts, keys, headers, the log."""
    pages = Pages(state.config)

    def live(request: Request) -> Response:
        return _state(state.live, "live")

    def ready(request: Request) -> Response:
        return _state(state.ready, "ready")

    def named(request: Request) -> Served:
        return state.find(request.path_params.get("model"), request.path_params.get("version"))

    def model_ready(request: Request) -> Response:
        named(request)
        return ready(request)

    def models(request: Request) -> Response:
        return JSONResponse([_describe(served) for served in state.models])

    def metadata(request: Request) -> Response:
        return JSONResponse(protocol.model_metadata(state, named(request)))

    def metrics(request: Request) -> Response:
        versions = [(served.name, served.version) for served in state.models]
        text = state.metrics.text(state.worker.length, versions)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    async def first(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return await asyncio.to_thread(pages.page, state, state.find())
        return JSONResponse(_welcome(state), headers={"Vary": "Accept"})

    async def page(request: Request) -> Response:
        return await asyncio.to_thread(pages.page, state, named(request))

    async def predict(request: Request) -> Response:
        return await predicting.predict(state, named(request), request)

    async def explain(request: Request) -> Response:
        return await explanations.explain(state, named(request), request)

    async def infer(request: Request) -> Response:
        return await protocol.infer(state, named(request), request)

    routes = [
        Route("/", first),
        Route("/page/{model}", page),
        Route("/v1/models", models),
        *(Route(f"/v1{of}/predict", predict, methods=["POST"]) for of in ("", MODEL, VERSION)),
        *(Route(f"/v1{of}/explain", explain, methods=["POST"]) for of in ("", MODEL, VERSION)),
        Route("/v2", lambda request: JSONResponse(protocol.server_metadata())),
        Route("/v2/health/live", live),
        Route("/v2/health/ready", ready),
        *(Route(f"/v2{of}", metadata) for of in (MODEL, VERSION)),
        *(Route(f"/v2{of}/ready", model_ready) for of in (MODEL, VERSION)),
        *(Route(f"/v2{of}/infer", infer, methods=["POST"]) for of in (MODEL, VERSION)),
        Route("/metrics", metrics),
        Route("/openapi.json", lambda request: JSONResponse(describe_api())),
    ]
    handlers: dict[Any, Any] = {
        Refused: _refusal,
        Full: _full,
        ClientDisconnect: _closed,
        404: _no_address,
        405: _no_method,
        500: _broken,
    }
    return Guards(
        Starlette(routes=routes, exception_handlers=handlers), state.config, state.metrics, keys, log
    )


def _state(good: bool, word: str) -> Response:
    return JSONResponse({word: good}, 200 if good else 503)


def _welcome(state: State) -> dict[str, Any]:
    return {
        "residua": "name what is in a picture: POST the file to /v1/predict",
        "models": {name: state.versions(name)[0] for name in state.names},
        "more": ["/v1/models", "/openapi.json", "/metrics", "/v2/health/ready"],
    }


def _describe(served: Served) -> dict[str, Any]:
    loaded = served.loaded
    shape = loaded.model.preprocessing
    return {
        "name": served.name,
        "version": served.version,
        "network": loaded.model.name,
        "classes": list(loaded.model.classes),
        "size": list(shape.stored),
        "reject_below": loaded.threshold,
    }


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return refusal(error)


async def _full(request: Request, error: Exception) -> Response:
    return refusal(Refused(503, str(error)))


async def _closed(request: Request, error: Exception) -> Response:
    return Response(status_code=CLOSED)


def _no_address(request: Request, error: Exception) -> Response:
    return refusal(Refused(404, "there is nothing at this address; /openapi.json lists them all"))


def _no_method(request: Request, error: Exception) -> Response:
    return refusal(Refused(405, f"{request.method[:20]} is not for this address; see /openapi.json"))


def _broken(request: Request, error: Exception) -> Response:
    return refusal(Refused(500, "the server has failed at this request; others are answered"))
