"""The server's addresses as OpenAPI 3.1 describes them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

_ERROR: dict[str, Any] = {
    "description": "One line that says what was required, what came and what to do",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
_COMMON = ("401", "403", "429")
_MODEL = {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}
_VERSION = {"name": "version", "in": "path", "required": True, "schema": {"type": "string"}}
_PLACES: dict[str, list[dict[str, Any]]] = {
    "": [],
    "/models/{model}": [_MODEL],
    "/models/{model}/versions/{version}": [_MODEL, _VERSION],
}
_STRING = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 1, "maximum": 9_999_999}
_NAME = {"type": "string", "minLength": 1, "maxLength": 500}
_CLASS: dict[str, Any] = {"class": _STRING, "probability": {"type": "number", "minimum": 0, "maximum": 1}}
_SERVED = {"type": "object", "properties": {"name": _STRING, "version": _STRING}}
_PICTURE: dict[str, Any] = {"image/*": {}, "application/octet-stream": {}}


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required.split(), "properties": properties}


def _errors(*codes: str) -> dict[str, Any]:
    return dict.fromkeys(sorted({*_COMMON, *codes}), _ERROR)


def _query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


_PREDICT: dict[str, Any] = {
    "summary": "Name what is in a picture, or in each of many",
    "parameters": [
        _query("top", "How many classes to name", {"type": "integer", "minimum": 1, "maximum": 9_999_999})
    ],
    "requestBody": {
        "required": True,
        "description": "The picture file itself, no form: JPEG, PNG, WebP and others; or a zip of such "
        'files, or lines of JSON, each {"file": a name, "picture": the file in base64}',
        "content": {**_PICTURE, "application/zip": {}, "application/x-ndjson": {}},
    },
    "responses": {
        "200": {
            "description": "The most probable classes, the best first; of many pictures a line of JSON for "
            "each, in their order: an answer with the picture's name, or its error",
            "content": {**_json("Answer"), "application/x-ndjson": {}},
        },
        **_errors("400", "404", "408", "413", "415", "503"),
    },
}
_EXPLAIN: dict[str, Any] = {
    "summary": "Say which part of a picture decided",
    "parameters": [
        _query("method", "How it is found out", {"enum": ["occlusion", "grad-cam"], "default": "occlusion"}),
        _query("target", "The class that is explained; the picture's own where none is named", _NAME),
        _query("format", "Numbers or a drawing", {"enum": ["json", "png"], "default": "json"}),
        _query("overlay", "Given: JSON holds the drawing too, in base64", _STRING),
    ],
    "requestBody": {"required": True, "description": "The picture file itself, no form", "content": _PICTURE},
    "responses": {
        "200": {
            "description": "A map of the picture as the network sees it: above 0 speaks for the class",
            "content": {**_json("Explanation"), "image/png": {}},
        },
        **_errors("400", "404", "408", "413", "415", "503"),
    },
}
_INFER: dict[str, Any] = {
    "summary": "Probabilities of pictures, as pixels or as files (Open Inference Protocol)",
    "requestBody": {"required": True, "content": _json("InferenceRequest")},
    "responses": {
        "200": {"description": "The outputs that were asked for", "content": _json("InferenceResponse")},
        **_errors("400", "404", "408", "413", "503"),
    },
}
_TENSOR = _object(
    "name datatype shape data",
    name=_STRING,
    datatype=_STRING,
    shape={"type": "array", "items": {"type": "integer", "minimum": 0}},
    data={"type": "array", "items": {}},
)
_SCHEMAS: dict[str, Any] = {
    "Error": _object("error", error=_STRING),
    "Class": _object("class probability", **_CLASS),
    "Answer": _object(
        "class probability top model",
        **_CLASS,
        top={"type": "array", "items": {"$ref": "#/components/schemas/Class"}},
        sure={"type": "boolean"},
        model=_SERVED,
    ),
    "Explanation": _object(
        "class probability target target_probability score unit method map model",
        **_CLASS,
        target=_STRING,
        target_probability={"type": "number"},
        score={"type": "number"},
        unit=_STRING,
        method=_STRING,
        patch={"type": "integer"},
        layer=_STRING,
        map={"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
        overlay=_STRING,
        model=_SERVED,
    ),
    "InferenceRequest": _object(
        "inputs",
        id=_STRING,
        inputs={"type": "array", "items": _TENSOR, "minItems": 1, "maxItems": 1},
        outputs={"type": "array", "items": _object("name", name=_STRING)},
    ),
    "InferenceResponse": _object(
        "model_name model_version outputs",
        id=_STRING,
        model_name=_STRING,
        model_version=_STRING,
        outputs={"type": "array", "items": _TENSOR},
    ),
}


def _get(summary: str, *others: str, parameters: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": {"description": summary}} | _errors(*others)
    return {"get": {"summary": summary, "parameters": parameters or [], "responses": responses}}


def _post(operation: dict[str, Any], place: list[dict[str, Any]]) -> dict[str, Any]:
    return {"post": operation | {"parameters": [*place, *operation.get("parameters", [])]}}


def describe_api() -> dict[str, Any]:
    """The document that /openapi.json gives."""
    paths: dict[str, Any] = {
        "/": _get("The page for browsers; for others what there is"),
        "/page/{model}": _get("The page of one model", "404", parameters=[_MODEL]),
        "/v1/models": _get("The models, with versions and classes"),
        "/v2": _get("The server's name and version (Open Inference Protocol)"),
        "/v2/health/live": _get("Whether it works", "503"),
        "/v2/health/ready": _get("Whether it takes requests", "503"),
        "/metrics": _get("Counts in Prometheus' text format"),
    }
    for place, parameters in _PLACES.items():
        paths[f"/v1{place}/predict"] = _post(_PREDICT, parameters)
        paths[f"/v1{place}/explain"] = _post(_EXPLAIN, parameters)
        if place:
            paths[f"/v2{place}"] = _get("A model's inputs and outputs", "404", parameters=parameters)
            paths[f"/v2{place}/ready"] = _get("Whether it answers", "404", "503", parameters=parameters)
            paths[f"/v2{place}/infer"] = _post(_INFER, parameters)
    return {
        "openapi": "3.1.0",
        "info": {"title": "residua", "version": version("residua")},
        "security": [{}, {"key": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }
