"""Engines compute; layers say what. The engine is always an argument, never a global.

`ENGINES` maps names to "module:Class"; nothing is imported before it is asked for.
"""

from __future__ import annotations

import importlib
from typing import cast

from residua.engines.base import Engine
from residua.errors import EngineError, near

__all__ = ["ENGINES", "Engine", "open_engine"]

ENGINES = {
    "numpy": "residua.engines.numpy_engine:NumpyEngine",
    "numba": "residua.engines.numba:NumbaEngine",
}


def open_engine(name: str = "auto") -> Engine:
    """The engine of that name; `auto` takes the fastest that is installed.

    Raises EngineError for an unknown name, with its nearest neighbours.
    """
    if name == "auto":
        name = "numpy"
    if name not in ENGINES:
        raise EngineError(f"there is no engine {name!r}.{near(name, ENGINES)}")
    module, _, attribute = ENGINES[name].partition(":")
    return cast(Engine, getattr(importlib.import_module(module), attribute)())
