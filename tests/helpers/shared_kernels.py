"""Tests that run side by side: each compiles what it needs itself, for the other cores have work."""

from __future__ import annotations

import pytest


def compile_alone(patch: pytest.MonkeyPatch) -> None:
    """No helper processes. Tests of the helper itself start processes of their own."""
    from residua.engines.numba.runtime import kernel_cache

    patch.setattr(kernel_cache, "CompileHelper", lambda: None)
