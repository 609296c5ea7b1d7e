"""What a result depends on beside the options: versions of packages, and the machine."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from residua.cores import available_cores

PACKAGES = ("residua", "numpy", "numba", "pillow", "safetensors", "scikit-learn")
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


def _processor_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
