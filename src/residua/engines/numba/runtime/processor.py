"""What kernels are fitted to, of the processor at hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path

USUAL_CACHE = 2**20
_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
_UNITS = {"K": 2**10, "M": 2**20}


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
