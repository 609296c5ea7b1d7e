"""Kernels in tests: few in the first tier; side by side each worker compiles what it needs itself."""

from __future__ import annotations

import pytest


def compile_alone(patch: pytest.MonkeyPatch) -> None:
    """No helper processes. Tests of the helper itself start processes of their own."""
    from residua.engines.numba.runtime import kernel_cache

    patch.setattr(kernel_cache, "CompileHelpers", lambda: None)


def fewer_constants(patch: pytest.MonkeyPatch) -> None:
    """Of the kernels made for their numbers of channels only those for 3 and 16, which most tests need.

    All other numbers take the general versions here, as unusual ones always do.
    """
    from residua.engines.numba.planning import plan

    patch.setattr(plan, "USUAL", frozenset({3, 16}))
