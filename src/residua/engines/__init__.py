"""Engines compute; layers say what. The engine is always an argument, never a global.

May import: cores, errors, files.

`ENGINES` maps names to "module:Class"; nothing is imported before it is asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import cast

from residua.engines.vocabulary.core import Engine
from residua.errors import EngineError, near

__all__ = ["ENGINES", "Engine", "choose_engine", "open_engine"]

ENGINES = {
    "numpy": "residua.engines.numpy.engine:NumpyEngine",
    "numba": "residua.engines.numba:NumbaEngine",
}

# What an engine needs beside residua itself: the module, and the extra that installs it.
NEEDS = {"numba": ("numba", "fast")}

# Multiply-adds that the reference takes about a minute for. Below, compiling kernels would not pay; and the
# choice depends on the job alone, so that the same command gives the same bytes on the same machine.
LARGE_JOB = 1e12


def installed(name: str) -> bool:
    """Whether what the engine needs is there."""
    return name not in NEEDS or importlib.util.find_spec(NEEDS[name][0]) is not None


def choose_engine(name: str, work: float) -> str:
    """`name` itself; for "auto" the fastest engine that is installed and that the job is large enough for.

    work: multiply-adds of the whole job. Raises EngineError for an unknown name or a missing engine.
    """
    if name == "auto":
        return "numba" if work >= LARGE_JOB and "numba" in ENGINES and installed("numba") else "numpy"
    if name not in ENGINES:
        raise EngineError(f"there is no engine {name!r}.{near(name, ENGINES)}")
    if not installed(name):
        module, extra = NEEDS[name]
        raise EngineError(
            f"the engine {name!r} needs {module}, which is not installed: pip install 'residua[{extra}]'"
        )
    return name


def open_engine(name: str = "auto", *, threads: int | None = None, work: float = 0.0) -> Engine:
    """The engine of that name, computing with so many threads; see `choose_engine`."""
    module, _, attribute = ENGINES[choose_engine(name, work)].partition(":")
    return cast(Engine, getattr(importlib.import_module(module), attribute)(threads))
