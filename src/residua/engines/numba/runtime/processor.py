"""What kernels are fitted to, of the processor at hand."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from llvmlite import binding

from residua.engines.numba.kernels.primitives.vector import WIDTH

USUAL_CACHE = 2**20
_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
_UNITS = {"K": 2**10, "M": 2**20}
# Processors that do an operation on 16 floats as two on 8 (Fog, "The microarchitecture of Intel, AMD and VIA
# CPUs", 2024, Zen 4): half a vector that is left empty costs as much as a narrow one.
HALVING = ("znver4",)
NARROW = (8, 16)  # of narrow kernels: floats in a vector, and vectors in registers


def has_narrow_kernels() -> bool:
    """Whether kernels for narrow vectors are worth having beside the others: not where a width was told."""
    told = "RESIDUA_VECTOR_WIDTH" in os.environ
    return NARROW[0] < WIDTH and not told and binding.get_host_cpu_name() in HALVING


@cache
def second_level_cache() -> int:
    """Bytes of one core's second-level cache, as Linux tells them; a usual number where nothing does."""
    try:
        for place in _CACHES.glob("index*"):
            if (place / "level").read_text().strip() == "2":
                size = (place / "size").read_text().strip()
                return int(size[:-1]) * _UNITS[size[-1]]
    except (OSError, ValueError, KeyError, IndexError):
        pass
    return USUAL_CACHE
