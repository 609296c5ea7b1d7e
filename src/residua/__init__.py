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

if TYPE_CHECKING:
    from residua.api import (
        calibrate,
        class_pictures,
        compare,
        curves,
        ensemble,
        evaluate,
        explain,
        find_rate,
        fool,
        fool_from_noise,
        import_weights,
        inside,
        mistakes,
        predict,
        reconstruct,
        report,
        robustness,
        train,
    )
    from residua.classifier import Classifier
    from residua.engines import open_engine
    from residua.models import build_model
    from residua.models.model_file import Model, load_model, save_model

_PLACES = {
    "Classifier": "residua.classifier",
    "Model": "residua.models.model_file",
    "build_model": "residua.models",
    "calibrate": "residua.api",
    "class_pictures": "residua.api",
    "compare": "residua.api",
    "curves": "residua.api",
    "ensemble": "residua.api",
    "evaluate": "residua.api",
    "explain": "residua.api",
    "find_rate": "residua.api",
    "fool": "residua.api",
    "fool_from_noise": "residua.api",
    "import_weights": "residua.api",
    "inside": "residua.api",
    "load_model": "residua.models.model_file",
    "mistakes": "residua.api",
    "open_engine": "residua.engines",
    "predict": "residua.api",
    "reconstruct": "residua.api",
    "report": "residua.api",
    "robustness": "residua.api",
    "save_model": "residua.models.model_file",
    "train": "residua.api",
}

__all__ = [
    "Classifier",
    "Model",
    "build_model",
    "calibrate",
    "class_pictures",
    "compare",
    "curves",
    "ensemble",
    "evaluate",
    "explain",
    "find_rate",
    "fool",
    "fool_from_noise",
    "import_weights",
    "inside",
    "load_model",
    "mistakes",
    "open_engine",
    "predict",
    "reconstruct",
    "report",
    "robustness",
    "save_model",
    "train",
]


def __getattr__(name: str) -> object:
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("residua")
    raise AttributeError(f"module 'residua' has no attribute {name!r}")
