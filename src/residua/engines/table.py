"""Which engines there are, and what each needs beside residua itself."""

from __future__ import annotations

import importlib.util

from residua.errors import EngineError, near

ENGINES = {
    "numpy": "residua.engines.numpy.engine:NumpyEngine",
    "numba": "residua.engines.numba:NumbaEngine",
    "jax": "residua.engines.jax:JaxEngine",
}

# What an engine needs beside residua itself: the module, and the extra that installs it.
NEEDS = {"numba": ("numba", "fast"), "jax": ("jax", "jax")}


def installed(name: str) -> bool:
    """Whether what the engine needs is there."""
    return name not in NEEDS or importlib.util.find_spec(NEEDS[name][0]) is not None


def require_engine(name: str) -> None:
    """Raise EngineError for a name that is no engine's, or one that is not installed."""
    if name not in ENGINES:
        raise EngineError(f"there is no engine {name!r}.{near(name, ENGINES)}")
    if not installed(name):
        module, extra = NEEDS[name]
        raise EngineError(
            f"the engine {name!r} needs {module}, which is not installed: pip install 'residua[{extra}]'"
        )
