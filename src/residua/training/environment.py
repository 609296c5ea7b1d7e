"""What a result depends on beside the options: versions of packages, and the machine."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from residua.cores import available_cores, cpuinfo

PACKAGES = ("residua", "numpy", "numba", "pillow", "safetensors", "scikit-learn")
VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2"}  # by the kernel's name of it, the widest first
OF_ENGINES = {"jax": ("jax", "jaxlib")}  # on which results of that engine alone depend


def package_versions(packages: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """The versions that a result depends on: Python's and those of the packages."""
    return {"python": platform.python_version()} | {name: package_version(name) for name in packages}


def versions_with(engine: str) -> dict[str, str]:
    """The versions that a result depends on which that engine computes."""
    return package_versions((*PACKAGES, *OF_ENGINES.get(engine, ())))


def package_version(name: str) -> str:
    """The version of a package; `not installed` where there is none."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def machine_facts() -> dict[str, Any]:
    """Where this process runs."""
    return {
        "system": platform.platform(),
        "processor": _processor_name(),
        "cores": available_cores(),
    }


def processor_name(told: str) -> str:
    """A processor's name, and what the name may leave out: family and vectors (`/proc/cpuinfo` of Linux).

    Some names stand for several generations, one of which trains twice as fast as another.
    """
    facts: dict[str, str] = {}
    for line in told.splitlines():
        key, _, value = line.partition(":")
        facts.setdefault(key.strip(), value.strip())  # of the first core
    flags = facts.get("flags", "").split()
    vectors = next((name for flag, name in VECTORS.items() if flag in flags), "")
    family = f"family {facts['cpu family']}" if "cpu family" in facts else ""
    more = ", ".join(filter(None, (family, vectors)))
    name = facts.get("model name", "")
    return f"{name} ({more})" if name and more else name


def _processor_name() -> str:
    return processor_name(cpuinfo()) or platform.processor() or platform.machine()
