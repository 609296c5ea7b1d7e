"""The server's addresses as OpenAPI 3.1 describes them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

_ERROR: dict[str, Any] = {
    "description": "One line that says what was required, what came and what to do",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
_PREDICT: dict[str, Any] = {
    "summary": "Name what is in a picture",
    "parameters": [
        {
            "name": "top",
            "in": "query",
            "description": "How many classes to name",
            "schema": {"type": "integer", "minimum": 1},
        }
    ],
    "requestBody": {
        "required": True,
        "description": "The picture file itself, no form: JPEG, PNG, WebP and others",
        "content": {"image/*": {}, "application/octet-stream": {}},
    },
    "responses": {
        "200": {
            "description": "The most probable classes, the best first",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}},
        },
        **dict.fromkeys(("400", "401", "408", "413", "415", "503"), _ERROR),
    },
}
_NAME = {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}
_CLASS: dict[str, Any] = {
    "type": "object",
    "required": ["class", "probability"],
    "properties": {
        "class": {"type": "string"},
        "probability": {"type": "number", "minimum": 0, "maximum": 1},
    },
}


def _get(summary: str, *others: str, parameters: tuple[Any, ...] = ()) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": {"description": summary}} | dict.fromkeys(others, _ERROR)
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": responses}}


def describe_api() -> dict[str, Any]:
    """The document that /openapi.json gives."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "residua", "version": version("residua")},
        "paths": {
            "/v1/predict": {"post": _PREDICT},
            "/v1/models": _get("The models, with versions and classes", "401"),
            "/v1/models/{model}/predict": {
                "post": _PREDICT | {"parameters": [_NAME, *_PREDICT["parameters"]]}
            },
            "/v2/health/live": _get("Whether it works", "503"),
            "/v2/health/ready": _get("Whether it takes requests", "503"),
            "/v2/models/{model}": _get("A model's inputs and outputs", "401", "404", parameters=(_NAME,)),
            "/v2/models/{model}/ready": _get("Whether a model answers", "404", "503", parameters=(_NAME,)),
            "/metrics": _get("Counts in Prometheus' text format", "401"),
        },
        "components": {
            "schemas": {
                "Error": {
                    "type": "object",
                    "required": ["error"],
                    "properties": {"error": {"type": "string"}},
                },
                "Class": _CLASS,
                "Answer": {
                    "type": "object",
                    "required": ["class", "probability", "top", "model"],
                    "properties": {
                        **_CLASS["properties"],
                        "top": {"type": "array", "items": {"$ref": "#/components/schemas/Class"}},
                        "sure": {"type": "boolean"},
                        "model": {
                            "type": "object",
                            "properties": {"name": {"type": "string"}, "version": {"type": "string"}},
                        },
                    },
                },
            }
        },
    }
