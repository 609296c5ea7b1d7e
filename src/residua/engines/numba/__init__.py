"""The fast engine: kernels written in Python source, compiled by Numba for the machine at hand.

May import: cores, engines.vocabulary, engines.numpy, errors, files.
"""

from __future__ import annotations

from residua.engines.numba.engine import NumbaEngine

__all__ = ["NumbaEngine"]
