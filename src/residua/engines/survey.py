"""What can compute on this machine, and about how fast: what `residua engines` shows."""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import Any

import numpy as np

from residua.engines import open_engine
from residua.engines.table import ENGINES, NEEDS, installed
from residua.engines.vocabulary.core import Engine

SECONDS = 0.5  # for each engine's measurement, once its kernels are there


def survey(threads: int | None = None) -> list[str]:
    """Lines for people: each engine's versions, threads, vectors, cache and a measured speed.

    The speed is that of a 3x3 convolution, 32 channels to 32 on 64 pictures of 16x16, forward and
    backward, the work at the heart of a small residual network.
    """
    lines = []
    for name in ENGINES:
        if not installed(name):
            lines.append(f"{name:<6}  not installed: pip install 'residua[{NEEDS[name][1]}]'")
            continue
        engine = open_engine(name, threads=threads)
        speed = _speed(engine)
        lines.append(f"{name:<6}  {_facts(name, engine)}; {speed / 1e9:,.1f} billion multiply-adds a second")
    return lines


def _facts(name: str, engine: Engine) -> str:
    if name == "numba":
        from residua.engines.numba.kernels.primitives.vector import WIDTH
        from residua.engines.numba.runtime.kernel_files import cache_folder

        folder = cache_folder()
        count = sum(file.suffix == ".o" for file in folder.iterdir()) if folder.is_dir() else 0
        return (
            f"numba {version('numba')}, llvmlite {version('llvmlite')}; {engine.threads} threads, "
            f"vectors of {WIDTH} floats; {count} kernels in {folder}"
        )
    if name == "jax":
        from residua.engines.jax.devices import describe, find_devices, memory_note

        devices = find_devices()
        where = f"{describe(devices)}{memory_note(devices)}"
        return f"jax {version('jax')}, jaxlib {version('jaxlib')}; on {where}"
    from threadpoolctl import threadpool_info

    pools = [pool for pool in threadpool_info() if pool.get("user_api") == "blas"]
    blas = ", ".join(
        f"{pool['internal_api']} {pool['version']}, {pool['num_threads']} threads" for pool in pools
    )
    return f"numpy {version('numpy')}; {blas or 'BLAS unknown'}"


def _speed(engine: Engine) -> float:
    """Multiply-adds a second, the best of several runs."""
    rng = np.random.default_rng(0)
    x, dy = (rng.normal(size=(64, 16, 16, 32)).astype(np.float32) for _ in range(2))
    weight = rng.normal(size=(3, 3, 32, 32)).astype(np.float32)

    def work(x: np.ndarray, dy: np.ndarray) -> tuple[Any, Any]:
        saved = engine.conv2d(x, weight, None, stride=1, padding=1)[1]
        dx, dweight, _ = engine.conv2d_backward(dy, weight, saved, stride=1, padding=1)
        return dx, dweight

    step = engine.compile(work)
    step(x, dy)
    best, began = float("inf"), time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        start = time.perf_counter()
        for result in step(x, dy):
            np.asarray(engine.plain(result))  # an engine may come back before it is through
        best = min(best, time.perf_counter() - start)
    return 3 * 64 * 16 * 16 * 32 * 32 * 9 / best
