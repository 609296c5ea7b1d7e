"""Residual networks from scratch: train, evaluate and use picture classifiers on an ordinary computer.

    import residua
    result = residua.train("digits", epochs=10)
    residua.evaluate(result.model)
    residua.predict(result.model, "pictures/")

Importing residua loads no engine; what is used is loaded when it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from residua.verbs import PUBLIC

if TYPE_CHECKING:  # a test holds this list to the table of verbs
    from residua.api import calibrate as calibrate
    from residua.api import class_pictures as class_pictures
    from residua.api import compare as compare
    from residua.api import curves as curves
    from residua.api import ensemble as ensemble
    from residua.api import evaluate as evaluate
    from residua.api import evaluate_in_parts as evaluate_in_parts
    from residua.api import explain as explain
    from residua.api import export as export
    from residua.api import find_rate as find_rate
    from residua.api import fool as fool
    from residua.api import fool_from_noise as fool_from_noise
    from residua.api import import_weights as import_weights
    from residua.api import inside as inside
    from residua.api import mistakes as mistakes
    from residua.api import page as page
    from residua.api import predict as predict
    from residua.api import predict_in_parts as predict_in_parts
    from residua.api import reconstruct as reconstruct
    from residua.api import report as report
    from residua.api import robustness as robustness
    from residua.api import sweep as sweep
    from residua.api import train as train
    from residua.classifier import Classifier as Classifier
    from residua.engines import open_engine as open_engine
    from residua.errors import ConfigError as ConfigError
    from residua.errors import DataError as DataError
    from residua.errors import EngineError as EngineError
    from residua.errors import ModelFileError as ModelFileError
    from residua.errors import NonFiniteError as NonFiniteError
    from residua.errors import PictureError as PictureError
    from residua.errors import ResiduaError as ResiduaError
    from residua.errors import RunError as RunError
    from residua.errors import ShapeError as ShapeError
    from residua.models import build_model as build_model
    from residua.models.model_file import Model as Model
    from residua.models.model_file import load_model as load_model
    from residua.models.model_file import save_model as save_model

_ERRORS = (
    "ConfigError",
    "DataError",
    "EngineError",
    "ModelFileError",
    "NonFiniteError",
    "PictureError",
    "ResiduaError",
    "RunError",
    "ShapeError",
)

_MODULES = (
    {
        "Classifier": "residua.classifier",
        "Model": "residua.models.model_file",
        "build_model": "residua.models",
        "load_model": "residua.models.model_file",
        "open_engine": "residua.engines",
        "save_model": "residua.models.model_file",
    }
    | dict.fromkeys(PUBLIC, "residua.api")
    | dict.fromkeys(_ERRORS, "residua.errors")
)

__all__ = sorted(_MODULES)  # noqa: PLE0605


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("residua")
    raise AttributeError(f"module 'residua' has no attribute {name!r}")
