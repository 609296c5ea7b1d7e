"""Kernels compiled once for all workers of a test run: who needs one that is being made waits for it."""

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
