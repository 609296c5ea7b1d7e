"""The fast engine: kernels written in Python source, compiled by Numba for the machine at hand."""

from __future__ import annotations

from residua.engines.numba.engine import NumbaEngine
from residua.engines.numba.warming import warm

__all__ = ["NumbaEngine", "warm"]
