"""What kernels are called: in the cache, in what the package carries, and between processes."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

Kernel = Callable[..., Any]
Key = tuple[Kernel, tuple[int, ...]]
KERNELS = "residua.engines.numba.kernels."  # below it, modules are named in messages


def name_of(function: Kernel, literals: tuple[int, ...] = ()) -> str:
    """The name of a kernel's file."""
    module = function.__module__.removeprefix(KERNELS).replace(".", "-")
    return "-".join([module, function.__name__, *map(str, literals)])


def as_line(key: Key) -> str:
    """A kernel and its constants as a line of text."""
    function, literals = key
    return " ".join([function.__module__.removeprefix(KERNELS), function.__name__, *map(str, literals)])


def from_line(line: str) -> Key:
    """The kernel of such a line."""
    module, name, *literals = line.split()
    return getattr(importlib.import_module(f"{KERNELS}{module}"), name), tuple(map(int, literals))
