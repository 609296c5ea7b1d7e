"""The Open Inference Protocol, version 2: a server's and models' metadata, and /infer with JSON tensors.

https://github.com/open-inference/open-inference-protocol, "inference_rest"; without its extensions.
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
from collections.abc import Awaitable, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from residua.deploy.server.answering import Answer, Picture, Served
from residua.deploy.server.bodies import body
from residua.deploy.server.predicting import answered, submitted
from residua.deploy.server.refusals import Refused
from residua.deploy.server.state import State
from residua.errors import PictureError

PIXELS, FILES = "images", "pictures"  # the names of inputs
OUTPUTS = ("probabilities", "class")


def server_metadata() -> dict[str, Any]:
    """What /v2 says."""
    return {"name": "residua", "version": version("residua"), "extensions": []}


def model_metadata(state: State, served: Served) -> dict[str, Any]:
    """What /v2/models/NAME says."""
    model = served.loaded.model
    shape, classes = model.preprocessing, len(model.classes)
    return {
        "name": served.name,
        "versions": state.versions(served.name),
        "platform": "residua",
        "inputs": [
            {"name": PIXELS, "datatype": "UINT8", "shape": [-1, *shape.stored, shape.channels]},
            {"name": FILES, "datatype": "BYTES", "shape": [-1]},
        ],
        "outputs": [
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, classes]},
            {"name": "class", "datatype": "BYTES", "shape": [-1]},
        ],
    }


async def infer(state: State, served: Served, request: Request) -> Response:
    """Probabilities and classes of pictures, either as pixels or as files coded in base64."""
    async with body(state, request, state.config.megabytes, "a request") as content:
        given, pictures = await asyncio.to_thread(_read, content, state.config.many)
        wanted = _wanted(given)
        answers = await _answer(state, served, pictures)
    outputs = [{"name": name, **_output(name, answers)} for name in wanted]
    values = {"model_name": served.name, "model_version": answers[0].version, "outputs": outputs}
    return JSONResponse(values | ({"id": given["id"]} if isinstance(given.get("id"), str) else {}))


def _output(name: str, answers: Sequence[Answer]) -> dict[str, Any]:
    if name == "class":
        classes = answers[0].loaded.model.classes
        named = [classes[int(answer.row.argmax())] for answer in answers]
        return {"datatype": "BYTES", "shape": [len(answers)], "data": named}
    rows = np.stack([answer.row for answer in answers])
    return {"datatype": "FP32", "shape": list(rows.shape), "data": rows.ravel().tolist()}


async def _answer(state: State, served: Served, pictures: Sequence[Picture]) -> list[Answer]:
    """The answers of all pictures, in their order. Raises Refused for the first that cannot be read."""
    answers: list[Answer] = []
    ahead = 2 * state.config.batch
    under_way: list[Awaitable[Answer]] = []
    try:
        for start in range(0, len(pictures), ahead):
            under_way = [await submitted(state, served, one) for one in pictures[start : start + ahead]]
            for pending in under_way:
                answers.append(await answered(state, pending))
    except PictureError as error:
        raise Refused(400, f"picture {len(answers)}: {error}") from None
    except TimeoutError:
        raise Refused(503, "too many requests wait: come again in a second") from None
    finally:
        for pending in under_way:
            if isinstance(pending, asyncio.Future):
                pending.cancel()
    if any(answer.loaded is not answers[0].loaded for answer in answers):
        raise Refused(503, "the model was read anew meanwhile: send the request again")
    return answers


def _read(content: bytes, most: int) -> tuple[dict[str, Any], list[Picture]]:
    """The request, and its pictures. Raises Refused."""
    try:
        given = json.loads(content)
    except (ValueError, RecursionError):
        raise Refused(400, "the body is no JSON") from None
    if not isinstance(given, dict):
        raise Refused(400, 'the body is an object: {"inputs": [{"name": "images", ...}]}')
    inputs = given.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise Refused(400, f"inputs takes one tensor: {PIXELS} of UINT8, or {FILES} of BYTES")
    tensor = inputs[0]
    shape, data = tensor.get("shape"), tensor.get("data")
    whole = isinstance(shape, list) and all(type(side) is int and side >= 0 for side in shape)
    if not whole or not shape or not isinstance(data, list):
        raise Refused(400, "an input has a shape of whole numbers and data as a list")
    if not 0 < shape[0] <= most:
        raise Refused(413, f"a request has 1 to {most:,} pictures here, not {shape[0]:,}: send several")
    kind = tensor.get("name"), tensor.get("datatype")
    if kind == (PIXELS, "UINT8"):
        return given, _pixels(shape, data)
    if kind == (FILES, "BYTES"):
        return given, _files(shape, data)
    raise Refused(400, f"inputs takes {PIXELS} of UINT8 or {FILES} of BYTES; it was given {str(kind)[:80]}")


def _pixels(shape: list[int], data: list[Any]) -> list[Picture]:
    if len(shape) != 4:
        raise Refused(400, f"the shape of {PIXELS} is [N, height, width, channels], not {str(shape)[:80]}")
    try:
        numbers = np.array(data)
    except ValueError:
        numbers = np.zeros(0, object)
    if numbers.dtype.kind not in "iu" or numbers.min(initial=0) < 0 or numbers.max(initial=0) > 255:
        raise Refused(400, f"the data of {PIXELS} are whole numbers from 0 to 255, flat or in rows of rows")
    if numbers.size != math.prod(shape) or (numbers.ndim > 1 and list(numbers.shape) != shape):
        raise Refused(
            400, f"the shape {shape} has {math.prod(shape):,} numbers, and the data {numbers.size:,}"
        )
    return list(numbers.astype(np.uint8).reshape(shape))


def _files(shape: list[int], data: list[Any]) -> list[Picture]:
    if len(shape) != 1 or len(data) != shape[0]:
        raise Refused(400, f"the shape {str(shape)[:80]} does not fit the {len(data):,} {FILES}")
    files: list[Picture] = []
    for number, text in enumerate(data):
        try:
            files.append(base64.b64decode(text, validate=True))
        except (ValueError, TypeError):
            raise Refused(400, f"picture {number} is no file coded in base64") from None
    return files


def _wanted(given: dict[str, Any]) -> list[str]:
    """The names of the outputs that are asked for, all where none is named."""
    outputs = given.get("outputs")
    if outputs is None or outputs == []:
        return list(OUTPUTS)
    names = (
        [one.get("name") if isinstance(one, dict) else None for one in outputs]
        if isinstance(outputs, list)
        else []
    )
    if not names or any(name not in OUTPUTS for name in names):
        raise Refused(400, f'outputs takes {" and ".join(OUTPUTS)}, each as {{"name": ...}}')
    return [str(name) for name in dict.fromkeys(names)]
