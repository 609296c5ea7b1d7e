"""The engine for GPUs, and for several of them: operations that JAX compiles for whatever device it finds.

May import: cores, engines.vocabulary, engines.numpy, errors, files.
"""

from __future__ import annotations

from residua.engines.jax.engine import JaxEngine

__all__ = ["JaxEngine"]
