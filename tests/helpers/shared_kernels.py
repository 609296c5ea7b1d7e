"""Kernels in tests: few in the first tier, and each compiled once for all workers that run side by side."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest


def share_kernels(patch: pytest.MonkeyPatch, locks: Path) -> None:
    """One compiler per kernel, across processes; and no helper processes, for the other cores have work.

    locks: a folder that all workers share. Tests of the helper itself start processes of their own.
    """
    import fcntl

    from residua.engines.numba.runtime import kernel_cache as module

    cache = module.KernelCache
    load = cache._load

    def load_alone(self, function, signature, options):
        key = f"{self.folder} {function.__module__} {function.__qualname__} {signature}"
        with open(locks / hashlib.sha256(key.encode()).hexdigest(), "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return load(self, function, signature, options)

    patch.setattr(cache, "_load", load_alone)
    patch.setattr(module, "CompileHelper", lambda: None)


def fewer_constants(patch: pytest.MonkeyPatch) -> None:
    """Of the kernels made for their numbers of channels only those for 3 and 16, which most tests need.

    All other numbers take the general versions here, as unusual ones always do.
    """
    from residua.engines.numba.planning import plan

    patch.setattr(plan, "USUAL", frozenset({3, 16}))
