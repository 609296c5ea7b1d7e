"""Which devices JAX computes on, and what keeps it from a GPU that is there."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax

from residua.errors import EngineError
from residua.files.user_cache import user_cache

DRIVER = Path("/proc/driver/nvidia/version")
# Module of JAX's plugin for NVIDIA's GPUs, and what installs it.
PLUGINS = {"jax_cuda13_plugin": "jax[cuda13]", "jax_cuda12_plugin": "jax[cuda12]"}


def find_devices(all_hosts: bool = False) -> tuple[Any, ...]:
    """All devices of the kind that JAX prefers: GPUs, TPUs, else the processor.

    all_hosts: those of the other processes of a job too, each one's behind those of the one before.
    Raises EngineError where the kind that was asked for (JAX_PLATFORMS) is not there, and where a GPU is
    there that JAX's plugin cannot use.
    """
    try:
        devices = tuple(jax.devices())
    except RuntimeError as error:
        asked = os.environ.get("JAX_PLATFORMS") or "any"
        raise EngineError(
            f"JAX finds no device of the kind {asked!r} (JAX_PLATFORMS): leave it out to take what is there, "
            f"or install what it needs, such as pip install 'residua[cuda]' ({_first_line(error)})"
        ) from None
    plugins = [name for name in PLUGINS if find_spec(name)]
    left_out = devices[0].platform == "cpu" and not os.environ.get("JAX_PLATFORMS")
    if left_out and plugins and DRIVER.exists():
        others = " or ".join(f"pip install '{PLUGINS[name]}'" for name in PLUGINS if name not in plugins)
        raise EngineError(
            f"{plugins[0]} does not run with this machine's NVIDIA driver ({_driver()}): update the driver, "
            f"take another CUDA ({others or 'another version of jax'}), "
            "or set JAX_PLATFORMS=cpu to compute without the GPU"
        )
    if all_hosts:
        return tuple(sorted(devices, key=lambda device: (device.process_index, device.id)))
    return tuple(device for device in devices if device.process_index == jax.process_index())


def remarks(devices: tuple[Any, ...]) -> tuple[str, ...]:
    """What people should know of the devices that were found."""
    first = devices[0]
    if first.platform != "cpu":
        return ()
    if DRIVER.exists() and not any(map(find_spec, PLUGINS)):
        return ("JAX computes on the processor, though there is an NVIDIA GPU: pip install 'residua[cuda]'",)
    return ("JAX found no GPU and computes on the processor, where --engine numba is faster",)


def describe(devices: tuple[Any, ...]) -> str:
    """The devices in words: `2 x NVIDIA H100` or `the processor`."""
    kind = "the processor" if devices[0].platform == "cpu" else str(devices[0].device_kind)
    return kind if len(devices) == 1 else f"{len(devices)} x {kind}"


def memory_note(devices: tuple[Any, ...]) -> str:
    """How much of a GPU's memory JAX takes, and how that is changed; "" on processors."""
    if devices[0].platform not in ("gpu", "cuda", "rocm"):
        return ""
    variable = "XLA_PYTHON_CLIENT_PREALLOCATE"
    if os.environ.get(variable, "").lower() in ("false", "0"):
        return f", memory as it is needed ({variable})"
    limit = (devices[0].memory_stats() or {}).get("bytes_limit", 0)
    amount = f"{limit / 2**30:.0f} GiB" if limit else "three quarters"
    return f", {amount} of its memory taken at the start ({variable}=false leaves it to others)"


def keep_programs(devices: tuple[Any, ...]) -> None:
    """Have JAX keep what it compiles from one process to the next, where that works: not on processors.

    There it finds nothing again where the compiler tunes for the very processor, and may crash on what
    another machine left behind. RESIDUA_JAX_CACHE names another folder, for processors too; empty, none.
    """
    folder = os.environ.get("RESIDUA_JAX_CACHE")
    if folder is None and devices[0].platform != "cpu":
        folder = str(user_cache() / "jax" / jax.__version__)
    if folder and jax.config.jax_compilation_cache_dir is None:
        jax.config.update("jax_compilation_cache_dir", folder)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _driver() -> str:
    try:
        return DRIVER.read_text(encoding="utf-8").splitlines()[0].strip()
    except (OSError, IndexError):
        return "of unknown version"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
